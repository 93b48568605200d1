"""The pages that people read: their links, headings, and what they tell to type."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def all_pages():
    """Every Markdown file of the tree."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.split() if listed.returncode == 0 else []
    found = [ROOT / name for name in names] or [p for p in ROOT.rglob("*.md") if "build" not in p.relative_to(ROOT).parts[0]]
    return sorted(page for page in found if page.exists())


def prose(page):
    """Without code blocks, whose brackets are no links."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)
    return "\n".join(line for line in text.splitlines() if not re.match(r" {4,}(?![-*\d|])", line))


def links(page):
    """Targets of links and pictures, as they stand there."""
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", prose(page)))


def anchors(page):
    """What GitHub makes of headings."""
    found = []
    for heading in re.findall(r"^#+ (.*)$", prose(page), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        found.append(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def commands(page, heading):
    """The indented lines below a heading, as one script."""
    found = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)", (ROOT / page).read_text(), re.S | re.M)
    assert found, f"{page} has no heading {heading}"
    lines = [line[4:] for line in found[1].splitlines() if line.startswith("    ")]
    assert lines, f"{page} tells nothing to type below {heading}"
    return "\n".join(lines)


def configurations(page):
    """Indented blocks that are sections of habitd.conf, also those in lists."""
    for block in re.findall(r"(?:^ {4,}\S.*\n|^\s*\n(?= {4,}\S))+", page.read_text(), re.M):
        lines = [line.strip() for line in block.splitlines()]
        at = next((i for i, line in enumerate(lines) if re.match(r"\[(gateway|http|mqtt|store|report|machine|input)\b", line)), None)
        if at is not None:
            yield "\n".join(lines[at:]) + "\n"
