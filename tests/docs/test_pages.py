"""What pages say of the tree is so: links lead somewhere, each folder, command and reason to refuse is named where it should be."""
import re
import sys

import pytest

from pages import ROOT, all_pages, anchors, links, prose

sys.path.append(str(ROOT / "tests"))
from check_includes import ROOMS  # noqa: E402

ELSEWHERE = ("https://", "http://", "mailto:")


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page):
    for target in links(page):
        if target.startswith(ELSEWHERE):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), f"{target} is not there"
        if anchor:
            assert anchor in anchors(file), f"{target}: no such heading; there are {anchors(file)}"


def test_the_index_names_every_page():
    index = (ROOT / "docs" / "README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index, page.name
    for page in (ROOT / "firmware").glob("*.md"):
        assert f"(../firmware/{page.name})" in index, page.name


def architecture():
    return (ROOT / "docs" / "architecture.md").read_text()


def test_the_architecture_names_every_room():
    rooms = {folder.name for folder in (ROOT / "daemon").iterdir() if folder.is_dir()}
    table = architecture().split("## Rooms")[1].split("\n## ")[0]
    rows = {line.split("|")[1].strip(" `/") for line in table.splitlines() if line.startswith("| `")}
    assert rooms <= rows, f"rooms without a row: {rooms - rows}"
    assert rooms == set(ROOMS), "tests/check_includes.py and daemon/ differ"


def test_the_architecture_names_every_folder():
    hidden = re.compile(r"\.|build|__pycache__")
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not hidden.match(path.name)}
    text = architecture()
    assert not {folder for folder in folders if f"`{folder}/`" not in text}


def test_the_architecture_names_every_command():
    made = set(re.findall(r"extern const struct command (\w+)_command", (ROOT / "cli" / "commands.h").read_text()))
    text = architecture()
    assert made and not {name for name in made if not re.search(rf"`{name}`", text)}


def test_files_that_the_architecture_names_are_there():
    for name in re.findall(r"`([\w./-]+\.(?:c|h|py|json|md|js|conf|build))`", architecture()):
        places = (ROOT / name, ROOT / "docs" / name, ROOT / "daemon" / name, ROOT / "cli" / name)
        assert any(place.exists() for place in places), name


def test_every_reason_to_refuse_is_explained():
    table = (ROOT / "daemon" / "base" / "error.h").read_text()
    types = set(re.findall(r'X\(\w+, \d+, "([\w-]+)"', table))
    page = (ROOT / "docs" / "troubleshooting.md").read_text().split("## What was refused")[1]
    explained = set(re.findall(r"`([\w-]+)`", " ".join(line.split("|")[1] for line in page.splitlines() if line.startswith("|"))))
    assert types and types == explained, types ^ explained


def test_one_voice():
    """Words of advertising, and of work that is not done."""
    wrong = re.compile(r"\b(seamless\w*|powerful|robust solution|blazing\w*|state-of-the-art|simply|effortless\w*|leverag\w+|TODO|FIXME|TBD|not done yet|coming soon)\b", re.I)
    for page in all_pages():
        found = wrong.search(prose(page))
        assert not found, f"{page.relative_to(ROOT)}: {found[0]}"
