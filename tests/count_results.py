#!/usr/bin/env python3
"""Counts a meson testlog.json (a JSON document a line): prints `passed failed skipped`, and the names of those that failed.

What a program left out of itself counts as skipped too, and is said on stderr with its reason: a program that passes may have shown nothing."""
import json
import re
import sys

GOOD, SKIPPED = ('OK', 'EXPECTEDFAIL'), ('SKIP',)
LEFT_OUT = re.compile(r'^(?:SKIPPED \[(\d+)\] |\[  SKIPPED \] (?!\d+ test))(.+)$', re.MULTILINE)  # of pytest -rs; of cmocka


def left_out(test):
    """How many tests the program left out, by what it says of them; cmocka says it twice."""
    return {said.strip(): int(count or 1) for count, said in LEFT_OUT.findall(test.get('stdout', '') + '\n' + test.get('stderr', ''))}


def main():
    counts, failed = [0, 0, 0], []
    with open(sys.argv[1]) as log:
        for line in log:
            test = json.loads(line)
            kind = 0 if test['result'] in GOOD else 2 if test['result'] in SKIPPED else 1
            counts[kind] += 1
            if kind == 1:
                failed.append(test['name'].replace(' ', ''))
            for said, count in left_out(test).items():
                counts[2] += count
                print(f"skipped: {test['name']}: {said}", file=sys.stderr)
    print(*counts, *failed)


if __name__ == '__main__':
    main()
