"""Figures as Markdown tables: the same ones in the terminal and in firmware/FOOTPRINT.md."""
import measure

# What issue 3 and 4 of the project allow, on a Cortex-M4F at 3x256 in the default profile.
BARS = [('knowledge', 4096), ('RAM in all', 8192), ('code and constants', 8192), ('learn', 150000), ('detect', 90000),
        ('detect something strange', 90000), ('detect after a learn', 125000)]
BARS_OF = ('m4f', '3x256')
STACK_BAR = 1024  # on every core

# Published by the vendor, or by users with the metadata or linker maps of their builds.
CLOSED = [
    ('1 x 50, Cortex-M4, v5.2, 2026', 7048, 7796, 'metadata of a public project; estimates'),
    ('3 x 256, Cortex-M4, v3, 2022', 7580, '1268 knowledge + 3884 scratch', 'linker map of a public project'),
    ('3 x 512, Cortex-M4, v2, 2021', '5081 hard float, 6001 soft float', '5265, of which 100 knowledge',
     'metadata and map of a public project'),
    ('3 x 512, NUCLEO-L432KC (M4)', '6.1 KB', '7.8 KB', "vendor's use case"),
]

PAGE = '''# What libhabit costs

Bytes and instructions of the libraries that `./dev firmware` builds, compiled with -Os by
{compiler}.
`./dev firmware` prints these tables, `./dev firmware --update` writes this page and `footprint.json`, and `./dev test` fails
where a figure is more than 2 % above what is written here. Instructions were counted in QEMU, which executes them but knows
nothing of wait states, caches and pipelines: they are exact and the same in every run, but they are no cycles.

{tables}
'''

FLASH_NOTE = ('Flash, in bytes, whatever the geometry. Five calls: init, learn, detect, seal, load. C library: square root, '
              'memcpy and, without an FPU, floating point; a program that has these already pays them once.')
RAM_NOTE = ('RAM, in bytes, the same on every core: knowledge + cache + scratch. Knowledge is what the section .neai holds. Not '
            "in it: struct habit_engine (60), the stack, and the caller's buffer. Engines that are never called at the same time "
            'share a scratch.')
CALLS_NOTE = ('Stack, in bytes, and instructions, in the default profile. Stack is the high-water mark that was seen, of the '
              'deepest of all learns, detects and of loading; *longest learn* is the longest of the first 60, which '
              'starts or splits the models; *after a learn* is the first detect after one.')
GRAPH_NOTE = ("Stack at most, in bytes, by the compiler's call graph, without the C library's own few words. *Any other* call of "
              'engine.h: the deepest is `habit_accept` while it is learning still.')
CLOSED_NOTE = ('The closed library that habit is compatible with, by its published sizes, in bytes. It is compiled for one '
               'geometry and one model that a search on recordings has chosen.')


def table(header, rows):
    lines = ['| ' + ' | '.join(header) + ' |', '| --- |' + ' ---: |' * (len(header) - 1)]
    return '\n'.join(lines + ['| ' + ' | '.join(map(str, row)) + ' |' for row in rows])


def flash(figures):
    rows = []
    for core, subjects in figures.items():
        five, saving, whole = (subjects[name] for name in ('five calls', 'five calls and saving', 'whole interface'))
        rows.append([core, *five.values(), sum(five.values()), sum(saving.values()), sum(whole.values())])
    return table(['core', *measure.FLASH, 'five calls', 'and saving', 'all of engine.h'], rows)


def geometries(figures):
    return [name for name in map(measure.geometry_name, measure.GEOMETRIES) if name in next(iter(figures.values()))]


def ram(figures):
    subjects, rows = next(iter(figures.values())), []
    for name in geometries(figures):
        parts = [[subjects[name][profile + row] for row in measure.MEMORY] for profile in ('small ', '', 'large ')]
        rows.append([name, *(f'{" + ".join(map(str, part))} = {sum(part)}' for part in parts)])
    return table(['geometry', 'small', 'default', 'large'], rows)


def calls(figures):
    header = ['core', 'geometry', 'stack: learn', 'detect', 'load', 'init', 'learn', 'longest learn', 'detect', 'after a learn',
              'strange']
    rows = []
    for name in geometries(figures):
        for core, subjects in figures.items():
            own = subjects[name]
            rows.append([core, name, *(own['stack: ' + call] for call in measure.STACK), own['init'], own['learn'],
                         own[measure.LONGEST], own['detect'], own['detect after a learn'], own['detect something strange']])
    return table(header, rows)


def call_graph(figures):
    return table(['core', *measure.STACK, measure.ANY_OTHER], [[core, *subjects['call graph'].values()] for core, subjects in figures.items()])


def deepest(subjects, geometry):
    return max(*subjects['call graph'].values(), *(subjects[geometry]['stack: ' + call] for call in measure.STACK))


def bars(figures):
    core, geometry = BARS_OF
    subjects = figures.get(core, {})
    if geometry not in subjects:
        return None
    own, five = subjects[geometry], subjects['five calls']
    values = {**own, 'RAM in all': sum(own[row] for row in measure.MEMORY) + deepest(subjects, geometry),
              'code and constants': five['code'] + five['constants']}
    rows = [(name, values[name], bar) for name, bar in BARS]
    rows += [(f'stack, {name}', deepest(of, geometry), STACK_BAR) for name, of in figures.items()]
    rows = [[name, value, bar, 'missed' if value > bar else ''] for name, value, bar in rows]
    return (f'What the project allows itself, on {core} at {geometry}, five calls, default profile.\n\n'
            + table(['', 'is', 'may be', ''], rows))


def text(figures):
    parts = [f'{note}\n\n{of(figures)}' for note, of in
             ((FLASH_NOTE, flash), (RAM_NOTE, ram), (CALLS_NOTE, calls), (GRAPH_NOTE, call_graph))]
    closed = CLOSED_NOTE + '\n\n' + table(['library', 'flash', 'RAM', 'source'], CLOSED)
    return '\n\n'.join(filter(None, [*parts, bars(figures), closed]))


def page(figures, compiler):
    return PAGE.format(compiler=compiler, tables=text(figures))


def symbols(core, sections):
    """Of the program with the five calls."""
    entries = [(size, owner or 'C library', section) for size, section, owner in sections]
    owners = sorted({owner for _, owner, _ in entries})
    lines = [f'\n{core}: bytes by file', *(f'{sum(size for size, of, _ in entries if of == owner):8} {owner}' for owner in owners),
             f'{core}: largest', *(f'{size:8} {owner} {section}' for size, owner, section in sorted(entries, reverse=True)[:40])]
    return '\n'.join(lines)


def profile(core, name, functions):
    lines = [f'{times:8} {function}' for function, times in sorted(functions.items(), key=lambda item: -item[1])]
    return '\n'.join([f'\n{core}: instructions of {name}', *lines])
