"""What docs/install.md tells people to type, taken from there word for word."""
import json
import pathlib
import re

PAGE = pathlib.Path(__file__).resolve().parents[2] / 'docs/install.md'


def blocks(heading):
    """The indented blocks below a heading, each as a script. sudo is left out: the root's user is root."""
    text = PAGE.read_text()
    found = re.search(rf'^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)', text, re.S | re.M)
    assert found, f'docs/install.md has no heading {heading}'
    scripts = [re.sub('^    ', '', block, flags=re.M).replace('sudo ', '') for block in re.findall(r'(?:^    .*\n)+', found[1], re.M)]
    assert scripts, f'docs/install.md tells nothing to type below {heading}'
    return scripts


def commands(heading):
    """All of them, as one script."""
    return ''.join(blocks(heading))


def report(said):
    """The daily report that curl has printed among all that was said."""
    line = next((line for line in said.splitlines() if line.startswith('{"reports"')), None)
    assert line, f'no report in: {said}'
    return json.loads(line)['reports'][0]
