"""The manual's code under mypy and pyright, in a project that holds no more than that."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import django_oauth_jwt

from .manual_text import SNIPPETS, blocks

pytestmark = [pytest.mark.recipes, pytest.mark.types]

#: What finds the package that is tested, be it installed or not.
PACKAGE_ROOT = str(Path(django_oauth_jwt.__file__).parents[1])
#: Snippets of settings and URLs hold lines of a file that is there already: they are no modules. Left out are
#: pages about packages without types.
UNTYPED = ("channels.md", "observability.md", "celery.md", "cors.md", "graphene.md", "swagger-ui.md")
MODULES = [block.name for block in blocks("test") if "def " in block.code and not any(map(block.page.count, UNTYPED))]
#: Those that others import, by their place in an app.
IN_APPS = {
    "books/models.py": "rows-models",
    "tenants/models.py": "tenants-models",
    "tenants/issuers.py": "tenants-resolver",
}
SETTINGS = """
SECRET_KEY = "for the type checkers alone"
OAUTH_JWT: dict[str, object] = {}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "django_oauth_jwt",
    "books",
    "tenants",
]
"""
MYPY = f"""
[mypy]
strict = true
plugins = mypy_django_plugin.main, mypy_drf_plugin.main
mypy_path = {PACKAGE_ROOT}
[mypy.plugins.django-stubs]
django_settings_module = settings
"""
#: Models and their serializers are typed by mypy's plugin, which pyright does not have. Sentry's middleware gets its
#: ``__call__`` when it is made, which pyright does not count.
FOR_MYPY_ALONE = {
    *(*IN_APPS, "rows_snippet.py", "tenants_resolver_snippet.py", "tenants_entra_snippet.py"),
    "tenants_own_testing_snippet.py",
    "sentry_websockets_snippet.py",
}
#: A view with two mistakes that a checker has to see.
MISTAKEN = """
from django.http import HttpResponse
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.http import BearerRequest, get_access_token

@secure()
def mistaken(request: BearerRequest) -> HttpResponse:
    return HttpResponse(str(request.access_token.scope) + str(get_access_token(request).sub))
"""
CHECKERS = {
    "mypy": ["mypy"],
    # This is pyright, together with the JavaScript and the Node.js that it needs.
    "pyright": ["basedpyright", "--pythonpath", sys.executable],
}


@pytest.fixture
def project_folder(tmp_path):
    """A folder with the manual's code, one module a snippet, and what the checkers read beside it."""
    (tmp_path / "mypy.ini").write_text(MYPY)
    pyright = {"extraPaths": [PACKAGE_ROOT], "typeCheckingMode": "strict"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(pyright))
    (tmp_path / "settings.py").write_text(SETTINGS)
    for place, name in IN_APPS.items():
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).with_name("__init__.py").touch()
        (tmp_path / place).write_text(SNIPPETS[name])
    for name in MODULES:
        (tmp_path / f"{name.replace('-', '_')}_snippet.py").write_text(SNIPPETS[name])
    (tmp_path / "mistaken.py").write_text(MISTAKEN)
    return tmp_path


@pytest.mark.timeout(300)  # mypy reads all of Django, which takes a busy machine minutes
@pytest.mark.parametrize("checker", CHECKERS)
def test_the_manuals_code_is_typed(project_folder, checker):
    """It passes `mypy --strict` (with django-stubs) and pyright's strict mode, which see a misspelled attribute."""
    assert {"quick-views", "quick-drf-views", "views", "decorator", "drf-views", "step-up", "strawberry"} < set(MODULES)
    environment = {**os.environ, "PYTHONPATH": f"{PACKAGE_ROOT}{os.pathsep}{project_folder}"}
    files = {str(file.relative_to(project_folder)) for file in project_folder.rglob("*.py")}
    assert files > FOR_MYPY_ALONE
    checked = files - FOR_MYPY_ALONE if checker == "pyright" else files
    command = [sys.executable, "-m", *CHECKERS[checker], *sorted(checked)]
    how = {"cwd": project_folder, "env": environment, "capture_output": True, "text": True, "timeout": 290}
    run = subprocess.run(command, check=False, **how)
    errors = [line for line in run.stdout.splitlines() if " error: " in line]
    assert [line for line in errors if "mistaken.py" not in line] == [], run.stdout + run.stderr
    assert all(any(f'"{name}"' in line for line in errors) for name in ("scope", "sub")), run.stdout + run.stderr
