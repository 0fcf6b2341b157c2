"""Opaque tokens of django-oauth-toolkit, whose introspection endpoint is found by discovery and asked over HTTP."""

import logging
import time

import pytest
from django.http import JsonResponse
from django.urls import path

from django_oauth_jwt.decorators import secure

from .api_client import get, get_patiently

pytestmark = [pytest.mark.real_servers, pytest.mark.urls(__name__)]

API_URL = "https://api.example.com"


@secure(scope=["read"])
def books(request):
    return JsonResponse({"claims": request.claims, "subject": request.access_token.subject})


urlpatterns = [path("books/", books)]


@pytest.fixture
def trust(toolkit, settings):
    """Trust the server; of the endpoint nothing but our own credentials is configured."""

    def trust(introspection=(), **more):
        client_id, client_secret = toolkit.API
        asking = {"CLIENT_ID": client_id, "CLIENT_SECRET": client_secret, **dict(introspection)}
        settings.OAUTH_JWT = {"ISSUER": toolkit.issuer, "INTROSPECTION": asking, "HTTP_TIMEOUT": 30, **more}
        return toolkit

    return trust


@pytest.fixture
def clock(frozen_time):
    """This process's time, which stands still at the server's."""
    frozen_time.now = float(time.clock_gettime(time.CLOCK_REALTIME))
    return frozen_time


@pytest.mark.parametrize("auth", [None, "client_secret_basic", "client_secret_post"])
def test_its_tokens_are_accepted_with_their_scopes(auth, trust):
    """Our credentials, which have to be quoted, are understood; the answer names neither issuer nor subject."""
    toolkit = trust({"AUTH": auth} if auth else {})
    answer = get_patiently(toolkit.token("read write"))
    assert answer.status_code == 200, answer.content
    claims = answer.json()["claims"]
    assert (claims["iss"], claims["client_id"], claims["scope"]) == (toolkit.issuer, "batch-job", "read write")
    assert answer.json()["subject"] is None


def test_a_token_without_the_scope_is_refused(trust):
    """The scopes are those that the server granted."""
    answer = get_patiently(trust().token("write"))
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer["WWW-Authenticate"]


def test_a_token_that_it_does_not_know_is_refused(trust):
    """What it says of a token that it never issued."""
    trust()
    answer = get_patiently("neverIssuedByAnybody0123456789")
    assert (answer.status_code, answer.json()["error_description"]) == (403, "Token is not active")


def test_a_token_that_is_revoked_there_is_refused_here_within_cache_seconds(trust, clock):
    """What was said of it is remembered for that long, and not longer."""
    toolkit = trust({"CACHE_SECONDS": 60})
    token = toolkit.token()
    assert get_patiently(token).status_code == 200
    toolkit.revoke(token)
    clock.now += 59
    assert get_patiently(token).status_code == 200
    clock.now += 1
    assert get_patiently(token).json()["error_description"] == "Token is not active"


def test_wrong_credentials_are_an_error_of_ours_and_no_refusal(trust, clock, caplog):
    """The token may be good: 503, and one line in the log that says what is to be mended."""
    toolkit = trust({"CLIENT_SECRET": "mistyped"})
    token = toolkit.token()
    with caplog.at_level(logging.ERROR, "django_oauth_jwt"):
        answers = [get(token) for _ in range(3)]
    assert [(answer.status_code, answer["Retry-After"]) for answer in answers] == [(503, "1")] * 3
    (message,) = [record.getMessage() for record in caplog.records if record.name == "django_oauth_jwt"]
    assert f"{toolkit.issuer}/introspect/" in message
    assert "credentials in INTROSPECTION are not accepted" in message
    assert "mistyped" not in caplog.text
    assert token not in caplog.text


@pytest.mark.parametrize(("resource", "status"), [({}, 403), ({"resource": API_URL}, 200)], ids=["no aud", "aud"])
def test_where_an_audience_is_required_the_token_must_be_for_it(resource, status, trust):
    """It says whom a token is for only where the client did (RFC 8707)."""
    answer = get_patiently(trust(AUDIENCE=API_URL).token(**resource))
    assert answer.status_code == status, answer.content
