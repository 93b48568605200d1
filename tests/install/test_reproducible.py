"""The same source gives the same packages, byte for byte, in another folder and at another time."""
import hashlib

import build
import conftest

FOLDERS = ('/build/habit', '/srv/somewhere/else')


def digests(folder, output):
    paths = build.build(conftest.SUITE, 'amd64', output, check=False, folder=folder)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_two_builds_are_the_same(tmp_path):
    one, other = (digests(folder, tmp_path / str(i)) for i, folder in enumerate(FOLDERS))
    different = [name for name in one if one[name] != other.get(name)]
    assert one.keys() == other.keys() and not different, f'not the same: {different} ({tmp_path})'
