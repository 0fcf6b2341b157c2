"""The snippets beside the entrances do what the manual says: keys, tests of one's own, metadata."""

import logging
import logging.config
import re
import unittest

import pytest
import redis
from django.contrib.auth.models import User
from django.core.cache import caches
from django.http import HttpResponse
from rest_framework.test import APIClient

from django_oauth_jwt.conf import get_settings
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.jwks import JwksService

from .manual_text import PAGES, SNIPPETS, joined


@pytest.fixture
def jwks_address(jwks_server, as_issuer):
    """The address of a server on this machine that serves the issuer's JWKS at every path."""
    jwks_server.document = as_issuer.jwks()
    return jwks_server.origin


def test_keys_by_hand(project, as_issuer, call, jwks_address, monkeypatch):
    """The decorator's own key service fetches the keys and says whose they are; the audience is the settings'."""
    project.configure("settings")
    monkeypatch.setitem(
        SNIPPETS, "jwks-service", SNIPPETS["jwks-service"].replace("https://partner.example.net", jwks_address)
    )
    views = project.module("books.views", "jwks-service")
    project.route(webhook=views.webhook)
    assert call("/webhook/", iss=jwks_address).content == b"user-1"
    assert call("/webhook/", iss=jwks_address, aud="other").status_code == 403
    assert call("/webhook/").status_code == 403


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


@pytest.fixture
def own_logging():
    """Put the package's logging back as it was, whatever a test makes of it."""
    logger = logging.getLogger("django_oauth_jwt")
    before = (logger.level, logger.handlers[:], logger.propagate)
    yield
    logger.level, logger.handlers[:], logger.propagate = before


@pytest.mark.usefixtures("own_logging")
def test_the_log_shows_why_a_token_is_rejected(project, as_issuer, call, capsys):
    """The snippet's settings are what INFO takes."""
    project.configure("settings", "logging")
    logging.config.dictConfig(project.defined("LOGGING"))
    project.route(view=secure()(lambda request: HttpResponse()))
    with as_issuer.installed():
        assert call("/view/", aud="other").status_code == 403
    assert capsys.readouterr().err == "Token rejected: wrong_audience\n"


def test_the_test_case_passes(project):
    """The unittest snippet is a test that passes in the project of the tutorial."""
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


def test_tests_of_rest_framework_send_a_token(project, as_issuer):
    """`force_authenticate` is not enough for a permission of ours, the header of `credentials` is."""
    project.configure("settings", "drf-settings")
    project.route(books=project.module("books.views", "drf-views").Books.as_view())
    forced, client = APIClient(), APIClient()
    forced.force_authenticate(user=User(username="anna"))
    with as_issuer.installed():
        assert forced.get("/books/").status_code == 401
        line = re.search(r"`(credentials.*)`", PAGES["docs/guides/testing.md"])[1]
        eval(f"client.{line}", {"client": client, "issuer": as_issuer})
        assert client.get("/books/").json() == {"sub": "user-1"}


def test_protected_resource_metadata(project, as_issuer, client):
    """Settings and URLs of the snippets serve the document, and the challenge leads to it."""
    project.configure("settings", "middleware", "metadata")
    project.urls.urlpatterns += project.defined("urlpatterns")
    project.route(whoami=project.module("books.views", "views").whoami)
    with as_issuer.installed():
        challenge = client.get("/whoami/")["WWW-Authenticate"]
        assert challenge in joined("docs/guides/resource-metadata.md")
        document = client.get("/.well-known/oauth-protected-resource").json()
    assert document["authorization_servers"] == ["https://as.example.com"]
    assert document["scopes_supported"] == ["books.read"]
