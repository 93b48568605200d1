#!/usr/bin/env python3
"""Counts a meson testlog.json (a JSON document a line): prints `passed failed skipped`."""
import json
import sys

GOOD, SKIPPED = ('OK', 'EXPECTEDFAIL'), ('SKIP',)


def main():
    counts = [0, 0, 0]
    with open(sys.argv[1]) as log:
        for line in log:
            result = json.loads(line)['result']
            counts[0 if result in GOOD else 2 if result in SKIPPED else 1] += 1
    print(*counts)


if __name__ == '__main__':
    main()
