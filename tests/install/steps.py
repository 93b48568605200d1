"""What docs/install.md tells people to type, taken from there word for word."""
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
    """The first row of the table that `habit report` has printed among all that was said: numbers by title."""
    lines = said.splitlines()
    at = next((i for i, line in enumerate(lines) if re.match(r'date +machine +learned', line)), None)
    assert at is not None, f'no report in: {said}'
    titles, cells = (re.split(r' {2,}', line.strip()) for line in lines[at:at + 2])
    return {title: int(cell) if cell.isdigit() else cell for title, cell in zip(titles, cells)}
