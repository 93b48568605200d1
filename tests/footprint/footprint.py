#!/usr/bin/python3
"""What the engine costs on a Cortex-M at 3 x 256 in the default profile: bytes of flash, RAM and stack, and executed
instructions. Programs are built from the engine's sources and run in QEMU; a plugin counts, so figures are exact and the
same in every run. Instructions are no cycles: they are for comparing.

A column is a core and a level of optimisation; all figures of a column come from the same object files."""
import argparse
import bisect
import functools
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

USUAL = ['m4f -Os', 'm4f -O2']
ALL = [*USUAL, 'm0plus -Os', 'm3 -Os', 'm7-sp -Os', 'm33 -Os', 'm55 -Os', 'm55-mve -O2']

# What issue 3 allows, for the first column.
BARS = {
    'knowledge': 4096,
    'RAM in all': 8192,
    'code and constants': 8192,
    'detect': 90000,
    'detect something strange': 90000,
    'detect after a learn': 125000,
    'learn': 150000,
}

# Counted, but no part of the call.
HARNESS = ('mark', 'count', 'main', 'count_all')


def call(*command, folder=None):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          cwd=folder)
    if done.returncode != 0:
        sys.exit(f'failed: {" ".join(command)}\n{done.stdout}')
    return done.stdout


def interface(source):
    """Names of all functions that the header declares."""
    with open(os.path.join(source, 'engine/include/habit/engine.h')) as header:
        text = re.sub(r'/\*.*?\*/', '', header.read(), flags=re.S)
    return re.findall(r'^[a-z].*?\b(habit_\w+)\(', text, re.M)


class Build:
    """The engine's objects and three programs: `calls` is run; `least` and `whole` are there for their size."""

    def __init__(self, column, source, folder):
        core, optimisation = column.split(' ', 1)
        self.core, self.folder = board.CORES[core], folder
        self.flags = [*board.compile_flags(self.core, optimisation), '-I', os.path.join(source, 'engine/include')]
        engine = self.compile('engine', glob.glob(os.path.join(source, 'engine/src/*.c')), '-fcallgraph-info=su')
        door = self.compile('door', [os.path.join(TESTS, 'board/startup.c'), os.path.join(TESTS, 'golden/signal.c')])
        calls, least = self.compile('program', [os.path.join(HERE, 'calls.c'), os.path.join(HERE, 'least.c')])
        self.link('calls', calls, *door, *engine)
        self.link('least', least, *door, *engine)
        self.link('whole', least, *door, *engine, *('-Wl,-u,' + name for name in interface(source)))

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def compile(self, name, sources, *flags):
        os.mkdir(self.path(name))
        call(board.COMPILER, *self.flags, *flags, '-c', *sorted(sources), folder=self.path(name))
        return sorted(glob.glob(self.path(name, '*.o')))

    def link(self, name, *parts):
        call(board.COMPILER, *board.link_flags(self.core), '-Wl,-Map=' + self.path(name + '.map'),
             '-o', self.path(name + '.elf'), *parts, '-lm')


def functions(program):
    """(address, name) by address, and the end of the code."""
    found = re.findall(r'^([0-9a-f]+) ([0-9a-f]+) [tTW] (\S+)$', call('arm-none-eabi-nm', '-S', '-n', program), re.M)
    table = [(int(address, 16) & ~1, name) for address, _, name in found]
    return table, max(int(address, 16) + int(size, 16) for address, size, _ in found)


def read_count(path, names, table):
    """[(call, {function: instructions})] of the sections between marks, in their order."""
    starts, profiles = [address for address, _ in table], [(name, {}) for name in names]
    with open(path) as lines:
        for section, address, times in (map(int, line.split()) for line in lines):
            function = table[bisect.bisect_right(starts, address) - 1][1]
            if section % 2 == 1 and function not in HARNESS:
                profile = profiles[section // 2][1]
                profile[function] = profile.get(function, 0) + times
    return profiles


def run(build, plugin):
    """Profiles of all calls in their order, and the program's own figures."""
    program, out, origin = build.path('calls.elf'), build.path('count.txt'), build.core.flash.origin
    table, end = functions(program)
    mark = next(address for address, name in table if name == 'mark')
    text = call(*board.command(build.core, program, '-plugin',
                               f'file={plugin},out={out},mark={mark:#x},code={origin:#x},size={end - origin:#x}'))
    figures = {name: int(value) for name, value in re.findall(r'^= (.*) (\d+)$', text, re.M)}
    names = [line for line in text.splitlines() if not line.startswith('=')]
    return read_count(out, names, table), figures


def sections(build, program):
    """(bytes, section, object) of what was linked, from the linker's map; only the engine's objects have a name."""
    with open(build.path(program + '.map')) as file:
        text = file.read()
    text = text[text.index('Linker script and memory map'):]
    for section, size, path in re.findall(r'^ (\.(?:text|rodata)\S*)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)$', text, re.M):
        owner = os.path.basename(path) if os.path.dirname(path) == build.path('engine') else None
        if owner or not path.startswith(build.folder):
            yield int(size, 16), section, owner


def kind_of(section, owner):
    if not owner:
        return 'C library'
    if section.startswith('.text'):
        return 'code'
    return 'texts' if '.str1' in section else 'tables'


def flash(build, program):
    sums = {'code': 0, 'tables': 0, 'texts': 0, 'C library': 0}
    for size, section, owner in sections(build, program):
        sums[kind_of(section, owner)] += size
    return sums


class CallGraph:
    """Stack of the compiled functions and who calls whom, as the compiler says. The C library's own stack is not in it."""

    def __init__(self, build):
        self.frame, self.callees = {}, {}
        for path in glob.glob(build.path('engine', '*.ci')):
            with open(path) as file:
                text = file.read()
            for name, size in re.findall(r'^node: { title: "([^"]+)" label: "[^"]*\\n(\d+) bytes', text, re.M):
                self.frame[name] = int(size)
            for caller, callee in re.findall(r'^edge: { sourcename: "([^"]+)" targetname: "([^"]+)"', text, re.M):
                self.callees.setdefault(caller, set()).add(callee)
        called = set().union(*self.callees.values())
        # What is only ever called through a pointer: static, and nobody calls it by name.
        self.callees['__indirect_call'] = {name for name in self.frame if ':' in name} - called

    @functools.lru_cache(maxsize=None)
    def depth(self, function):
        below = [self.depth(callee) for callee in self.callees.get(function, ())]
        return self.frame.get(function, 0) + max(below, default=0)


def measure(column, source, plugin, folder):
    """The figures of a column, in the order in which they are printed; and for --profile and --symbols what they are of."""
    build = Build(column, source, folder)
    profiles, own = run(build, plugin)
    counts = {}
    for name, profile in profiles:
        counts.setdefault(name, []).append(sum(profile.values()))
    graph, least, whole = CallGraph(build), flash(build, 'least'), flash(build, 'whole')
    stack = {f'stack of {name}, by the call graph': graph.depth('habit_' + name) for name in ('learn', 'detect')}
    deepest = max(own['stack: learn'], own['stack: detect'], *stack.values())
    figures = {
        'knowledge': own['knowledge'], 'cache': own['cache'], 'scratch': own['scratch'], 'engine (struct)': own['engine'],
        'stack of learn, seen': own['stack: learn'], 'stack of detect, seen': own['stack: detect'],
        'stack of seal, seen': own['stack: seal'], 'stack of load, seen': own['stack: load'], **stack,
        'RAM in all': own['knowledge'] + own['cache'] + own['scratch'] + deepest,
        'code and constants': least['code'] + least['tables'] + least['texts'],
        **{'  ' + kind: size for kind, size in least.items()},
        'the whole interface': whole['code'] + whole['tables'] + whole['texts'],
        **{'  ' + kind + ' ': size for kind, size in whole.items()},
        'the longest of the first 60 learns': max(counts['one of the first learns']),
        **{name: counts[name][0] for name in ('learn', 'detect', 'detect something strange', 'detect after a learn', 'init',
                                              'seal', 'check', 'load')},
    }
    return build, figures, dict(profiles)


def print_table(columns):
    width = max(len(name) for name in columns)
    print(f'{"":36}' + ''.join(f'{name:>{width + 2}}' for name in columns) + '      bar')
    for row in next(iter(columns.values())):
        cells = ''.join(f'{figures[row]:{width + 2}}' for figures in columns.values())
        print(f'{row:36}{cells}' + (f'{BARS[row]:9}' if row in BARS else ''))


def print_symbols(column, build):
    """Of the program with the five calls."""
    entries = [(size, owner or 'C library', section) for size, section, owner in sections(build, 'least')]
    print(f'\n{column}: bytes by file')
    for owner in sorted({owner for _, owner, _ in entries}):
        print(f'{sum(size for size, of, _ in entries if of == owner):8} {owner}')
    print(f'{column}: largest')
    for size, owner, section in sorted(entries, reverse=True)[:40]:
        print(f'{size:8} {owner} {section}')


def print_profile(column, name, profile):
    print(f'\n{column}: instructions of {name}')
    for function, times in sorted(profile.items(), key=lambda item: -item[1]):
        print(f'{times:8} {function}')


def missed(figures):
    return [f'{row}: {figures[row]}, may be {bar}' for row, bar in BARS.items() if figures[row] > bar]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--column', action='append', metavar='"CORE LEVEL"',
                        help=f'for example "m4f -Os"; cores: {" ".join(board.CORES)}')
    parser.add_argument('--all', action='store_true', help='a column for every core')
    parser.add_argument('--source', default=ROOT, help='root of the tree whose engine is measured; default: this one')
    parser.add_argument('--profile', nargs='?', const='detect', metavar='CALL', help='instructions by function of one call')
    parser.add_argument('--symbols', action='store_true', help='what takes the flash')
    parser.add_argument('--check', action='store_true', help='fail where the first column misses a bar')
    options = parser.parse_args()
    columns, details = {}, []
    with tempfile.TemporaryDirectory() as folder:
        plugin = os.path.join(folder, 'count.so')
        call('gcc', '-O2', '-shared', '-fPIC', '-o', plugin, os.path.join(HERE, 'count.c'))
        for column in options.column or (ALL if options.all else USUAL):
            build_folder = os.path.join(folder, column.replace(' ', ''))
            os.mkdir(build_folder)
            build, columns[column], profiles = measure(column, options.source, plugin, build_folder)
            details.append((column, build, profiles))
        print_table(columns)
        for column, build, profiles in details:
            if options.symbols:
                print_symbols(column, build)
            if options.profile:
                print_profile(column, options.profile, profiles[options.profile])
    faults = missed(next(iter(columns.values())))
    for fault in faults:
        print(f'missed: {fault}')
    sys.exit(1 if options.check and faults else 0)


if __name__ == '__main__':
    main()
