#!/usr/bin/env python3
"""Counts a meson testlog.json (a JSON document a line): prints `passed failed skipped`, and the names of those that failed."""
import json
import sys

GOOD, SKIPPED = ('OK', 'EXPECTEDFAIL'), ('SKIP',)


def main():
    counts, failed = [0, 0, 0], []
    with open(sys.argv[1]) as log:
        for line in log:
            test = json.loads(line)
            kind = 0 if test['result'] in GOOD else 2 if test['result'] in SKIPPED else 1
            counts[kind] += 1
            if kind == 1:
                failed.append(test['name'].replace(' ', ''))
    print(*counts, *failed)


if __name__ == '__main__':
    main()
