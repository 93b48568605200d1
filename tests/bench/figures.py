#!/usr/bin/python3
"""One command for every figure of the engine: quality on recordings and on simulated machines, in three profiles and both
protocols; false alarms of stationary machines; instructions, microseconds, bytes. Prints Markdown.

usage: figures.py BUILD [--shared DIR] [--machines N] [--seed N] [--part NAME ...]

BUILD is a release build. Recordings and their scorer are no part of this repository: they are expected in --shared (default:
the folder `shared` beside the repository), and what needs them is said to be missing where they are not. What is random uses
the final seeds of its programs, which no constant was chosen by, unless --seed is given."""
import argparse
import collections
import csv
import json
import os
import re
import stat
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROFILES = 'small', 'default', 'large'
LEARNED = 20, 60, 200
PROTOCOLS = 'first', 'spread'


def run(*command, check=True):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    if check and done.returncode != 0:
        sys.exit(f'{command[0]}: exit {done.returncode}')
    return done.stdout


def row(*cells):
    print('| ' + ' | '.join(str(cell) for cell in cells) + ' |')


def head(*cells):
    row(*cells)
    row(*['---'] * len(cells))


def figures(*values):
    return ' / '.join(f'{value:.3f}' for value in values)


# ------------------------------------------------------------------------------------------------------------- recordings

def score(options, profile, *more):
    """Rows of the scorer, with a habit command that chooses the profile."""
    with tempfile.TemporaryDirectory() as folder:
        habit, answer = os.path.join(folder, 'habit'), os.path.join(folder, 'scores.json')
        with open(habit, 'w') as file:
            file.write(f'#!/bin/sh\ncommand=$1; shift\nexec "{options.build}/cli/habit" "$command" --profile {profile} "$@"\n')
        os.chmod(habit, os.stat(habit).st_mode | stat.S_IXUSR)
        run(sys.executable, os.path.join(options.shared, 'bench/score.py'), '--habit', habit, '--sets',
            os.path.join(options.shared, 'data'), '--json', answer, *more)
        with open(answer) as file:
            return json.load(file)


def recordings(options):
    print('\n## Recordings\n')
    if not os.path.exists(os.path.join(options.shared, 'bench/score.py')):
        print(f'Not measured: no recordings in {options.shared}.')
        return
    scores = {profile: score(options, profile) for profile in PROFILES}
    for protocol in PROTOCOLS:
        print(f'Protocol `{protocol}`, default profile: AUC / balanced accuracy / false alarms / detection.\n')
        head('set', *(f'{count} learned' for count in LEARNED))
        of = collections.defaultdict(list)
        for score_row in scores['default']:
            if score_row['protocol'] == protocol:
                of[score_row['set']].append(figures(*(score_row[key] for key in ('auc', 'ba', 'fa', 'dr'))))
        for name in sorted(of, key=lambda name: (name == 'MEAN', name)):
            row(f'**{name.lower()}**' if name == 'MEAN' else name, *of[name])
        print()
    print('Means by profile: AUC / balanced accuracy.\n')
    head('profile', *(f'{protocol} {count}' for protocol in PROTOCOLS for count in LEARNED))
    for profile in PROFILES:
        means = [score_row for score_row in scores[profile] if score_row['set'] == 'MEAN']
        row(profile, *(figures(mean['auc'], mean['ba']) for mean in means))
    seeds = 1, 2, 3
    poisoned = [score(options, 'default', '--protocol', 'first', '--learn', *LEARNED, '--poison', '0.05', '--seed', seed)
                for seed in seeds]
    means = [[poisoned_row['ba'] for poisoned_row in rows if poisoned_row['set'] == 'MEAN'] for rows in poisoned]
    print('\n5 % of the learned buffers abnormal, protocol `first`, mean of three seeds: balanced accuracy at 20 / 60 / 200 '
          f'{figures(*(sum(column) / len(seeds) for column in zip(*means)))}.')


# -------------------------------------------------------------------------------------------------------- simulated machines

def bed(options):
    print('\n## Simulated machines\n')
    command = [os.path.join(options.build, 'tests/bed/bed-quality'), '--machines', options.machines, '--csv']
    if options.seed is not None:
        command += ['--seed', options.seed]
    tables = {}
    for profile in PROFILES:
        sums = collections.defaultdict(lambda: [0, 0.0, 0.0, 0.0, 0.0])
        for line in csv.DictReader(run(*command, '--profile', profile).splitlines()):
            total = sums[line['kind'], line['detector'], int(line['learned'])]
            total[0] += 1
            for at, key in enumerate(('auc', 'balanced', 'false_alarms', 'detection'), 1):
                total[at] += float(line[key])
        tables[profile] = {key: [value / total[0] for value in total[1:]] for key, total in sums.items()}
    default = tables['default']
    kinds = list(dict.fromkeys(kind for kind, _, _ in default))
    detectors = list(dict.fromkeys(detector for _, detector, _ in default))

    def mean(table, detector, count):
        rows = [table[kind, detector, count] for kind in kinds]
        return [sum(column) / len(rows) for column in zip(*rows)]

    print(f'{options.machines} machines a kind; faults are graded until the Ledoit-Wolf detector reaches a balanced accuracy of '
          '0.60 to 0.85 with 60 learned. AUC / balanced accuracy.\n')
    head('kind', *(f'{detector} {count}' for count in LEARNED for detector in detectors))
    for kind in kinds:
        row(kind, *(figures(*default[kind, detector, count][:2]) for count in LEARNED for detector in detectors))
    row('**mean**', *(figures(*mean(default, detector, count)[:2]) for count in LEARNED for detector in detectors))
    print('\nMeans by profile: AUC / balanced accuracy / false alarms / detection of habit.\n')
    head('profile', *(f'{count} learned' for count in LEARNED))
    for profile in PROFILES:
        row(profile, *(figures(*mean(tables[profile], 'habit', count)) for count in LEARNED))


# ----------------------------------------------------------------------------------------------------------------- promises

def promises(options):
    print('\n## Promises\n')
    print('What each of these says of itself; `!` marks a figure that misses its bound.\n\n```')
    for name, more in (('calibration', []), ('window', ['--only', 'quiet']), ('window', ['--only', 'gain']),
                       ('states', ['--only', 'accept']), ('explanation', [])):
        command = [os.path.join(options.build, f'tests/promises/promise-{name}'), *more]
        if options.seed is not None:
            command += ['--seed', options.seed]
        if options.few:
            command += ['--quick']
        print(f'$ promise-{name} {" ".join(more)}'.rstrip())
        print(run(*command, check=False).strip() + '\n')
    print('```')


# --------------------------------------------------------------------------------------------------------- size and speed

def size(options):
    print('\n## Size and speed\n')
    print('On a Cortex-M: [firmware/FOOTPRINT.md](../firmware/FOOTPRINT.md). On the machine that made this page:\n\n```')
    print(run(os.path.join(options.build, 'tests/bench/bench-engine')).rstrip())
    print('```')


PARTS = {'recordings': recordings, 'bed': bed, 'promises': promises, 'size': size}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('build', type=os.path.abspath)
    parser.add_argument('--shared', default=os.path.join(ROOT, '..', 'shared'))
    parser.add_argument('--machines', type=int, default=200, help='simulated machines of a kind')
    parser.add_argument('--seed', type=int, help='of what is random; default: the final ones')
    parser.add_argument('--few', action='store_true', help='few machines in the promises')
    parser.add_argument('--part', nargs='+', choices=PARTS, default=PARTS)
    options = parser.parse_args()
    commit = re.sub(r'\s', '', run('git', '-C', ROOT, 'describe', '--always', '--dirty', check=False)) or 'unknown'
    print(f'# Figures of the engine\n\nWritten by `./dev figures`, of commit {commit}. What the figures mean is in '
          '[measuring.md](measuring.md).')
    for part in options.part:
        PARTS[part](options)
        sys.stdout.flush()


if __name__ == '__main__':
    main()
