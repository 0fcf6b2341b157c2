"""The recipes of the manual as the tests read them: the marked Python blocks of each page."""

import re
import sys
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).parents[2] / "docs" / "guides" / "recipes"
_MARKED = re.compile(r"^<!-- test:(?P<name>[\w-]+) -->\n```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(page):
    """Return the snippets of a page by name; each begins at its own line of the page."""
    text = (FOLDER / page).read_text(encoding="utf-8")
    found = _MARKED.finditer(text)
    return {block["name"]: "\n" * text.count("\n", 0, block.start("code")) + block["code"] for block in found}


def run_snippet(page, name, namespace, *change):
    """Run a snippet in a namespace, with one word changed if two are given; a traceback shows its page and line."""
    code = snippets(page)[name]
    exec(compile(code.replace(*change) if change else code, page, "exec"), namespace)
    return namespace


def as_module(monkeypatch, page, name, *change):
    """Make an importable module of a snippet, ``recipe_`` and its name."""
    module = ModuleType("recipe_" + name.replace("-", "_"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    run_snippet(page, name, vars(module), *change)
    return module
