"""The layers: a module imports only from the layers below it, so the import graph has no cycles."""

import ast
from pathlib import Path

import pytest

import django_oauth_jwt

PACKAGE = "django_oauth_jwt"
ROOT = Path(django_oauth_jwt.__file__).parent

#: From the ground up. Within a layer, modules that import each other stand in steps, the lowest first.
LAYERS = {
    "ground": (
        "__init__ algorithms conf_paths conf_targets forks frozen_json moments signals strict_json waiting",
        "access_token",
        "requirements",
        "conf_values",
        "conf_rules",
        "conf",
        "errors",
        "authentication_context bearer",
    ),
    "keys": (
        "guarded_cache jose_keys",
        "keys jwks_cache jwks_client",
        "discovery jws jwks_snapshot",
        "jwks_events jwks_fetch",
        "jwks_refresh",
    ),
    "key service": ("jwks_keeper", "jwks_service", "jwks"),
    "verification": ("claims", "token_memory", "verification"),
    "request": ("request_token users", "request"),
    "edges": (
        "answers",
        "authentication decorators",
        "middleware permissions resource_metadata",
        "urls",
    ),
    "roof": (
        "checks console findings testing.signing",
        "contrib.spectacular key_report testing.issuer",
        "apps explanation testing",
        "management.commands.explain_token management.commands.oauth_jwks testing.pytest_plugin",
    ),
}
RANKS = {
    module: rank
    for rank, step in enumerate(step for steps in LAYERS.values() for step in steps)
    for module in step.split()
}
#: Where Django REST framework may be imported; everything else works without it in INSTALLED_APPS.
KNOW_REST_FRAMEWORK = ("authentication", "permissions", "contrib")


def _module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def _is_bare_package(path):
    return path.name == "__init__.py" and not ast.parse(path.read_text()).body[1:]


#: By dotted name inside the package; a folder's ``__init__.py`` that holds a docstring at most imports nothing.
SOURCES = {_module_of(path): path for path in ROOT.rglob("*.py") if path.parent == ROOT or not _is_bare_package(path)}


def _imported_names(path):
    """Yield the absolute dotted name of everything that a module imports, at whatever depth it does so."""
    package = (PACKAGE, *path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join((*base, *([node.module] if node.module else [])))
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def _imported_modules(path):
    """Return the modules of the package that a module imports, each by its name in ``RANKS``."""
    found = set()
    for name in _imported_names(path):
        parts = name.split(".")
        if parts[0] != PACKAGE:
            continue
        prefixes = (".".join(parts[1:end]) for end in range(len(parts), 1, -1))
        found.add(next((prefix for prefix in prefixes if prefix in SOURCES), "__init__"))
    return found


def test_every_module_has_its_layer():
    """A module that nobody has thought a layer for fails here, and so does a layer's entry that has no module."""
    assert set(RANKS) == set(SOURCES)
    assert len(RANKS) == sum(len(step.split()) for steps in LAYERS.values() for step in steps)


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_a_module_imports_only_from_below(module):
    """Strictly below: whatever is imported stands on a lower step, so no two modules need each other."""
    imported = _imported_modules(SOURCES[module])
    assert [name for name in sorted(imported) if RANKS[name] >= RANKS[module]] == []


def test_imports_are_seen_wherever_they_stand():
    """The rule is worth something only while the reader sees relative, absolute and local imports."""
    assert _imported_modules(SOURCES["apps"]) == {"checks", "contrib.spectacular"}  # inside a method, ``from . import``
    assert {"conf", "conf_rules"} <= _imported_modules(SOURCES["checks"])
    assert {"conf", "keys", "testing.signing"} <= _imported_modules(SOURCES["testing.issuer"])  # one package up


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_rest_framework_is_known_to_its_own_edges_only(module):
    """A project without DRF in INSTALLED_APPS loads none of it through the middleware or the decorator."""
    imports_it = any(name.split(".")[0] == "rest_framework" for name in _imported_names(SOURCES[module]))
    assert not imports_it or module.split(".")[0] in KNOW_REST_FRAMEWORK
