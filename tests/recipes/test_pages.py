"""The pages as documents."""

from pathlib import Path

import pytest

from .pages import FOLDER, snippets

pytestmark = pytest.mark.recipes

PAGES = sorted(path.name for path in FOLDER.glob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_each_python_block_is_marked_and_run(page):
    """No snippet is untested: each has a name, and a file here that reads its page uses it."""
    assert (FOLDER / page).read_text().count("```python\n") == len(snippets(page)) > 0
    tests = [path.read_text() for path in Path(__file__).parent.glob("*.py")]
    of_page = "".join(text for text in tests if f'"{page}"' in text)
    assert [name for name in snippets(page) if f'"{name}"' not in of_page] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_short(page):
    """A stranger has it working in a minute."""
    assert len((FOLDER / page).read_text().splitlines()) < 70
