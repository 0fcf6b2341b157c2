"""README as a document: its commands, its links, its length."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from django_oauth_jwt.conf import RULES

from .readme_text import COMMANDS, TEXT, is_excerpt

ROOT = Path(__file__).parents[2]
#: The commands assume nothing but a clone, Python 3.11 and pip; `.ci/run` takes them from README and runs them.
EXPECTED = {
    "demo": "python3.11 -m venv .venv && .venv/bin/pip install -e '.[example]' && .venv/bin/python manage.py demo",
    "test": "python3.11 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest",
}
_PROSE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_command_is_one_line_below_its_marker(name):
    """Each command can be copied whole, and stands in a block of its own that a program finds."""
    assert COMMANDS[name].strip() == EXPECTED[name]
    assert TEXT.count(f"<!-- command:{name} -->\n```sh\n{EXPECTED[name]}\n```\n") == 1


@pytest.mark.real_servers
def test_the_demo_prints_what_readme_shows():
    """The excerpt is of the demo as it is now."""
    demo = [sys.executable, "manage.py", "demo", "--once", "--port", "0"]
    printed = subprocess.run(demo, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    (excerpt,) = re.findall(r"^```text\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert is_excerpt(excerpt, printed)


def _anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_internal_links_resolve():
    """Each link within README leads to a heading, each heading has an anchor of its own."""
    anchors = [_anchor(heading) for heading in re.findall(r"^#+ (.*)$", _PROSE, re.MULTILINE)]
    assert len(anchors) == len(set(anchors))
    links = set(re.findall(r"\]\(#([^)]+)\)", _PROSE))
    assert links
    assert links <= set(anchors)


def test_each_section_is_in_the_contents():
    """One finds every section from the top."""
    sections = {_anchor(heading) for heading in re.findall(r"^## (.*)$", _PROSE, re.MULTILINE)}
    contents = _PROSE.partition("\n## ")[0]
    assert set(re.findall(r"\(#([^)]+)\)", contents)) == sections


def test_links_to_files_resolve():
    """What README links to in the repository is there; beside the tests of a wheel there is no repository."""
    files = re.findall(r"\]\((?!#|https://)([^)]+)\)", _PROSE)
    assert files
    if (ROOT / "django_oauth_jwt").is_dir():
        assert [name for name in files if not (ROOT / name).exists()] == []


def test_what_looks_like_a_setting_is_one():
    """No setting's name is misspelled, or of a setting that is gone."""
    prefixes = {f"{name.partition('_')[0]}_" for name in RULES if "_" in name}
    names = {name for name in re.findall(r"`([A-Z_]+)`", _PROSE) if name.startswith(tuple(prefixes))}
    assert names
    assert names <= RULES.keys() | {"CLIENT_ID", "CLIENT_SECRET"}  # keys of INTROSPECTION, whose table has a test
