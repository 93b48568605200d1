#!/usr/bin/python3
"""The compatible interfaces as a project uses them: libneai.a and NanoEdgeAI.h by firmware/nanoedge/library.py, a program
written to each generation's contract, and an emulated board. Then what must not link."""
import argparse
import concurrent.futures
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
ROOT = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, 'board'))
sys.path.insert(0, os.path.join(ROOT, 'firmware', 'nanoedge'))
import board  # noqa: E402
import library  # noqa: E402

SHARED = [os.path.join(TESTS, name) for name in ('firmware/neai_machine.c', 'golden/signal.c', 'board/startup.c')]
WARNINGS = ['-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Wundef', '-Wdouble-promotion', '-Werror']
RUN_SECONDS = 60

# QEMU's board with an STM32F100: 8 KB of RAM, and nothing behind them.
EIGHT_KILOBYTES = board.Core('m3', board.CORES['m3'].flags, 'stm32vldiscovery', None, None)
EIGHT_KILOBYTES_STACK = 1280


class Failed(Exception):
    pass


def call(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=RUN_SECONDS)
    return done.returncode, done.stdout


def make_library(folder, core, *options):
    """Returns the folder of the library."""
    output = os.path.join(folder, 'neai')
    status, text = call(library.__file__, '--core', core, '--output', output, *options)
    if status != 0:
        raise Failed(text)
    return output


def link(folder, core, neai, program, link_flags, *macros):
    """Compiles and links a program as its project would: nothing but the folder of the library is new. Returns the linker's
    exit status, its words, and the path."""
    elf = os.path.join(folder, 'program.elf')
    flags = [flag for flag in board.compile_flags(core, '-Os') if flag != '-std=c11']
    status, text = call(board.COMPILER, '-std=gnu11', *flags, *WARNINGS, *macros, '-I', neai, os.path.join(HERE, program),
                        *SHARED, *link_flags, '-L', neai, '-lneai', '-lm', '-o', elf)
    return status, text, elf


def run(core, elf, said):
    status, text = call(*board.command(core, elf))
    if status != 0 or said not in text:
        raise Failed(f'{core.machine} ended with {status}\n{text}')


def section_sizes(elf):
    lines = call(library.PREFIX + 'size', '-A', elf)[1].splitlines()
    return {words[0]: int(words[1]) for words in map(str.split, lines) if len(words) == 3 and words[1].isdecimal()}


def check_generation(folder, generation, name, *options):
    core = board.CORES[name]
    neai = make_library(folder, 'm0plus' if name == 'm0-microbit' else name, '--generation', str(generation), *options)
    macros = []
    if generation == 2:
        macros = [f'-DNEAI_SECTION_SIZE={library.section_size(os.path.join(neai, "libneai.a"))}']
    status, text, elf = link(folder, core, neai, f'neai_program{generation}.c', board.link_flags(core), *macros)
    if status != 0:
        raise Failed(text)
    run(core, elf, f'generation {generation} runs')
    return f'.neai {section_sizes(elf)[".neai"]} bytes'


def check_eight_kilobytes(folder):
    """The documentation's program and its section at a fixed address, at 3 x 128 in profile small."""
    neai = make_library(folder, 'm3', '--axes', '3', '--buffer-size', '128', '--profile', 'small')
    status, text, elf = link(folder, EIGHT_KILOBYTES, neai, 'neai_program2.c',
                             [*EIGHT_KILOBYTES.flags, '--specs=nano.specs', '-nostartfiles', '-Wl,--gc-sections',
                              '-T', os.path.join(HERE, 'seed.ld'), f'-Wl,--defsym=STACK_LENGTH={EIGHT_KILOBYTES_STACK}'])
    if status != 0:
        raise Failed(text)
    run(EIGHT_KILOBYTES, elf, 'generation 2 runs')
    sizes = section_sizes(elf)
    used = sum(sizes.get(name, 0) for name in ('.neai', '.data', '.bss'))
    return f'{used} bytes of RAM with the buffer, beside {EIGHT_KILOBYTES_STACK} for the stack'


def check_too_large(folder):
    """What does not fit fails to link, and the linker says by how much."""
    neai = make_library(folder, 'm3', '--axes', '3', '--buffer-size', '512')
    status, text, _ = link(folder, EIGHT_KILOBYTES, neai, 'neai_program2.c',
                           [*EIGHT_KILOBYTES.flags, '--specs=nano.specs', '-nostartfiles', '-Wl,--gc-sections',
                            '-T', os.path.join(HERE, 'seed.ld'), f'-Wl,--defsym=STACK_LENGTH={EIGHT_KILOBYTES_STACK}'])
    said = [line for line in text.splitlines() if "region `RAM' overflowed by" in line]
    if status == 0 or not said:
        raise Failed(f'links with {status}\n{text}')
    return said[0].split('ld: ')[-1]


def check_other_geometry(folder):
    """A program that was compiled for another geometry than its library fails to link, and the linker names both."""
    core = board.CORES['m4f']
    neai = make_library(folder, 'm4f', '--buffer-size', '128')
    header = os.path.join(neai, 'NanoEdgeAI.h')
    with open(header) as file:
        text = file.read()
    with open(header, 'w') as file:
        file.write(text.replace('#define BUFFER_SIZE 128', '#define BUFFER_SIZE 256'))
    status, text, _ = link(folder, core, neai, 'neai_program2.c', board.link_flags(core))
    said = [line for line in text.splitlines() if 'undefined reference to `habit_neai_g2_3x256_p1_for_v7em_hard_sp' in line]
    if status == 0 or not said:
        raise Failed(f'links with {status}\n{text}')
    return said[0].split(': ')[-1]


def check_other_float_abi(folder):
    neai = make_library(folder, 'm4f')
    soft = board.CORES['m4f']._replace(flags=['-mthumb', '-mcpu=cortex-m4', '-mfloat-abi=soft'])
    status, text, _ = link(folder, soft, neai, 'neai_program2.c', board.link_flags(soft))
    said = [line for line in text.splitlines() if 'undefined reference to `habit_neai_g2_3x256_p1_for_v7em_soft' in line]
    if status == 0 or not said:
        raise Failed(f'links with {status}\n{text}')
    return said[0].split(': ')[-1]


def check_enums_and_wchar(folder):
    """Neither the size of enums nor that of wchar_t matters: the linker has nothing to say of the library (it has of the C
    library), and the program runs."""
    core = board.CORES['m4f']
    neai = make_library(folder, 'm4f', '--generation', '3')
    status, text, elf = link(folder, core, neai, 'neai_program3.c', board.link_flags(core), '-fno-short-enums',
                             '-fshort-wchar')
    if status != 0 or 'libneai' in text:
        raise Failed(f'links with {status}\n{text}')
    run(core, elf, 'generation 3 runs')
    return 'links without a warning'


def check_restored(folder):
    """Knowledge that was copied into the section before anybody called initialize."""
    core = board.CORES['m4f']
    neai = make_library(folder, 'm4f', '--sampling-hz', '1600', '--unit', 'g')
    status, text, elf = link(folder, core, neai, 'neai_restored.c', board.link_flags(core))
    if status != 0:
        raise Failed(text)
    run(core, elf, 'restored')
    return 'detects without a call of initialize'


SMALL = ['--axes', '3', '--buffer-size', '128', '--profile', 'small']
CHECKS = [
    ('the 8 KB board', check_eight_kilobytes),
    ('knowledge restored', check_restored),
    ('too large for the 8 KB board', check_too_large),
    ('another geometry', check_other_geometry),
    ('another float ABI', check_other_float_abi),
    ('other enums and wchar_t', check_enums_and_wchar),
    *((f'generation {generation} on {name}',
       lambda folder, generation=generation, name=name, options=options:
       check_generation(folder, generation, name, *options))
      for generation in (2, 3, 51)
      for name, options in [('m0-microbit', SMALL), ('m4f', []), ('m33', ['--buffer-size', '100', '--axes', '1'])]),
]


def check(name, function):
    with tempfile.TemporaryDirectory() as folder:
        try:
            return True, f'{name:28} {function(folder)}'
        except Failed as failed:
            return False, f'{name} FAILED\n{failed}'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--only', default='', metavar='TEXT', help='checks whose name contains it')
    options = parser.parse_args()
    checks = [one for one in CHECKS if options.only in one[0]]
    good = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        for fine, text in workers.map(lambda one: check(*one), checks):
            print(text, flush=True)
            good += fine
    print(f'{good} of {len(checks)} checks pass')
    sys.exit(0 if good == len(checks) > 0 else 1)


if __name__ == '__main__':
    main()
