"""Opaque tokens of an authorization server built on Authlib, which is asked about them over real HTTP (RFC 7662)."""

import time

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.http import JsonResponse
from django.urls import path

from django_oauth_jwt.decorators import secure
from django_oauth_jwt.testing import SigningKey

from .api_client import get, get_patiently

AUDIENCE = "https://api.example.com"
KEY = SigningKey.generate("ES256", "api-key")
PEM = KEY.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@secure(scope=["read"])
def books(request):
    return JsonResponse(request.claims)


urlpatterns = [path("books/", books)]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def trust(shared_server, settings):
    """Trust the server, of which nothing but its identifier is configured, and ask it with these credentials."""

    def trust(**credentials):
        settings.OAUTH_JWT = {
            "ISSUER": shared_server.issuer,
            "AUDIENCE": AUDIENCE,
            "INTROSPECTION": {**credentials, "CACHE_SECONDS": 60},
        }
        return shared_server

    return trust


@pytest.fixture(params=["client_secret_basic", "client_secret_post", "private_key_jwt"])
def asking(request, shared_server, trust):
    """The server, which is asked by an API that is registered there for one method of authentication."""
    if request.param == "private_key_jwt":
        client_id, _ = shared_server.register(request.param, jwks={"keys": [KEY.public_jwk()]})
        return trust(CLIENT_ID=client_id, PRIVATE_KEY=PEM, KEY_ID=KEY.kid)
    client_id, client_secret = shared_server.register(request.param)
    return trust(CLIENT_ID=client_id, CLIENT_SECRET=client_secret, AUTH=request.param)


def test_its_opaque_tokens_are_accepted_with_what_it_says_of_them(asking):
    """Endpoint and method are those of its metadata, and the answer is held to the rules of a token."""
    answer = get_patiently(asking.token("read write", token_format="opaque"))
    assert answer.status_code == 200, answer.content
    claims = answer.json()
    assert (claims["iss"], claims["aud"], claims["sub"]) == (asking.issuer, AUDIENCE, "batch-job")
    assert claims["scope"] == "read write"


def test_beside_them_its_jwts_are_verified_as_ever(asking):
    """Nobody is asked about these."""
    assert get_patiently(asking.token("read")).status_code == 200


def test_one_that_is_revoked_there_is_refused_here_within_cache_seconds(asking, frozen_time):
    """By a server that nobody here wrote, and a minute that takes no time."""
    frozen_time.now = time.clock_gettime(time.CLOCK_REALTIME)
    token = asking.token("read", token_format="opaque")
    assert get_patiently(token).status_code == 200
    asking.revoke(token)
    frozen_time.now += 59
    assert get_patiently(token).status_code == 200
    frozen_time.now += 1
    assert get_patiently(token).json()["error_description"] == "Token is not active"


def test_one_that_it_does_not_know_is_refused(asking):
    """What it says of a token that it never issued."""
    answer = get_patiently("neverIssuedByAnybody0123456789")
    assert (answer.status_code, answer.json()["error_description"]) == (403, "Token is not active")


@pytest.mark.parametrize("auth", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
def test_wrong_credentials_refuse_no_token(auth, shared_server, trust, caplog):
    """They are our own mistake: 503, and an error in the log says so, whatever the method."""
    client_id, _ = shared_server.register(auth, jwks={"keys": [SigningKey.generate("ES256", KEY.kid).public_jwk()]})
    ours = {"PRIVATE_KEY": PEM, "KEY_ID": KEY.kid} if auth == "private_key_jwt" else {"CLIENT_SECRET": "mistyped"}
    server = trust(CLIENT_ID=client_id, AUTH=auth, **ours)
    answer = get(server.token("read", token_format="opaque"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert "the credentials in INTROSPECTION are not accepted" in caplog.text
