"""The page on opaque tokens: its settings work as printed, and the table of its keys has what can be set."""

import re

import pytest
from django.http import JsonResponse
from django.test import Client

from django_oauth_jwt.conf import read
from django_oauth_jwt.decorators import secure

from .manual_text import table

_ROWS = table("docs/reference/settings.md", "Keys of `INTROSPECTION`")


@pytest.fixture
def introspecting_project(project, monkeypatch):
    """A project with the settings of the page."""
    monkeypatch.setenv("BOOKS_CLIENT_SECRET", "secret")
    project.configure("introspection")
    return project


def test_the_settings_are_all_that_it_takes(introspecting_project, as_issuer):
    """A view that is secured as ever accepts an opaque token, and a JWT as before."""
    introspecting_project.route(whoami=secure(scope="read")(lambda request: JsonResponse(request.claims)))
    with as_issuer.installed():
        good, narrow = as_issuer.opaque_token("read", sub="anna"), as_issuer.opaque_token("write")
        tokens = [good, as_issuer.token("read"), narrow, as_issuer.opaque_token("read", active=False)]
        headers = [{"Authorization": f"Bearer {token}"} for token in tokens]
        answers = [Client().get("/whoami/", headers=each) for each in headers]
    assert [answer.status_code for answer in answers] == [200, 200, 403, 403]
    assert answers[0].json()["sub"] == "anna"


def test_the_table_has_what_can_be_set():
    """Each key has its place, and no other has one; a default that is printed is the one in force."""
    _, (problem,) = read({"JWKS_URI": "https://as.example.com/jwks", "INTROSPECTION": 1})
    possible = re.search(r"some of the keys (.*?)\.$", problem.message)[1].split(", ")
    assert sorted(re.findall(r"[A-Z_]{3,}", " ".join(row[0] for row in _ROWS))) == sorted(possible)


def test_the_printed_defaults_are_in_force():
    """As the table says: opaque tokens, JSON, a minute and ten seconds."""
    printed = {re.sub(r"\W", "", row[0]): row[1].strip("`") for row in _ROWS}
    credentials = {"CLIENT_ID": "books", "CLIENT_SECRET": "secret"}
    settings, _ = read({"ISSUER": "https://as.example.com", "INTROSPECTION": credentials})
    introspection = settings.issuers["https://as.example.com"].introspection
    assert printed["ENDPOINT"] == str(introspection.endpoint)
    assert printed["ANSWER"] == '"json"'
    assert not introspection.wants_jwt
    assert printed["TOKENS"] == '"opaque"'
    assert not introspection.asks_about_jwts
    assert printed["CACHE_SECONDS"] == str(introspection.cache_seconds)
    assert printed["NEGATIVE_CACHE_SECONDS"] == str(introspection.negative_cache_seconds)
