"""README and the manual as documents: their commands, their links, their blocks of code."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from django_oauth_jwt.conf import RULES

from .manual_text import COMMANDS, PAGES, README, ROOT, blocks, is_excerpt, prose

#: The commands assume nothing but a clone, Python 3.11 and pip; `.ci/run` takes them from README and runs them.
EXPECTED = {
    "demo": "python3.11 -m venv .venv && .venv/bin/pip install -e '.[example]' && .venv/bin/python manage.py demo",
    "test": "python3.11 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest",
}
#: Pages that README names and that are still to be written.
TO_COME = set()
#: All that is read in the repository: its links are tried, code left out.
DOCUMENTS = {page: prose(page) for page in PAGES} | {
    str(path.relative_to(ROOT)): path.read_text() for path in [ROOT / "CHANGELOG.md", *ROOT.glob(".github/**/*.md")]
}
_LINK = re.compile(r"\]\((?!https://|mailto:)([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_command_is_one_line_below_its_marker(name):
    """Each command can be copied whole, and stands in a block of its own that a program finds."""
    assert COMMANDS[name].strip() == EXPECTED[name]
    assert README.count(f"<!-- command:{name} -->\n```sh\n{EXPECTED[name]}\n```\n") == 1


@pytest.mark.real_servers
def test_the_demo_prints_what_readme_shows():
    """The excerpt is of the demo as it is now."""
    demo = [sys.executable, "manage.py", "demo", "--once", "--port", "0"]
    printed = subprocess.run(demo, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    (excerpt,) = re.findall(r"^```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert is_excerpt(excerpt, printed)


def test_readme_is_read_in_five_minutes():
    """What a visitor needs; the rest is in the manual."""
    assert len(README.splitlines()) < 180


def test_no_page_installs_from_an_index():
    """The package is on none, so whoever took its name there could give anything to a reader who copies the line."""
    assert [page for page, text in PAGES.items() if re.search(r"pip install '?django-oauth-jwt", text)] == []


@cache
def _tests():
    return [(file, file.read_text()) for file in (ROOT / "tests").rglob("*.py")]


@pytest.mark.parametrize("page", PAGES)
def test_each_python_block_is_marked_and_run(page):
    """No snippet is untested: each has a name, and a test here uses it, or one elsewhere that names the page."""
    names = [block.name for block in blocks("test") if block.page == page]
    assert PAGES[page].count("```python\n") == len(names)
    of_page = [text for file, text in _tests() if file.parent == Path(__file__).parent or Path(page).name in text]
    assert [name for name in names if not any(f'"{name}"' in text for text in of_page)] == []


def test_a_name_stands_for_one_block():
    """Over all pages, so that a test runs the block that it means."""
    for kind in ("test", "command", "gateway", "output"):
        names = [block.name for block in blocks(kind)]
        assert len(names) == len(set(names))


def _anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _broken_links(document):
    for link in _LINK.findall(DOCUMENTS[document]):
        path, _, anchor = link.partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        name = str(target.resolve().relative_to(ROOT))
        if not target.exists() or (anchor and anchor not in map(_anchor, _HEADING.findall(DOCUMENTS[name]))):
            yield name


def test_links_inside_the_repository_resolve():
    """Each leads to a file that is there, and to a heading of it."""
    assert sum(len(_LINK.findall(text)) for text in DOCUMENTS.values()) > 100
    assert {link for document in DOCUMENTS for link in _broken_links(document)} == TO_COME


@pytest.mark.parametrize("page", PAGES)
def test_each_heading_has_an_anchor_of_its_own(page):
    """A link leads to the one that it means."""
    anchors = [_anchor(heading) for heading in _HEADING.findall(prose(page))]
    assert len(anchors) == len(set(anchors))


def test_each_page_is_in_the_contents():
    """One finds every page of the manual from its first one, in the repository as on the site."""
    pages = {page.removeprefix("docs/") for page in PAGES if page.startswith("docs/")} - {"index.md"}
    assert set(_LINK.findall(prose("docs/index.md"))) == pages


def test_what_looks_like_a_setting_is_one():
    """No setting's name is misspelled, or of a setting that is gone."""
    prefixes = {f"{name.partition('_')[0]}_" for name in RULES if "_" in name}
    named = {name for page in PAGES for name in re.findall(r"`([A-Z_]+)`", prose(page))}
    names = {name for name in named if name.startswith(tuple(prefixes))}
    assert names
    assert names <= RULES.keys() | {"CLIENT_ID", "CLIENT_SECRET"}  # keys of INTROSPECTION, whose table has a test
