"""Builds programs against libhabit-<core>.a, runs them in QEMU and reads what they cost. A plugin counts executed
instructions, so figures are exact and the same in every run; instructions are no cycles: they are for comparing."""
import bisect
import functools
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
ROOT = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, 'board'))
import board  # noqa: E402
from board import firmware  # noqa: E402

GEOMETRIES = [(1, 256), (3, 128), (3, 256), (3, 512), (3, 1024)]
CALLS = ['init', 'learn', 'detect', 'detect after a learn', 'detect something strange', 'seal', 'check', 'load']
LONGEST = 'the longest of the first 60 learns'
STACK = ['learn', 'detect', 'load']
ANY_OTHER = 'any other'
MEMORY = ['knowledge', 'cache', 'scratch']
FLASH = ['code', 'constants', 'C library']

# Counted, but no part of the call.
HARNESS = ('mark', 'count', 'main', 'count_all')


def call(*command, folder=None):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          cwd=folder)
    if done.returncode != 0:
        sys.exit(f'failed: {" ".join(command)}\n{done.stdout}')
    return done.stdout


def compiler():
    return call(board.COMPILER, '--version').splitlines()[0]


def geometry_name(geometry):
    return f'{geometry[0]}x{geometry[1]}'


ENGINE_HEADER, SAVING_HEADER = 'engine/include/habit/engine.h', 'firmware/include/habit/save.h'


def interface(header):
    """Names of all functions that a header declares."""
    with open(os.path.join(ROOT, header)) as file:
        text = re.sub(r'/\*.*?\*/', '', file.read(), flags=re.S)
    return re.findall(r'^[a-z].*?\b(habit_\w+)\(', text, re.M)


class Build:
    """The library of a core, and programs in a folder of their own that use it."""

    def __init__(self, core, level, output, folder):
        self.core, self.folder = board.CORES[core], folder
        self.engine = firmware.build(core, output, level)
        self.library = firmware.library(core, self.engine)
        self.flags = [*board.compile_flags(self.core, '-O' + level), '-I', os.path.join(ROOT, 'engine/include')]
        os.makedirs(folder)
        self.door = self.compile('door', [os.path.join(TESTS, 'board/startup.c'), os.path.join(TESTS, 'golden/signal.c')])

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def compile(self, name, sources, *flags):
        os.mkdir(self.path(name))
        call(board.COMPILER, *self.flags, *flags, '-c', *sorted(sources), folder=self.path(name))
        return sorted(glob.glob(self.path(name, '*.o')))

    def link(self, name, *parts):
        call(board.COMPILER, *board.link_flags(self.core), '-Wl,-Map=' + self.path(name + '.map'),
             '-o', self.path(name + '.elf'), *parts, *self.door, self.library, '-lm')

    def symbols(self, header):
        """Symbols of the library that are functions of a public header."""
        defined = re.findall(r'^[0-9a-f]+ T (\w+)$', call('arm-none-eabi-nm', self.library), re.M)
        names = interface(header)
        found = [symbol for symbol in defined if symbol.split('_for_')[0] in names]
        if len(found) != len(names):
            sys.exit(f'{self.library} has {len(found)} of the {len(names)} functions of {header}')
        return found


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


def run(build, plugin, geometry):
    """Profiles of all calls in their order, and the program's own figures."""
    name = geometry_name(geometry)
    build.link(name, *build.compile(name, [os.path.join(HERE, 'calls.c')], f'-DAXES={geometry[0]}', f'-DSAMPLES={geometry[1]}'))
    program, out, origin = build.path(name + '.elf'), build.path(name + '.count'), build.core.flash.origin
    table, end = functions(program)
    mark = next(address for address, name in table if name == 'mark')
    text = call(*board.command(build.core, program, '-plugin',
                               f'file={plugin},out={out},mark={mark:#x},code={origin:#x},size={end - origin:#x}'))
    figures = {name: int(value) for name, value in re.findall(r'^= (.*) (\d+)$', text, re.M)}
    names = [line for line in text.splitlines() if not line.startswith('=')]
    return read_count(out, names, table), figures


def sections(build, program):
    """(bytes, section, object) of what was linked, from the linker's map; only the library's objects have a name."""
    with open(build.path(program + '.map')) as file:
        text = file.read()
    text = text[text.index('Linker script and memory map'):]
    for section, size, path in re.findall(r'^ (\.(?:text|rodata)\S*)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)$', text, re.M):
        owner = path[len(build.library):].strip('()') if path.startswith(build.library) else None
        if owner or not path.startswith(build.folder):
            yield int(size, 16), section, owner


def kind_of(section, owner):
    if not owner:
        return 'C library'
    return 'code' if section.startswith('.text') else 'constants'


def flash(build, program):
    sums = dict.fromkeys(FLASH, 0)
    for size, section, owner in sections(build, program):
        sums[kind_of(section, owner)] += size
    return sums


class CallGraph:
    """Stack of the engine's functions and who calls whom, as the compiler says. The C library's own stack is not in it."""

    def __init__(self, build):
        self.frame, self.callees, self.open = {}, {}, set()
        for path in glob.glob(os.path.join(build.engine, 'engine', '**', '*.ci'), recursive=True):
            with open(path) as file:
                text = file.read()
            for name, size in re.findall(r'^node: { title: "([^"]+)" label: "[^"]*\\n(\d+) bytes', text, re.M):
                self.frame[name] = int(size)
            for caller, callee in re.findall(r'^edge: { sourcename: "([^"]+)" targetname: "([^"]+)"', text, re.M):
                self.callees.setdefault(caller, set()).add(callee)
        called = set().union(*self.callees.values())
        # What is only ever called through a pointer: static, and nobody calls it by name.
        self.callees['__indirect_call'] = {name for name in self.frame if ':' in name} - called

    def calls(self, header):
        """Functions of a public header, as the compiler calls them: those with a name for the linker have a star before it."""
        found = {name.lstrip('*').split('_for_')[0]: name for name in self.frame}
        return [found[name] for name in sorted(interface(header))]

    @functools.lru_cache(maxsize=None)
    def depth(self, function):
        if function not in self.frame and function.startswith('habit_'):
            sys.exit(f'the compiler says nothing of the stack of {function}')
        if function in self.open:
            sys.exit(f'{function} calls itself: there is no bound of the stack')
        self.open.add(function)
        below = [self.depth(callee) for callee in self.callees.get(function, ())]
        self.open.remove(function)
        return self.frame.get(function, 0) + max(below, default=0)


def sizes(build):
    """Flash of a program with the five calls and of one with all, and the stack of the deepest calls by the call graph."""
    least = build.compile('least', [os.path.join(HERE, 'least.c')])
    build.link('five', *least)
    build.link('all', *least, *('-Wl,-u,' + symbol for symbol in build.symbols(ENGINE_HEADER)))
    build.link('saving', *least, *('-Wl,-u,' + symbol for symbol in build.symbols(SAVING_HEADER)))
    graph = CallGraph(build)
    deepest = {name: graph.depth('habit_' + name) for name in STACK}
    others = [graph.depth(name) for name in graph.calls(ENGINE_HEADER) if name[len('habit_'):] not in STACK]
    return {'five calls': flash(build, 'five'), 'whole interface': flash(build, 'all'),
            'five calls and saving': flash(build, 'saving'),
            'call graph': {**deepest, ANY_OTHER: max(others)}}


def costs(build, plugin, geometry):
    """Figures of one geometry, and {call: {function: instructions}}."""
    profiles, own = run(build, plugin, geometry)
    counts = {}
    for name, profile in profiles:
        counts.setdefault(name, []).append(sum(profile.values()))
    figures = {**own, LONGEST: max(counts['one of the first learns']), **{name: counts[name][0] for name in CALLS}}
    return figures, dict(profiles)


def plugin(folder):
    path = os.path.join(folder, 'count.so')
    call('gcc', '-O2', '-shared', '-fPIC', '-o', path, os.path.join(HERE, 'count.c'))
    return path
