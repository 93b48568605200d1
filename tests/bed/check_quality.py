#!/usr/bin/env python3
"""Runs bed-quality on a few machines of each kind: the same output whatever the number of processes, every fault graded."""
import csv
import io
import subprocess
import sys

MACHINES, SEED = 3, 3
LEARNED = (20, 60, 200)
LOWEST, HIGHEST, TOLERANCE = 0.60, 0.85, 0.02
DETECTORS = ('habit', 'Ledoit-Wolf', 'log-RMS')
FIGURES = ('auc', 'balanced', 'false_alarms', 'detection')


def run(program, *options):
    return subprocess.run([program, *options], check=True, capture_output=True, text=True).stdout


def check(condition, what):
    if not condition:
        sys.exit(f'bed: {what}')


def check_row(row):
    values = [float(row[name]) for name in FIGURES]
    check(all(0 <= value <= 1 for value in values), f'not a share: {row}')
    balanced = (1 - float(row['false_alarms']) + float(row['detection'])) / 2
    check(abs(balanced - float(row['balanced'])) < 2e-4, f'balanced accuracy is not the mean of its parts: {row}')


def check_grade(row):
    """What the grading found must be what the detector then reaches on the same buffers."""
    reached, target = float(row['balanced']), float(row['target'])
    check(abs(reached - float(row['reached'])) < 1e-4, f'graded otherwise than judged: {row}')
    check(LOWEST <= reached <= HIGHEST and abs(reached - target) <= TOLERANCE + 1e-4, f'not graded: {row}')


def main():
    program = sys.argv[1]
    options = ['--machines', str(MACHINES), '--seed', str(SEED), '--csv']
    kinds = run(program, '--list').split()
    text = run(program, *options, '--jobs', '1')
    rows = list(csv.DictReader(io.StringIO(text)))

    check(len(kinds) >= 12, f'only {len(kinds)} kinds')
    check(run(program, *options, '--jobs', '3') == text, 'other figures with three processes than with one')
    alone = list(csv.DictReader(io.StringIO(run(program, *options, '--kinds', kinds[-1]))))
    check(alone == [r for r in rows if r['kind'] == kinds[-1]], f'{kinds[-1]} alone gives other figures than among all')
    wanted = [(kind, str(m), str(n), d) for kind in kinds for m in range(MACHINES) for n in LEARNED for d in DETECTORS]
    check([(r['kind'], r['machine'], r['learned'], r['detector']) for r in rows] == wanted, 'lines are missing')
    for row in rows:
        check_row(row)
        if row['detector'] == 'Ledoit-Wolf' and row['learned'] == '60':
            check_grade(row)
    print(f'{len(kinds)} kinds, {MACHINES} machines each: all graded, the same with one process and with three')


if __name__ == '__main__':
    main()
