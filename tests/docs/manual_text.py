"""README.md and the pages of docs/ as the tests read them: their marked blocks, their tables, their links."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
#: The text of each page, by its path in the repository.
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
}
TEXT = "\n".join(PAGES.values())
README = PAGES["README.md"]

_MARKED = re.compile(r"^<!-- (?P<kind>\w+):(?P<name>[\w-]+) -->\n```\w+\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)
_CELLS = re.compile(r"(?<= )\|(?= )")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A marked block: its page, its name, and its code, which begins at its own line of the page."""

    page: str
    name: str
    code: str


def blocks(kind):
    """Return the code blocks below a marker of this kind, of all pages."""
    return [
        Block(page, block["name"], "\n" * text.count("\n", 0, block.start("code")) + block["code"])
        for page, text in PAGES.items()
        for block in _MARKED.finditer(text)
        if block["kind"] == kind
    ]


def marked_blocks(kind):
    """Return the code of these blocks by name; a name stands for one block of all pages (test_form.py)."""
    return {block.name: block.code for block in blocks(kind)}


SNIPPETS = marked_blocks("test")
COMMANDS = marked_blocks("command")
_PAGE_OF = {block.name: block.page for block in blocks("test")}


def run_snippet(name, namespace):
    """Run a Python snippet in a namespace; a traceback shows its page and line."""
    exec(compile(SNIPPETS[name], _PAGE_OF[name], "exec"), namespace)
    return namespace


def prose(page):
    """Return a page without its blocks of code."""
    return _FENCED.sub("", PAGES[page])


def joined(page):
    """Return a page in one line, to look for a sentence of it."""
    return " ".join(PAGES[page].split())


def table(page, heading=None, *, number=0):
    """Return the rows of a table, as tuples of cells, without the table's head.

    It is the first one of the page, or below the heading of level 2; ``number`` counts from there.
    """
    start = rf"^## {re.escape(heading)}$" if heading else r"\A"
    section = re.search(rf"{start}(.*)", PAGES[page], re.MULTILINE | re.DOTALL)[1]
    tables = re.findall(r"(?:^\|.*\|\n)+", section, re.MULTILINE)
    return [tuple(cell.strip() for cell in _CELLS.split(row[1])) for row in _ROW.finditer(tables[number])][2:]


def is_excerpt(excerpt, output):
    """Tell whether an output holds all that an excerpt shows of it, in its order, but for what '...' stands for."""
    pieces = [re.escape(piece) for piece in re.split(r"^\.\.\.\n", excerpt, flags=re.MULTILINE)]
    return re.fullmatch("(?:.*\n)*?".join(pieces), output) is not None


def code(cell):
    """Return the code in a table's cell."""
    return re.search(r"`([^`]*)`", cell)[1]
