"""The tests of the house: nothing but a wing's own tests looks inside it."""

import ast
from pathlib import Path

import pytest

from .test_layers import PACKAGE, ROOT, WINGS

TESTS = Path(__file__).parents[1]
FILES = sorted(path.relative_to(TESTS) for path in TESTS.rglob("*.py"))
#: What pytest loads by its name, by an entry point.
PLUGIN = "testing.pytest_plugin"
#: How the wings stand to each other is tried here.
HOUSE = "house"


def names_in(text):
    """Yield the dotted names inside the package that a test imports or has in a string, as for a patch."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def looks_inside(path, text):
    """Return the modules inside a wing that a test names, though it is not the wing's."""
    found = set()
    for name in names_in(text):
        package, *parts = name.split(".")
        if package == PACKAGE and len(parts) > 1 and parts[0] in WINGS and path.parts[0] not in (parts[0], HOUSE):
            found |= {f"{parts[0]}.{parts[1]}"} if (ROOT / parts[0] / f"{parts[1]}.py").exists() else set()
    return found - {PLUGIN}


def test_only_a_wings_own_tests_look_inside_it():
    """So a wing can be rebuilt, and nothing but its own tests has to be."""
    found = {path: looks_inside(path, (TESTS / path).read_text()) for path in FILES}
    assert {path: of_path for path, of_path in found.items() if of_path} == {}


@pytest.mark.parametrize(
    "text",
    [
        "from django_oauth_jwt.jws.compact import read_compact",
        "from django_oauth_jwt.jws import compact",
        "import django_oauth_jwt.jws.compact",
        "def test(monkeypatch):\n    monkeypatch.setattr('django_oauth_jwt.jws.compact.read_compact', None)",
    ],
)
def test_a_look_inside_is_seen(text):
    """By any import and by the name in a string; the wing's own tests may."""
    assert looks_inside(Path("http/test_headers.py"), text) == {"jws.compact"}
    assert looks_inside(Path("jws/test_compact.py"), text) == set()


def test_each_folder_is_a_package():
    """Names of files need be no others than those in other folders."""
    assert {path.parent for path in FILES} == {path.parent for path in FILES if path.name == "__init__.py"}
