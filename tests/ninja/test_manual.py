"""docs/guides/ninja.md: each of its blocks does what the page says."""

import re
import sys
from types import ModuleType

import pytest
from django.contrib.auth.models import User
from django.urls import path
from ninja.testing import TestClient

from ..docs.manual_text import PAGES, SNIPPETS, run_snippet

TEXT = PAGES["docs/guides/ninja.md"]


@pytest.fixture
def api_of(settings, monkeypatch):
    """Serve the API of a block as the page does, and return it."""

    def api_of(name):
        for module in ("books", "books.api"):
            monkeypatch.setitem(sys.modules, module, ModuleType(module))
        api = run_snippet(name, {})["api"]
        sys.modules["books.api"].api = api
        patterns = run_snippet("ninja-urls", {"path": path, "urlpatterns": []})["urlpatterns"]
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


def test_the_first_example_is_under_ten_lines():
    """With all that a project has to write for it."""
    lines = [line for name in ("ninja-first", "ninja-urls") for line in SNIPPETS[name].splitlines()]
    assert len([line for line in lines if line.strip() and not line.startswith("#")]) < 10


def test_the_first_example_and_its_test(api_of, client, token_issuer):
    """The page's test passes for the page's API, with Django's client and with ninja's."""
    api = api_of("ninja-first")
    run_snippet("ninja-tests", {})["test_list_books"](client, token_issuer)
    (call,) = re.findall(r"`(TestClient\(api\)\..*?)` does", TEXT)
    names = {"TestClient": TestClient, "api": api, "token_issuer": token_issuer}
    assert eval(call, names).json() == ["a book of user-1"]


def test_each_operation(api_of, get):
    """Scopes, claims, and none at all."""
    api_of("ninja-operations")
    assert get("health", None).json() == "well"
    book = {"title": "Emma"}
    for scope, status in ((None, 401), ("books.read", 403), ("books.read books.write", 201)):
        assert get("books", scope, "post", data=book).status_code == status
    assert get("reports", email="a@example.com", role="editor").json() == {"to": "a@example.com"}
    assert get("reports", email="a@example.com", role="reader").status_code == 403


def test_a_list(api_of, get):
    """A token, a key, or our challenge."""
    api_of("ninja-list")
    key = {"X-API-Key": "open sesame"}
    assert [get("books", "books.read").status_code, get("books", None, headers=key).status_code] == [200, 200]
    assert get("books", "other", headers=key).status_code == 403
    refused = get("books", None)
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, 'Bearer scope="books.read"')


@pytest.mark.django_db
def test_an_authenticator_of_ones_own(get, settings):
    """The user is `request.auth`; a token of nobody, and none, are refused with a challenge."""
    User.objects.create_user("anna")
    api = run_snippet("ninja-own", {})["api"]
    api.get("/me")(lambda request: request.auth.username)
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [path("api/", api.urls)]})
    assert get("me", "books.read", sub="anna").json() == "anna"
    assert get("me", "other", sub="anna").status_code == 403
    for refused in (get("me", "books.read", sub="ben"), get("me", None)):
        assert (refused.status_code, refused["WWW-Authenticate"]) == (401, 'Bearer scope="books.read"')


def test_errors(api_of, get):
    """A refusal of the project's own."""
    api_of("ninja-errors")
    assert get("shelf", tenant="a").json() == "a"
    refused = get("shelf")
    assert (refused.status_code, refused.json()["error_description"]) == (403, "Token is for another tenant")


def test_a_throttle(api_of, get, monkeypatch):
    """It counts a subject whatever the scopes, and the same name elsewhere by itself."""
    api = api_of("ninja-throttle")
    monkeypatch.setattr(api.throttle, "num_requests", 2)
    assert [get("books", scope, sub="anna").status_code for scope in ("a", "b", "c")] == [200, 200, 429]
    assert get("books", sub="ben").status_code == 200
    clients = ("x", "x", "x", "anna")
    assert [get("books", sub=None, client_id=name).status_code for name in clients] == [200, 200, 429, 200]
