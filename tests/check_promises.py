#!/usr/bin/env python3
"""docs/reliability.md names the tests of each promise: fails where one names a test that is not there, or that nobody runs."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / 'docs' / 'reliability.md'
PROMISES = range(1, 11)
ROW = re.compile(r'^\| (\d+) \| (.+?) \| (.+?) \|', re.M)
TEST = re.compile(r'`(tests/[\w/.-]+)`((?::| and|,)? *`\w+`(?:, `\w+`)*)?')


def runners():
    """Everything that says what is run."""
    files = [ROOT / 'dev', *ROOT.glob('tests/**/meson.build'), *ROOT.glob('firmware/**/meson.build')]
    return '\n'.join(file.read_text() for file in files)


def is_run(path, text):
    """Its name, or for tests of the system the part of it that lists have, or its folder."""
    part = re.sub(r'^test_', '', path.stem)
    return any(name in text for name in (path.name, f"'{part}'", f"'{path.stem}'", f"'{part.replace('_', '-')}'", str(path.parent)))


def problems_of(number, cell, text):
    found = TEST.findall(cell)
    if not found:
        yield f'promise {number} names no test'
    for name, functions in found:
        path = pathlib.Path(name)
        if not (ROOT / path).is_file():
            yield f'promise {number}: there is no {path}'
            continue
        if not is_run(path, text):
            yield f'promise {number}: nobody runs {path}'
        code = (ROOT / path).read_text()
        for function in re.findall(r'`(\w+)`', functions):
            if not re.search(rf'\b{function}\(', code):
                yield f'promise {number}: {path} has no {function}'


def main():
    text = runners()
    rows = {int(number): tests for number, _, tests in ROW.findall(PAGE.read_text())}
    problems = [f'promise {number} is missing' for number in PROMISES if number not in rows]
    for number in rows:
        problems += problems_of(number, rows[number], text)
    for problem in problems:
        print(f'{PAGE.relative_to(ROOT)}: {problem}')
    return bool(problems)


if __name__ == '__main__':
    sys.exit(main())
