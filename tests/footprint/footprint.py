#!/usr/bin/python3
"""What libhabit costs on a Cortex-M: bytes of flash, RAM and stack, and executed instructions, by core and by geometry.

usage: footprint.py                 the table of all cores
       footprint.py --core m4f      of one or a few; with --level 2, as compiled with -O2
       footprint.py --check         compares with firmware/footprint.json: fails where a figure is 2 % above it
       footprint.py --update        accepts: writes firmware/footprint.json and firmware/FOOTPRINT.md"""
import argparse
import concurrent.futures
import json
import os
import sys
import tempfile

import measure
import tables
from measure import firmware

COMMITTED = os.path.join(firmware.HERE, 'footprint.json')
PAGE = os.path.join(firmware.HERE, 'FOOTPRINT.md')
MORE = 0.02  # of a committed figure: a regression
OTHER_COMPILER = 77  # meson's code for a test that was skipped


class Measured:
    """Of some cores: figures[core][subject][row], where a subject is a geometry or one of measure.sizes."""

    def __init__(self, cores, geometries, options, folder):
        self.plugin = measure.plugin(folder)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
            built = workers.map(lambda core: measure.Build(core, options.level, options.output, os.path.join(folder, core)),
                                cores)
            self.builds = dict(zip(cores, built))
            sizes = workers.map(lambda core: measure.sizes(self.builds[core]), cores)
            self.figures = dict(zip(cores, sizes))
            tasks = [(core, geometry) for geometry in reversed(geometries) for core in cores]  # the longest first
            results = workers.map(lambda task: measure.costs(self.builds[task[0]], self.plugin, task[1]), tasks)
            self.results = dict(zip(tasks, results))
        for core in cores:
            for geometry in geometries:
                self.figures[core][measure.geometry_name(geometry)] = self.results[core, geometry][0]


def differences(figures, committed):
    """(what got worse beyond what is allowed, how many figures got smaller)."""
    worse, smaller = [], 0
    for core, subjects in figures.items():
        for subject, rows in subjects.items():
            for row, value in rows.items():
                was = committed.get(core, {}).get(subject, {}).get(row)
                if was is None:
                    worse.append(f'{core}, {subject}, {row}: {value}, never accepted')
                elif value > was * (1 + MORE):
                    worse.append(f'{core}, {subject}, {row}: {value}, was {was}: {100 * (value / was - 1):.1f} % more')
                smaller += value < was if was is not None else 0
    return worse, smaller


def check(figures):
    """Exit code of the comparison with what was accepted."""
    with open(COMMITTED) as file:
        accepted = json.load(file)
    with open(PAGE) as file:
        if file.read() != tables.page(accepted['figures'], accepted['compiler']):
            print(f'{PAGE} does not show the figures of {COMMITTED}: ./dev firmware --update')
            return 1
    if accepted['compiler'] != measure.compiler():
        print(f'not compared: accepted figures are of {accepted["compiler"]}, this is {measure.compiler()}')
        return OTHER_COMPILER
    worse, smaller = differences(figures, accepted['figures'])
    for line in worse:
        print(f'worse: {line}')
    print(f'{len(worse)} figures are worse by more than {100 * MORE:.0f} %, {smaller} are smaller than accepted'
          + ('; if that is meant: ./dev firmware --update' if worse else ''))
    return 1 if worse else 0


def as_json(figures):
    """One line a core and subject, so that a difference can be read."""
    cores = ',\n'.join(f'{json.dumps(core)}: {{\n'
                       + ',\n'.join(f' {json.dumps(subject)}: {json.dumps(rows)}' for subject, rows in subjects.items()) + '}'
                       for core, subjects in figures.items())
    return f'{{"compiler": {json.dumps(measure.compiler())},\n"figures": {{\n{cores}}}}}\n'


def update(figures):
    with open(COMMITTED, 'w') as file:
        file.write(as_json(figures))
    with open(PAGE, 'w') as file:
        file.write(tables.page(figures, measure.compiler()))
    print(f'{COMMITTED} and {PAGE} are written')


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--core', action='append', choices=firmware.cores(), help='only this one; may be given several times')
    parser.add_argument('--geometry', choices=[measure.geometry_name(geometry) for geometry in measure.GEOMETRIES],
                        help='only this one')
    parser.add_argument('--level', default='s', choices=['s', '2', '3'], help='of optimisation; default and shipped: s')
    parser.add_argument('--output', default=firmware.DEFAULT_OUTPUT, help='where libraries are built; default: %(default)s')
    parser.add_argument('--install', metavar='PREFIX', help='install libraries, headers and package files there, no table')
    parser.add_argument('--check', action='store_true', help='compare with the accepted figures')
    parser.add_argument('--update', action='store_true', help='accept the figures')
    parser.add_argument('--profile', nargs='?', const='detect', metavar='CALL', choices=measure.CALLS,
                        help='instructions by function of one call, at 3x256 or --geometry')
    parser.add_argument('--symbols', action='store_true', help='what takes the flash')
    options = parser.parse_args()
    if options.update and (options.core or options.geometry or options.level != 's'):
        parser.error('--update accepts the whole table: leave --core, --geometry and --level away')
    if options.check and options.level != 's':
        parser.error('accepted figures are of level s')
    return options


def main():
    options = parse()
    cores = options.core or firmware.cores()
    if options.install:
        for core in cores:
            firmware.build(core, options.output, options.level, options.install)
        print(f'{", ".join(cores)}: installed in {options.install}')
        return 0
    geometries = [geometry for geometry in measure.GEOMETRIES
                  if options.geometry in (None, measure.geometry_name(geometry))]
    with tempfile.TemporaryDirectory() as folder:
        measured = Measured(cores, geometries, options, folder)
        if options.check:
            return check(measured.figures)
        print(tables.text(measured.figures))
        for core in cores:
            if options.symbols:
                print(tables.symbols(core, measure.sections(measured.builds[core], 'five')))
            if options.profile:
                geometry = (3, 256) if (3, 256) in geometries else geometries[0]
                print(tables.profile(core, options.profile, measured.results[core, geometry][1][options.profile]))
    if options.update:
        update(measured.figures)
    return 0


if __name__ == '__main__':
    sys.exit(main())
