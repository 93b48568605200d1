#!/usr/bin/python3
"""Builds libhabit-<core>.a for every core that firmware/cross has a file of, each in a meson build folder of its own."""
import argparse
import ast
import configparser
import fcntl
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
CROSS = os.path.join(HERE, 'cross')
DEFAULT_OUTPUT = os.path.join(ROOT, 'build-firmware')


def cores():
    """Names of all cores, small ones first."""
    names = [os.path.splitext(name)[0] for name in os.listdir(CROSS) if name.endswith('.ini')]
    return sorted(names, key=lambda name: (int(re.search(r'\d+', name)[0]), name))


def cross_file(core):
    return os.path.join(CROSS, core + '.ini')


def core_flags(core):
    """What tells the compiler which core it is: processor, FPU, float ABI."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(cross_file(core))
    return ast.literal_eval(parser['constants']['core_args'])


def call(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f'failed: {" ".join(command)}\n{done.stdout}')


def build(core, output, optimisation='s', prefix=None):
    """Compiles what changed; installs it where a prefix is given. Returns the build folder."""
    folder = os.path.join(output, core if optimisation == 's' else f'{core}-O{optimisation}')
    os.makedirs(output, exist_ok=True)
    with open(folder + '.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests that run at the same time use the same folder
        return build_alone(core, folder, optimisation, prefix)


def build_alone(core, folder, optimisation, prefix):
    if not os.path.exists(os.path.join(folder, 'build.ninja')):
        call('meson', 'setup', '--cross-file', cross_file(core), '-Doptimization=' + optimisation, folder, ROOT)
    if prefix:
        call('meson', 'configure', '-Dprefix=' + os.path.abspath(prefix), folder)
    call('ninja', '-C', folder)
    if prefix:
        call('meson', 'install', '-C', folder, '--no-rebuild')
    return folder


def library(core, folder):
    return os.path.join(folder, 'firmware', f'libhabit-{core}.a')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--core', action='append', choices=cores(), help='only this one; may be given several times')
    parser.add_argument('--output', default=DEFAULT_OUTPUT, help='default: %(default)s')
    parser.add_argument('--install', metavar='PREFIX', help='install libraries, headers and package files there')
    options = parser.parse_args()
    for core in options.core or cores():
        print(library(core, build(core, options.output, prefix=options.install)), flush=True)


if __name__ == '__main__':
    main()
