#!/usr/bin/python3
"""What the engine costs on a Cortex-M: bytes of flash, RAM and stack, and executed instructions, at 3 x 256 in the default
profile. Programs are built from the engine's sources and run in QEMU; a plugin counts instructions, so figures are exact
and the same in every run. Instructions are no cycles: they are for comparing.

usage: footprint.py [--core m4f] [--optimisation=-Os] [--profile [CALL]] [--symbols] [--check]"""
import argparse
import bisect
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
ROOT = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, 'board'))
import board  # noqa: E402


def call(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit('failed: ' + ' '.join(command))
    return done.stdout


def interface(source):
    """Names of all functions that the header declares."""
    with open(os.path.join(source, 'engine/include/habit/engine.h')) as header:
        text = re.sub(r'/\*.*?\*/', '', header.read(), flags=re.S)
    return re.findall(r'^[a-z].*?\b(habit_\w+)\(', text, re.M)


class Build:
    """The engine's objects and the three programs, for one core at one level of optimisation."""

    def __init__(self, core, optimisation, folder, source):
        self.core, self.flags, self.folder = core, board.compile_flags(core, optimisation), folder
        include = ['-I', os.path.join(source, 'engine/include'), '-I', os.path.join(source, 'engine/src')]
        self.include = include
        jobs = [(path, self.path('engine-' + self.stem(path) + '.o'))
                for path in sorted(glob.glob(os.path.join(source, 'engine/src/*.c')))]
        self.engine = [output for _, output in jobs]
        self.board = [self.path('board-startup.o'), self.path('board-signal.o')]
        jobs += [(os.path.join(TESTS, 'board/startup.c'), self.board[0]),
                 (os.path.join(TESTS, 'golden/signal.c'), self.board[1])]
        jobs += [(os.path.join(HERE, name + '.c'), self.path(name + '.o')) for name in ('calls', 'least')]
        self.compile(jobs)
        self.link('calls', 'calls')
        self.link('least', 'least')
        self.link('least', 'whole', *('-Wl,-u,' + name for name in interface(source)))

    def link(self, name, output, *flags):
        call(board.COMPILER, *board.link_flags(self.core), *flags, '-Wl,-Map=' + self.path(output + '.map'),
             '-o', self.path(output + '.elf'), self.path(name + '.o'), *self.board, *self.engine, '-lc', '-lm', '-lgcc')

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def stem(path):
        return os.path.splitext(os.path.basename(path))[0]

    def compile(self, jobs):
        running = []
        for source, output in jobs:
            running.append(subprocess.Popen([board.COMPILER, *self.flags, '-fstack-usage', *self.include, '-c', source, '-o', output]))
            if len(running) >= 2:
                if running.pop(0).wait() != 0:
                    sys.exit('does not compile')
        if any(process.wait() != 0 for process in running):
            sys.exit('does not compile')


def symbols(program):
    """(address, size, type, name), by address; code addresses without the Thumb bit."""
    found = []
    for line in call('arm-none-eabi-nm', '-S', '-n', program).splitlines():
        match = re.fullmatch(r'([0-9a-f]+) ([0-9a-f]+) (\w) (\S+)', line)
        if match and match[3].lower() in 'tr':
            found.append((int(match[1], 16) & ~1 if match[3] in 'tT' else int(match[1], 16), int(match[2], 16), match[3], match[4]))
    return found


def build_plugin(folder):
    plugin = os.path.join(folder, 'count.so')
    call('gcc', '-O2', '-shared', '-fPIC', '-o', plugin, os.path.join(HERE, 'count.c'))
    return plugin


def count(build, plugin):
    """Sections of executed instructions as {name: {symbol: instructions}}, and figures the program printed."""
    program, out = build.path('calls.elf'), build.path('count.txt')
    table = symbols(program)
    mark = next(address for address, _, _, name in table if name == 'mark')
    end = max(address + size for address, size, _, _ in table)
    text = board.run(build.core, program, '-plugin', f'file={plugin},out={out},mark={mark:#x},code={build.core.flash.origin:#x},size={end - build.core.flash.origin:#x}', timeout=300)
    figures = {m[1]: int(m[2]) for m in re.finditer(r'^= (.*) (\d+)$', text, re.M)}
    names = [line for line in text.splitlines() if not line.startswith('=')]
    starts = [address for address, *_ in table]
    calls = {name: {} for name in names}
    with open(out) as lines:
        for line in lines:
            section, address, times = map(int, line.split())
            if section % 2 == 0 or section // 2 >= len(names):
                continue
            name = table[bisect.bisect_right(starts, address) - 1][3]
            if name in ('mark', 'main', 'count'):
                continue
            profile = calls[names[section // 2]]
            profile[name] = profile.get(name, 0) + times
    return calls, figures


def sizes(build, program):
    """Bytes by object and kind (code, constants), from the linker's map."""
    text = open(build.path(program + '.map')).read()
    text = text[text.index('Linker script and memory map'):]
    found = {}
    for m in re.finditer(r'^ \.(text|rodata)(\S*)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)$', text, re.M):
        owner = os.path.basename(m[4])
        kind = 'code' if m[1] == 'text' else 'constants'
        size = int(m[3], 16)
        if size:
            found.setdefault(owner, {}).setdefault(kind, []).append((size, m[2]))
    return found


def report_sizes(build, program, show_symbols):
    engine, library = {'code': 0, 'constants': 0}, 0
    parts = []
    for owner, kinds in sizes(build, program).items():
        for kind, entries in kinds.items():
            total = sum(size for size, _ in entries)
            if owner.startswith('engine-'):
                engine[kind] += total
                parts += [(size, owner[7:-2] + name) for size, name in entries]
            elif not owner.startswith(('board-', program)):
                library += total
    print(f'  flash, {program}: engine {sum(engine.values())} = code {engine["code"]} + constants {engine["constants"]}; C library {library}')
    if show_symbols:
        for size, name in sorted(parts, reverse=True)[:40]:
            print(f'    {size:6} {name}')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--core', default='m4f', choices=board.CORES)
    parser.add_argument('--optimisation', action='append')
    parser.add_argument('--source', default=ROOT, help='root of the tree whose engine is measured')
    parser.add_argument('--profile', nargs='?', const='detect', help='instructions by function of one call')
    parser.add_argument('--symbols', action='store_true')
    options = parser.parse_args()
    for optimisation in options.optimisation or ['-Os', '-O2']:
        with tempfile.TemporaryDirectory() as folder:
            build = Build(board.CORES[options.core], optimisation, folder, options.source)
            calls, figures = count(build, build_plugin(folder))
            print(f'{options.core} {optimisation}')
            for name, value in figures.items():
                print(f'  {name}: {value}')
            for name, profile in calls.items():
                print(f'  {name}: {sum(profile.values())} instructions')
            for program in 'least', 'whole':
                report_sizes(build, program, options.symbols)
            if options.profile:
                profile = calls[options.profile]
                for name, times in sorted(profile.items(), key=lambda item: -item[1]):
                    print(f'    {times:8} {name}')


if __name__ == '__main__':
    main()
