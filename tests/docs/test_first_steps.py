"""README's few lines and the tutorial's first page: what they secure, and the tests that they show."""

import unittest

import pytest
from django.http import HttpResponse

from .manual_text import SNIPPETS, code, joined, table

DRF = ("quick-drf-settings", "quick-drf-views")


@pytest.fixture
def readmes_api(project):
    """README's REST framework project."""
    settings, views = DRF
    project.configure(settings)
    project.route(books=project.module("books.views", views).Books.as_view())


@pytest.mark.usefixtures("readmes_api")
def test_ten_lines_secure_a_drf_view(as_issuer, call):
    """A token and its scope are needed, and the view knows whose request it is."""
    with as_issuer.installed():
        assert [call("/books/", scope).status_code for scope in (None, "books.write")] == [401, 403]
        assert call("/books/", "books.read", sub="anna").json() == {"reader": "anna"}
        assert call("/books/", "books.read", aud="https://else.example.com").status_code == 403
    for name in (*DRF, "quick-middleware", "quick-views"):
        lines = SNIPPETS[name].splitlines()
        assert len([line for line in lines if line and line[0] != "#"]) <= 10


@pytest.mark.usefixtures("readmes_api")
def test_an_expired_token_is_answered_as_readme_says_at_its_top(as_issuer, call):
    """403, and 401 with the setting that it names; without a token 401, without the scope 403."""
    assert "**An expired token is answered 403**" in joined("README.md")
    assert '`OAUTH_JWT = {"INVALID_TOKEN_STATUS": 401, ...}`' in joined("README.md")
    for settings, expired in (({}, 403), ({"INVALID_TOKEN_STATUS": 401}, 401)):
        with as_issuer.installed(**settings):
            assert call("/books/", "books.read", exp=1).status_code == expired
            assert [call("/books/", scope).status_code for scope in (None, "x")] == [401, 403]


def test_the_middleware_and_the_decorator(project, as_issuer, call):
    """All views need a token, but for the paths that are left open; one needs a scope."""
    project.configure("quick-middleware")
    views = project.module("books.views", "quick-views")
    project.route(whoami=views.whoami, add=views.add, admin=lambda request: HttpResponse("admin"))
    with as_issuer.installed():
        assert [call("/whoami/", scope).status_code for scope in (None, "x")] == [401, 200]
        assert [call("/add/", scope).status_code for scope in (None, "x", "books.write")] == [401, 403, 201]
        assert call("/admin/", None).status_code == 200


def test_readmes_test_case_passes(project):
    """In the project of the lines above it."""
    project.configure("quick-middleware")
    project.route(whoami=project.module("books.views", "quick-views").whoami)
    result = unittest.TestResult()
    project.module("books.tests", "quick-test").WhoamiTests("test_needs_a_token")(result)
    assert (result.testsRun, result.failures + result.errors) == (1, [])


def test_the_tutorials_api(project, as_issuer, client, request):
    """Its test passes, and what it says of answers is so."""
    project.configure("settings", "drf-settings")
    project.route(books=project.module("books.views", "drf-views").Books.as_view())
    rows = table("docs/tutorial/drf.md")
    claims = {"aud": "https://books.example.com"}
    with as_issuer.installed():
        sent = [None, as_issuer.headers("books.read", exp=1, **claims), as_issuer.headers("x", **claims)]
        responses = [client.get("/books/", headers=headers) for headers in sent]
    for (_, answer), response in zip(rows, responses, strict=False):
        assert answer.startswith(f"{response.status_code}, ")
        assert all(part in response["WWW-Authenticate"] for part in code(answer).split(", "))
    tests = project.module("books.tests", "drf-test")
    tests.test_books(client, request.getfixturevalue("token_issuer"))
