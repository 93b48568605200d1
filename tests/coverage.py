#!/usr/bin/env python3
"""Lines and branches of daemon/ that tests took, by file, those with the most left first; fails below what is asked for."""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def measure(build):
    """What gcovr makes of the counters that the programs left."""
    output = subprocess.run(['gcovr', '--root', str(ROOT), '--filter', 'daemon/', '--json-summary', '-', str(build / 'daemon')],
                            cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output)


def left(row, what):
    return row[f'{what}_total'] - row[f'{what}_covered']


def share(row, what):
    return f'{left(row, what):5} of {row[f"{what}_total"]:5}  {row[f"{what}_percent"] or 0:5.1f} %'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('build', type=pathlib.Path)
    parser.add_argument('--lines', type=float, default=0, help='percent at least')
    parser.add_argument('--branches', type=float, default=0, help='percent at least')
    options = parser.parse_args()
    report = measure(options.build.resolve())
    print(f'{"missing":40} {"lines":>22} {"branches":>22}')
    for row in sorted(report['files'], key=lambda row: -left(row, 'branch')):
        if left(row, 'line') or left(row, 'branch'):
            print(f'{row["filename"]:40} {share(row, "line")} {share(row, "branch")}')
    print(f'{"all":40} {share(report, "line")} {share(report, "branch")}')
    short = [f'{what}: {report[f"{what}_percent"]} %, at least {least} % are wanted'
             for what, least in (('line', options.lines), ('branch', options.branches)) if report[f'{what}_percent'] < least]
    print('\n'.join(short), end='\n' if short else '')
    return 1 if short else 0


if __name__ == '__main__':
    sys.exit(main())
