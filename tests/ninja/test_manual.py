"""docs/guides/ninja.md: each of its blocks does what the page says, and passes the type checkers."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from django.contrib.auth.models import User
from django.urls import path
from ninja.testing import TestClient

import django_oauth_jwt

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "ninja.md"
TEXT = PAGE.read_text(encoding="utf-8")
_MARKED = re.compile(r"^<!-- test:(?P<name>[\w-]+) -->\n```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = {
    block["name"]: "\n" * TEXT.count("\n", 0, block.start("code")) + block["code"] for block in _MARKED.finditer(TEXT)
}
#: What finds the package that is tested, be it installed or not.
PACKAGE_ROOT = str(Path(django_oauth_jwt.__file__).parents[1])


def run_block(name, **namespace):
    exec(compile(BLOCKS[name], "ninja.md", "exec"), namespace)
    return namespace


@pytest.fixture
def api_of(settings, monkeypatch):
    """Serve the API of a block as the page does, and return it."""

    def api_of(name):
        for module in ("books", "books.api"):
            monkeypatch.setitem(sys.modules, module, ModuleType(module))
        api = run_block(name)["api"]
        sys.modules["books.api"].api = api
        patterns = run_block("urls", path=path, urlpatterns=[])["urlpatterns"]
        settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": patterns})
        return api

    return api_of


@pytest.fixture
def get(client, issuer):
    """Send a request with a token of these scopes and claims, or one without for ``scope=None``."""

    def get(at, scope="", method="get", headers=None, data=None, **claims):
        sent = {**({} if scope is None else issuer.headers(scope, **claims)), **(headers or {})}
        return getattr(client, method)(f"/api/{at}", data, content_type="application/json", headers=sent)

    return get


def test_each_python_block_is_marked_and_run():
    """No snippet is untested: all of them are marked, and each marker's name is used by a test below."""
    assert TEXT.count("```python\n") == len(BLOCKS)
    tests = Path(__file__).read_text()
    assert {name for name in BLOCKS if f'"{name}"' not in tests} == set()


def test_the_first_example_is_under_ten_lines():
    """With all that a project has to write for it."""
    lines = [line for name in ("first", "urls") for line in BLOCKS[name].splitlines()]
    assert len([line for line in lines if line.strip() and not line.startswith("#")]) < 10


def test_the_first_example_and_its_test(api_of, client, token_issuer):
    """The page's test passes for the page's API, with Django's client and with ninja's."""
    api = api_of("first")
    run_block("tests")["test_list_books"](client, token_issuer)
    (call,) = re.findall(r"`(TestClient\(api\)\..*?)` does", TEXT)
    names = {"TestClient": TestClient, "api": api, "token_issuer": token_issuer}
    assert eval(call, names).json() == ["a book of user-1"]


def test_each_operation(api_of, get):
    """Scopes, claims, and none at all."""
    api_of("operations")
    assert get("health", None).json() == "well"
    book = {"title": "Emma"}
    for scope, status in ((None, 401), ("books.read", 403), ("books.read books.write", 201)):
        assert get("books", scope, "post", data=book).status_code == status
    assert get("reports", email="a@example.com", role="editor").json() == {"to": "a@example.com"}
    assert get("reports", email="a@example.com", role="reader").status_code == 403


def test_a_list(api_of, get):
    """A token, a key, or our challenge."""
    api_of("list")
    key = {"X-API-Key": "open sesame"}
    assert [get("books", "books.read").status_code, get("books", None, headers=key).status_code] == [200, 200]
    assert get("books", "other", headers=key).status_code == 403
    refused = get("books", None)
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, 'Bearer scope="books.read"')


@pytest.mark.django_db
def test_an_authenticator_of_ones_own(get, settings):
    """The user is `request.auth`; a token of nobody, and none, are refused with a challenge."""
    User.objects.create_user("anna")
    api = run_block("own")["api"]
    api.get("/me")(lambda request: request.auth.username)
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [path("api/", api.urls)]})
    assert get("me", "books.read", sub="anna").json() == "anna"
    assert get("me", "other", sub="anna").status_code == 403
    for refused in (get("me", "books.read", sub="ben"), get("me", None)):
        assert (refused.status_code, refused["WWW-Authenticate"]) == (401, 'Bearer scope="books.read"')


def test_errors(api_of, get):
    """A refusal of the project's own."""
    api_of("errors")
    assert get("shelf", tenant="a").json() == "a"
    refused = get("shelf")
    assert (refused.status_code, refused.json()["error_description"]) == (403, "Token is for another tenant")


#: A view with two mistakes that a checker has to see.
MISTAKEN = """
from django_oauth_jwt.contrib.ninja import BearerJwt
from django_oauth_jwt.http import BearerRequest
from ninja import NinjaAPI

api = NinjaAPI(auth=BearerJwt(scopes="books.read"))

@api.get("/mistaken")
def mistaken(request: BearerRequest) -> str | None:
    return request.access_token.sub
"""
SETTINGS = """
SECRET_KEY = "for the type checkers alone"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django_oauth_jwt"]
"""
MYPY = f"""
[mypy]
strict = true
plugins = mypy_django_plugin.main
mypy_path = {PACKAGE_ROOT}
[mypy.plugins.django-stubs]
django_settings_module = settings
"""
CHECKERS = {"mypy": ["mypy"], "pyright": ["basedpyright", "--pythonpath", sys.executable]}


@pytest.mark.types
@pytest.mark.parametrize("checker", CHECKERS)
def test_the_pages_code_is_typed(tmp_path, checker):
    """It passes `mypy --strict` (with django-stubs) and pyright's strict mode, which see a misspelled word."""
    pyright = {"extraPaths": [PACKAGE_ROOT], "typeCheckingMode": "strict"}
    modules = {f"{name}_block.py": code for name, code in BLOCKS.items() if name != "urls"} | {"mistaken.py": MISTAKEN}
    others = {"settings.py": SETTINGS, "mypy.ini": MYPY, "pyrightconfig.json": json.dumps(pyright)}
    for name, content in (modules | others).items():
        (tmp_path / name).write_text(content)
    environment = {**os.environ, "PYTHONPATH": f"{PACKAGE_ROOT}{os.pathsep}{tmp_path}"}
    command = [sys.executable, "-m", *CHECKERS[checker], *sorted(modules)]
    how = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "timeout": 110}
    run = subprocess.run(command, check=False, **how)
    errors = [line for line in run.stdout.splitlines() if " error: " in line]
    assert [line for line in errors if "mistaken.py" not in line] == [], run.stdout + run.stderr
    assert all(any(f'"{name}"' in line for line in errors) for name in ("scopes", "sub")), run.stdout + run.stderr
