"""The snippets beside the entrances do what README says: keys, tests of one's own, metadata."""

import re
import unittest

import pytest
import redis
from django.core.cache import caches
from django.http import HttpResponse
from readme_text import SNIPPETS, TEXT

from django_oauth_jwt import signals
from django_oauth_jwt.conf import get_settings
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.jwks import JwksService


@pytest.fixture
def jwks_address(jwks_server, as_issuer):
    """The address of a server on this machine that serves the issuer's JWKS at every path."""
    jwks_server.document = as_issuer.jwks()
    return jwks_server.origin


def test_keys_by_hand(project, as_issuer, call, jwks_address, monkeypatch):
    """The decorator's own key service fetches the keys; issuer and audience are those of the settings."""
    project.configure("settings")
    monkeypatch.setitem(
        SNIPPETS, "jwks-service", SNIPPETS["jwks-service"].replace("https://partner.example.net", jwks_address)
    )
    views = project.module("books.views", "jwks-service")
    project.route(webhook=views.webhook)
    assert call("/webhook/").content == b"user-1"
    assert call("/webhook/", aud="other").status_code == 403


def test_a_cache_server_that_is_down_costs_the_sharing_only(project, call, jwks_address, monkeypatch):
    """The snippet's Redis cache is one of Django's, and with nobody listening there requests are still answered."""
    closed = "redis://127.0.0.1:1"
    monkeypatch.setitem(SNIPPETS, "cache", SNIPPETS["cache"].replace("redis://redis.example.com:6379", closed))
    project.configure("settings", "cache")
    assert get_settings().cache == "jwks"
    with pytest.raises(redis.ConnectionError):
        caches["jwks"].get("key")
    keys = JwksService(f"{jwks_address}/jwks", cache="jwks")
    project.route(view=secure(jwks_service=keys)(lambda request: HttpResponse()))
    assert call("/view/").status_code == 200


def test_all_signals_are_named():
    """README names each signal, and no other."""
    named = set(re.findall(r"`([a-z]+_\w+)`", re.search(r"^Signals: (.*), in ", TEXT, re.MULTILINE)[1]))
    assert named == {name for name, value in vars(signals).items() if isinstance(value, signals.Signal)}


def test_the_test_case_passes(project):
    """The unittest snippet is a test that passes in the project of the sections above."""
    project.configure("settings", "middleware")
    project.route(whoami=project.module("books.views", "views").whoami)
    tests = project.module("books.tests", "testcase")
    result = unittest.TestResult()
    tests.WhoamiTests("test_needs_the_scope")(result)
    assert result.testsRun == 1
    assert result.wasSuccessful(), result.failures + result.errors


def test_the_pytest_functions_pass(project, client, request):
    """So are the functions for pytest, with the plugin's fixture."""
    project.configure("settings", "middleware")
    project.route(whoami=project.module("books.views", "views").whoami)
    tests = project.module("books.test_whoami", "pytest")
    token_issuer = request.getfixturevalue("token_issuer")
    tests.test_whoami(client, token_issuer)
    tests.test_an_expired_token_is_refused(client, token_issuer)


def test_protected_resource_metadata(project, as_issuer, client):
    """Settings and URLs of the snippets serve the document, and the challenge leads to it."""
    project.configure("settings", "middleware", "metadata")
    project.urls.urlpatterns += project.defined("urlpatterns")
    project.route(whoami=project.module("books.views", "views").whoami)
    with as_issuer.installed():
        challenge = client.get("/whoami/")["WWW-Authenticate"]
        assert challenge.removeprefix("Bearer ") in TEXT
        document = client.get("/.well-known/oauth-protected-resource").json()
    assert document["authorization_servers"] == ["https://as.example.com"]
    assert document["scopes_supported"] == ["books.read"]
