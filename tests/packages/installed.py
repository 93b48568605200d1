"""What the tests of the packages share: everything installed once, boards, and commands that must work or must fail."""
import functools
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / 'tests/board'))
import board  # noqa: E402
from board import firmware  # noqa: E402

OUTPUT = os.environ.get('HABIT_FIRMWARE', firmware.DEFAULT_OUTPUT)
BOARD_FILES = ROOT / 'tests/board'


def run(*command, folder=None):
    """(exit code, what it said)"""
    done = subprocess.run([str(part) for part in command], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300)
    return done.returncode, done.stdout


def must(*command, folder=None):
    code, text = run(*command, folder=folder)
    assert code == 0, f'{" ".join(map(str, command))}: exit {code}\n{text}'
    return text


@functools.lru_cache(maxsize=None)
def prefix():
    """Where all cores are installed, and no other file of the tree is."""
    folder = tempfile.TemporaryDirectory(prefix='habit-installed-')
    for core in firmware.cores():
        firmware.build(core, OUTPUT, prefix=folder.name)
    prefix.folder = folder  # removed at the end of the process
    return pathlib.Path(folder.name)


def library(core):
    return prefix() / f'lib/libhabit-{core}.a'


def board_folder(folder):
    """The files that a vendor of a board gives."""
    folder = pathlib.Path(folder)
    folder.mkdir()
    for name in ('startup.c', 'board.h', 'link.ld'):
        (folder / name).write_text((BOARD_FILES / name).read_text())
    return folder
