"""What docs/install.md tells people to type, taken from there word for word."""
import json
import pathlib
import re

PAGE = pathlib.Path(__file__).resolve().parents[2] / 'docs/install.md'


def commands(heading):
    """The indented lines below a heading, as one script. sudo is left out: the root's user is root."""
    text = PAGE.read_text()
    found = re.search(rf'^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)', text, re.S | re.M)
    assert found, f'docs/install.md has no heading {heading}'
    lines = [line[4:] for line in found[1].splitlines() if line.startswith('    ')]
    assert lines, f'docs/install.md tells nothing to type below {heading}'
    return '\n'.join(lines).replace('sudo ', '')


def report(said):
    """The daily report that curl has printed among all that was said."""
    line = next((line for line in said.splitlines() if line.startswith('{"reports"')), None)
    assert line, f'no report in: {said}'
    return json.loads(line)['reports'][0]
