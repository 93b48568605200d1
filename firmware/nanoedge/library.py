#!/usr/bin/python3
"""Makes libneai.a and NanoEdgeAI.h for one core, geometry and generation of the interface: a project that was built with the
closed library of these names is given this folder instead, as include path and as library path.

    firmware/nanoedge/library.py --core m4f --axes 3 --buffer-size 256 --output lib
    arm-none-eabi-gcc ... -Ilib main.c -Llib -lneai"""
import argparse
import glob
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FIRMWARE = os.path.dirname(HERE)
ROOT = os.path.dirname(FIRMWARE)
sys.path.insert(0, FIRMWARE)
import libraries  # noqa: E402

PREFIX = 'arm-none-eabi-'
# The bits depend on the second and third.
FLAGS = ['-include', os.path.join(FIRMWARE, 'abi/indifferent.h'),
         '-std=c11', '-ffp-contract=off', '-fno-math-errno', '-ffunction-sections', '-fdata-sections', '-Wall', '-Wextra']
HEADERS = [*glob.glob(os.path.join(ROOT, 'engine/include/habit/*.h')),
           *(os.path.join(FIRMWARE, 'include/habit', name) for name in ('neai.h', 'neai_settings.h'))]
PROFILES = ['small', 'default', 'large']
START = '#include <stdbool.h>\n'  # of what NanoEdgeAI.h includes: the settings go before it


def settings(options):
    """What the library is compiled for, as (macro, value)."""
    made = [('NEAI_GENERATION', options.generation), ('NB_AXES', options.axes), ('BUFFER_SIZE', options.buffer_size),
            ('NEAI_PROFILE', PROFILES.index(options.profile)), ('NEAI_SAMPLING_HZ', f'{options.sampling_hz!r}f'),
            ('NEAI_UNIT', json.dumps(options.unit)), ('NEAI_SCALE', f'{options.scale!r}f'), ('NEAI_ID', json.dumps(options.id)),
            ('NEAI_ERRORS_AS_ZERO', int(options.errors_as_zero))]
    if options.minimum:
        made.append(('MINIMUM_ITERATION_CALLS_FOR_EFFICIENT_LEARNING', options.minimum))
    return made


def call(*command, folder=None):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          cwd=folder)
    if done.returncode != 0:
        sys.exit(f'failed: {shlex.join(command)}\n{done.stdout}')
    return done.stdout


def write_headers(options):
    """The interface with its settings written in: the program needs no macros on its command line."""
    os.makedirs(os.path.join(options.output, 'habit'), exist_ok=True)
    for header in HEADERS:
        shutil.copy(header, os.path.join(options.output, 'habit'))
    with open(os.path.join(FIRMWARE, 'include/NanoEdgeAI.h')) as file:
        text = file.read()
    assert text.count(START) == 1
    lines = ''.join(f'#define {name} {value}\n' for name, value in settings(options))
    with open(os.path.join(options.output, 'NanoEdgeAI.h'), 'w') as file:
        file.write(text.replace(START, f'/* Written by library.py. */\n{lines}\n{START}'))


def build(options):
    library = os.path.abspath(os.path.join(options.output, 'libneai.a'))
    sources = [*glob.glob(os.path.join(ROOT, 'engine/src/*.c')), *glob.glob(os.path.join(HERE, '*.c'))]
    with tempfile.TemporaryDirectory() as folder:
        call(PREFIX + 'gcc', *libraries.core_flags(options.core), *FLAGS, options.optimisation, *shlex.split(options.flags),
             '-I', os.path.abspath(options.output), '-c', *sorted(sources), folder=folder)
        if os.path.exists(library):
            os.remove(library)
        call(PREFIX + 'gcc-ar', 'rcsD', library, *sorted(glob.glob(os.path.join(folder, '*.o'))))
    return library


def section_size(library):
    """As the documentation of the closed library says: arm-none-eabi-size -A libneai.a | grep neai"""
    for line in call(PREFIX + 'size', '-A', library).splitlines():
        if line.startswith('.neai '):
            return int(line.split()[1])
    sys.exit(f'{library}: no section .neai')


def whole(low, high):
    def read(text):
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f'{text}: must be a whole number, {low}..{high}')
        return int(text)
    return read


def factor(text):
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 1e-15 <= value <= 1e15:
        raise argparse.ArgumentTypeError(f'{text}: must be a number, 1e-15..1e15')
    return value


def label(text):
    if len(text) > 12 or not all(' ' <= letter <= '~' for letter in text):
        raise argparse.ArgumentTypeError(f'{text}: must be up to 12 characters of printable ASCII')
    return text


def read_options(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--core', required=True, choices=libraries.cores())
    parser.add_argument('--axes', type=whole(1, 16), default=3, help='values in a sample, 1..16; default: %(default)s')
    parser.add_argument('--buffer-size', type=whole(1, 4096), default=256, help='samples in a buffer, 1..4096; default: %(default)s')
    parser.add_argument('--profile', choices=PROFILES, default='default', help='memory for knowledge; default: %(default)s')
    parser.add_argument('--generation', type=int, choices=[2, 3, 51], default=2,
                        help='2: Studio 2.x; 3: Studio 3.x to 5.0; 51: Studio 5.1 and later; default: %(default)s')
    parser.add_argument('--sampling-hz', type=factor, default=0.0, help='part of the knowledge; default: unknown')
    parser.add_argument('--unit', type=label, default='', help='part of the knowledge, up to 12 characters; default: none')
    parser.add_argument('--scale', type=factor, default=1.0, help='part of the knowledge; unit per step of int16 samples')
    parser.add_argument('--minimum', type=whole(10, 1000000), help='buffers that learn calls the recommended minimum, 10..; default: 60')
    parser.add_argument('--errors-as-zero', action='store_true', help='generation 2: detect returns 0 for every error')
    parser.add_argument('--id', default='habit', help='NEAI_ID')
    parser.add_argument('--optimisation', default='-Os', help='default: %(default)s')
    parser.add_argument('--flags', default='', help='more for the compiler, such as -fno-short-enums')
    parser.add_argument('--output', required=True, metavar='DIR', help='is made; what is there is replaced')
    return parser.parse_args(arguments)


def main():
    options = read_options()
    write_headers(options)
    library = build(options)
    print(f'{library}: knowledge (.neai) {section_size(library)} bytes')


if __name__ == '__main__':
    main()
