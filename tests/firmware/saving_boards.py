#!/usr/bin/python3
"""Saving on emulated boards: builds board_saving.c against libhabit for some cores, runs it; and compiles every port for
every core, the way a project would."""
import argparse
import concurrent.futures
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
ROOT = os.path.dirname(TESTS)
PORTS = os.path.join(ROOT, 'firmware', 'saving', 'ports')
sys.path[:0] = [os.path.join(TESTS, 'board'), os.path.join(ROOT, 'firmware')]
import board  # noqa: E402
import libraries  # noqa: E402

CORES = ['m0-microbit', 'm0plus', 'm3', 'm4f', 'm33']
COMPILED = ['template/flash.c', 'emulated/emulated.c', 'stm32l4/flash.c', 'nrf52/flash.c', 'nrf52/softdevice.c',
            'zephyr/flash.c']
WARNINGS = ['-Wall', '-Wextra', '-Werror', '-Wconversion', '-Wshadow', '-Wundef', '-Wdouble-promotion', '-Wcast-align']
INCLUDE = [f'-I{os.path.join(ROOT, folder)}' for folder in
           ('engine/include', 'firmware/include', 'firmware/saving/ports/emulated', 'tests/firmware/zephyr')]
RUN_SECONDS = 150


def call(*command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=RUN_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return 1, f'{command[0]} took more than {RUN_SECONDS} s'
    return done.returncode, done.stdout


def check_board(folder, name, output):
    """What the program said, and whether all was well."""
    core, program = board.CORES[name], os.path.join(folder, name + '.elf')
    library_name = 'm0plus' if name == 'm0-microbit' else name
    library = libraries.library(library_name, libraries.build(library_name, output))
    sources = [os.path.join(HERE, 'board_saving.c'), os.path.join(HERE, 'cuts.c'), os.path.join(TESTS, 'board/startup.c'),
               os.path.join(PORTS, 'emulated/emulated.c'), os.path.join(PORTS, 'nrf52/flash.c')]
    status, text = call(board.COMPILER, *board.compile_flags(core, '-Os'), *WARNINGS, *INCLUDE,
                        '-DCUTS_FLASH=1536', '-DCUTS_BLOCK=512', f'-DSAVING_NRF={int(core.machine == "microbit")}',
                        '-o', program, *sources, library, *board.link_flags(core), '-lm')
    if status == 0:
        status, text = call(*board.command(core, program))
    return status == 0 and 'saving: good' in text, f'{name}: {text}'


def check_ports(folder, name):
    core = board.CORES[name]
    for port in COMPILED:
        status, text = call(board.COMPILER, *board.compile_flags(core, '-Os'), *WARNINGS, *INCLUDE, '-c',
                            '-o', os.path.join(folder, name + '.o'), os.path.join(PORTS, port))
        if status != 0:
            return False, f'{name}: {port}\n{text}'
    return True, f'{name}: {len(COMPILED)} ports compile\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--output', default=f"{os.environ.get('HABIT_BUILD', os.path.join(ROOT, 'build'))}-firmware")
    options = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        checks = [workers.submit(check_ports, folder, name) for name in board.CORES]
        for name in dict.fromkeys('m0plus' if name == 'm0-microbit' else name for name in CORES):
            libraries.build(name, options.output)
        checks += [workers.submit(check_board, folder, name, options.output) for name in CORES]
        for check in checks:
            fine, text = check.result()
            print(text, end='', flush=True)
            good &= fine
    print('saving on boards: ' + ('good' if good else 'WRONG'))
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
