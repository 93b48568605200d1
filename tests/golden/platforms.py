#!/usr/bin/python3
"""The same bits everywhere: builds the golden program for every platform, runs it there, or in an emulator of it, and
compares what it prints with expected.txt, to the last bit.

usage: platforms.py [--only TEXT]    build, run and compare: all platforms, or those whose name contains TEXT
       platforms.py --update         write expected.txt anew, by this machine's gcc
       platforms.py --compare FILE   run a golden program that exists

A difference is a mistake, or a change of the engine that is meant to change bits. Then, and only then: --update, and where
knowledge of released versions would be misread, a new HABIT_FORMAT_VERSION. What is missing to build or run is a failure."""
import argparse
import collections
import concurrent.futures
import glob
import itertools
import os
import platform
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'board'))
import board  # noqa: E402

EXPECTED = os.path.join(HERE, 'expected.txt')
PROGRAM = [os.path.join(HERE, name) for name in ('golden.c', 'cases.c', 'signal.c')]
HOST_DOOR = os.path.join(ROOT, 'tests/board/host.c')
BOARD_START = os.path.join(ROOT, 'tests/board/startup.c')
INCLUDE = ['-I', os.path.join(ROOT, 'engine/include')]
RUN_SECONDS = 120

# run: a function of the program's path that returns what it printed. bounds: what the cases may need, by the macro of
# golden.c that says so.
Platform = collections.namedtuple('Platform', 'name compiler run bounds', defaults=[{}])
BOUNDS = {'GOLDEN_MEMORY': 'needs', 'GOLDEN_LEARNED': 'learns'}


class Failed(Exception):
    pass


def output_of(command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=RUN_SECONDS)
    except FileNotFoundError:
        raise Failed(f'{command[0]} is not installed')
    except subprocess.TimeoutExpired:
        raise Failed(f'{command[0]} took more than {RUN_SECONDS} s')
    if done.returncode != 0:
        raise Failed(f'{command[0]} ended with {done.returncode}\n{done.stdout}')
    return done.stdout


def processes():
    """This machine, and user emulation of others. Static, so that no foreign libraries are needed."""
    own = platform.machine()
    for compiler in 'gcc', 'clang':
        for flags in '-O0', '-O2', '-O3', '-Os', '-O3 -march=native':
            yield Platform(f'{own} {compiler} {flags}', [compiler, *flags.split()], lambda program: output_of([program]))
    # Where a library or a vector unit flushes subnormal numbers to zero: none may ever matter.
    flushing = output_of(['gcc', '-print-file-name=crtfastmath.o']).strip()
    yield Platform(f'{own} gcc -O2, flushing', ['gcc', '-O2', flushing], lambda program: output_of([program]))
    foreign = [
        ('arm64', 'qemu-aarch64', 'aarch64-linux-gnu', ['gcc -O0', 'gcc -O2', 'gcc -O3', 'clang -O2']),
        ('armhf', 'qemu-arm', 'arm-linux-gnueabihf', ['gcc -O2', 'gcc -O3 -mfpu=neon', 'clang -O2', 'clang -O3 -mfpu=neon']),
    ]
    for name, emulator, triplet, builds in foreign:
        if own.startswith({'arm64': 'aarch64', 'armhf': 'arm'}[name]):
            continue  # that is this machine
        for build in builds:
            compiler, *flags = build.split()
            command = [f'{triplet}-gcc'] if compiler == 'gcc' else ['clang', f'--target={triplet}']
            yield Platform(f'{name} {build}', [*command, *flags, '-static'],
                           lambda program, emulator=emulator: output_of([emulator, program]))


def boards():
    for core, optimisation in itertools.product(board.CORES.values(), ('-O2', '-Os')):
        yield Platform(f'{core.name} {optimisation}', [board.COMPILER, *board.compile_flags(core, optimisation),
                                                       *board.link_flags(core)],
                       lambda program, core=core: output_of(board.command(core, program)),
                       {macro: bound for macro, bound in [('GOLDEN_MEMORY', core.memory), ('GOLDEN_LEARNED', core.learned)]
                        if bound})


def build_and_run(target, folder):
    program = os.path.join(folder, re.sub(r'\W+', '_', target.name))
    door = BOARD_START if target.compiler[0] == board.COMPILER else HOST_DOOR
    bounds = [f'-D{macro}={bound}' for macro, bound in target.bounds.items()]
    output_of([*target.compiler, *board.ENGINE_FLAGS, *bounds, *INCLUDE, '-o', program, *PROGRAM, door,
               *sorted(glob.glob(os.path.join(ROOT, 'engine/src/*.c'))), '-lm'])
    return target.run(program)


def expected(bounds):
    """Lines of expected.txt without the cases that are beyond the bounds, and how many those are."""
    with open(EXPECTED) as file:
        lines = file.read().splitlines()
    left_out = set()
    for macro, bound in bounds.items():
        figures = [re.fullmatch(rf'(.*): {BOUNDS[macro]} (\d+)', line) for line in lines]
        left_out |= {figure[1] for figure in figures if figure and int(figure[2]) > bound}
    return [line for line in lines if line.split(':')[0] not in left_out], len(left_out)


def compare(printed, bounds):
    """What was the same, in words."""
    ours, left_out = expected(bounds)
    for wanted, got in itertools.zip_longest(ours, printed.splitlines(), fillvalue='(no line)'):
        if wanted != got:
            raise Failed(f'expected: {wanted}\n     got: {got}')
    return f'{len(ours)} lines are the same' + (f'; cases that are too large or too long: {left_out}' if left_out else '')


def check(target, folder):
    started = time.monotonic()
    try:
        same = compare(build_and_run(target, folder), target.bounds)
    except Failed as failed:
        return False, f'{target.name} FAILED\n{failed}'
    return True, f'{target.name:32} {time.monotonic() - started:5.1f} s  {same}'


def check_all(targets):
    good = 0
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        for fine, text in workers.map(lambda target: check(target, folder), targets):
            print(text, flush=True)
            good += fine
    print(f'{good} of {len(targets)} platforms give the same bits')
    return good == len(targets) > 0


def update(target):
    with tempfile.TemporaryDirectory() as folder:
        printed = build_and_run(target, folder)
    with open(EXPECTED, 'w') as file:
        file.write(printed)
    print(f'{EXPECTED}: {len(printed.splitlines())} lines by {target.name}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--only', default='', metavar='TEXT')
    parser.add_argument('--update', action='store_true')
    parser.add_argument('--compare', metavar='FILE')
    options = parser.parse_args()
    try:
        targets = [target for target in [*processes(), *boards()] if options.only in target.name]
        if options.update:
            update(next(target for target in targets if target.name.endswith('gcc -O2')))
        elif options.compare:
            print(compare(output_of([options.compare]), {}))
        else:
            sys.exit(0 if check_all(targets) else 1)
    except Failed as failed:
        sys.exit(str(failed))


if __name__ == '__main__':
    main()
