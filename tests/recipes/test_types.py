"""The recipes' code under mypy and pyright, where the packages that they are about are typed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import django_oauth_jwt

from .pages import snippets

pytestmark = [pytest.mark.recipes, pytest.mark.types]

#: What finds the package that is tested, be it installed or not.
PACKAGE_ROOT = str(Path(django_oauth_jwt.__file__).parents[1])
#: By page, the module. Graphene and Celery have no types, and the other pages are settings.
TYPED = {"strawberry.md": "strawberry", "sentry.md": "sentry", "prometheus.md": "prometheus"}
SETTINGS = """
SECRET_KEY = "for the type checkers alone"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django_oauth_jwt"]
"""
MYPY = f"""
[mypy]
strict = true
plugins = mypy_django_plugin.main
mypy_path = {PACKAGE_ROOT}
cache_dir = {{cache}}
[mypy.plugins.django-stubs]
django_settings_module = settings
"""
#: A receiver with a mistake that a checker has to see.
MISTAKEN = """
from django_oauth_jwt.tokens import AccessToken

def mistaken(access_token: AccessToken) -> str:
    return access_token.sub
"""
CHECKERS = {
    "mypy": ["mypy"],
    # This is pyright, together with the JavaScript and the Node.js that it needs.
    "pyright": ["basedpyright", "--pythonpath", sys.executable],
}


@pytest.mark.parametrize("checker", CHECKERS)
def test_the_recipes_are_typed(tmp_path, pytestconfig, checker):
    """They pass `mypy --strict` (with django-stubs) and pyright's strict mode, which see a misspelled attribute."""
    for page, name in TYPED.items():
        (tmp_path / f"recipe_{name}.py").write_text(snippets(page)[name])
    (tmp_path / "mistaken.py").write_text(MISTAKEN)
    (tmp_path / "settings.py").write_text(SETTINGS)
    cache = pytestconfig.cache.mkdir("recipes_mypy")  # of what is imported, which seldom changes
    (tmp_path / "mypy.ini").write_text(MYPY.format(cache=cache))
    pyright = {"extraPaths": [PACKAGE_ROOT], "typeCheckingMode": "strict"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(pyright))
    command = [sys.executable, "-m", *CHECKERS[checker], *sorted(file.name for file in tmp_path.glob("*.py"))]
    environment = {**os.environ, "PYTHONPATH": f"{PACKAGE_ROOT}{os.pathsep}{tmp_path}"}
    how = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "timeout": 110}
    run = subprocess.run(command, check=False, **how)
    errors = [line for line in run.stdout.splitlines() if " error: " in line]
    assert [line for line in errors if "mistaken.py" not in line] == [], run.stdout + run.stderr
    assert any('"sub"' in line for line in errors), run.stdout + run.stderr
