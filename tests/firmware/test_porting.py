"""firmware/PORTING.md, followed literally in an empty directory: files are those of the page, commands are those of the page,
in its order, and what it says that they print they must print. The real habitd is the gateway."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests' / 'system'))
import support  # noqa: E402

PAGE = ROOT / 'firmware' / 'PORTING.md'
FENCE = re.compile(r'(?:^`([\w.]+)`:\n\n)?^```(\w+)\n(.*?)^```$', re.M | re.S)


@pytest.fixture
def gateway(tmp_path_factory):
    house = support.House(tmp_path_factory.mktemp('gateway'))
    yield house.habitd()
    house.close()


class Follower:
    """One shell for the whole page, as a reader has it."""

    def __init__(self, folder, url):
        environment = {**os.environ, 'HABIT': str(ROOT), 'HABIT_BUILD': str(support.BUILD), 'HABIT_URL': url}
        self.folder = folder
        self.shell = subprocess.Popen(['bash', '-eu'], cwd=folder, env=environment, text=True, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def type(self, commands):
        """Returns what they print."""
        end = '-- end of these commands --'
        self.shell.stdin.write(f'{commands}\necho "{end}"\n')
        self.shell.stdin.flush()
        lines = []
        for line in self.shell.stdout:
            if line.rstrip('\n') == end:
                return ''.join(lines)
            lines.append(line)
        raise AssertionError(f'the shell ended with {self.shell.wait()}\n{commands}\nprinted\n{"".join(lines)}')

    def close(self):
        self.shell.kill()
        self.shell.wait()


def test_the_page_leads_to_a_detecting_board(tmp_path, gateway):
    follower, printed, steps = Follower(tmp_path, gateway.url), '', []
    try:
        for name, language, text in FENCE.findall(PAGE.read_text()):
            steps.append(language)
            if name:
                (tmp_path / name).write_text(text)
            elif language == 'sh':
                printed = follower.type(text)
                assert 'warning' not in printed, printed
            else:
                assert language == 'text' and printed.endswith(text), f'{text}\nis to be printed, and was\n{printed}'
    finally:
        follower.close()
    assert steps.count('sh') == 5 and steps.count('text') == 2 and steps.count('c') == 3, steps
    assert gateway.machine('pump-7')['settings']['sampling_hz'] == 1600


def test_no_header_of_the_page_is_called_as_one_of_the_engine():
    """Section 5 compiles with the engine's private headers in the path: main.c must not find one of them for its own."""
    wanted = re.findall(r'^#(?:if __has_include\(|include )"([\w.]+)"', PAGE.read_text(), re.M)
    assert {'board.h', 'learned.h'} <= set(wanted)
    assert not [name for name in wanted if (ROOT / 'engine' / 'src' / name).exists()]
