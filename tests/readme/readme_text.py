"""README.md as the tests read it: its marked blocks, its tables, its links."""

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

_MARKED = re.compile(r"^<!-- (?P<kind>\w+):(?P<name>[\w-]+) -->\n```\w+\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)


def marked_blocks(kind):
    """Return the code blocks below a marker of this kind, by name; each begins at its own line of README."""
    return {
        block["name"]: "\n" * TEXT.count("\n", 0, block.start("code")) + block["code"]
        for block in _MARKED.finditer(TEXT)
        if block["kind"] == kind
    }


SNIPPETS = marked_blocks("test")
COMMANDS = marked_blocks("command")


def run_snippet(name, namespace):
    """Run a Python snippet in a namespace; a traceback shows README's line."""
    exec(compile(SNIPPETS[name], "README.md", "exec"), namespace)
    return namespace


def table(heading):
    """Return the rows of the table below a heading, as tuples of cells, without the table's head."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)[1]
    rows = [tuple(cell.strip() for cell in row[1].split(" | ")) for row in _ROW.finditer(section)]
    return rows[2:]


def is_excerpt(excerpt, output):
    """Tell whether an output holds all that an excerpt shows of it, in its order, but for what '...' stands for."""
    pieces = [re.escape(piece) for piece in re.split(r"^\.\.\.\n", excerpt, flags=re.MULTILINE)]
    return re.fullmatch("(?:.*\n)*?".join(pieces), output) is not None


def code(cell):
    """Return the code in a table's cell."""
    return re.search(r"`([^`]*)`", cell)[1]
