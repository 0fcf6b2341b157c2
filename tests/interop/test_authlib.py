"""Tokens, keys and metadata of an authorization server built on Authlib, over real HTTP."""

import pytest
from django.http import JsonResponse
from django.test import Client
from django.urls import path

from django_oauth_jwt.decorators import secure
from django_oauth_jwt.errors import KeysUnavailable
from django_oauth_jwt.jwks import get_jwks_service

AUDIENCE = "https://api.example.com"


@secure(scope=["read"])
def books(request):
    return JsonResponse({"claims": request.claims, "typ": request.access_token.header["typ"]})


urlpatterns = [path("books/", books)]
pytestmark = pytest.mark.urls(__name__)


def get(token):
    return Client().get("/books/", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def trust_server(settings):
    """Trust an issuer, of which nothing but its identifier is configured, and be strict as RFC 9068 is."""

    def _trust(server, **more):
        settings.OAUTH_JWT = {"ISSUER": server.issuer, "AUDIENCE": AUDIENCE, "TOKEN_TYPES": ["at+jwt"], **more}

    return _trust


@pytest.mark.parametrize(
    ("alg", "metadata_path"),
    [
        ("RS256", "/.well-known/oauth-authorization-server"),
        ("ES256", "/.well-known/oauth-authorization-server"),
        ("ES256", "/.well-known/openid-configuration"),
    ],
)
def test_a_foreign_servers_tokens_are_accepted_by_discovery_alone(start_server, trust_server, alg, metadata_path):
    """RFC 8414 or OpenID Connect metadata, the keys behind it and RFC 9068 tokens are understood as they come."""
    server = start_server(alg, metadata_path)
    trust_server(server)
    answer = get(server.token("read write"))
    assert answer.status_code == 200
    assert answer.json()["typ"] == "at+jwt"
    assert answer.json()["claims"]["client_id"] == "batch-job"
    assert server.fetches() == 1


def test_a_foreign_token_without_the_scope_is_refused(start_server, trust_server):
    """The scope that the client was granted decides, as with tokens of our own making."""
    server = start_server()
    trust_server(server)
    answer = get(server.token("write"))
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer["WWW-Authenticate"]


def test_a_foreign_rotation_costs_one_fetch(start_server, trust_server):
    """The next token after a rotation is accepted, by one more fetch, and the old key's tokens as well."""
    server = start_server("ES256")
    trust_server(server)
    old = server.token()
    assert get(old).status_code == 200
    server.rotate()
    answers = [get(server.token()).status_code, get(server.token()).status_code, get(old).status_code]
    assert answers == [200, 200, 200]
    assert server.fetches() == 2


def test_another_servers_tokens_are_refused_unfetched(start_server, trust_server):
    """A server that is not listed is not asked for its keys, whatever its tokens say."""
    server, stranger = start_server("ES256"), start_server("ES256")
    trust_server(server)
    answer = get(stranger.token())
    assert answer.json()["error_description"] == "Token issuer is not accepted"
    assert (server.fetches(), stranger.fetches()) == (0, 0)


def test_metadata_of_another_issuer_is_not_believed(start_server, settings):
    """RFC 8414 section 3.3: the issuer in the metadata must be the one that was asked for, to the letter."""
    server = start_server("ES256")
    token = server.token()
    settings.OAUTH_JWT = {"ISSUER": f"{server.issuer}/", "AUDIENCE": AUDIENCE}
    assert get(token).status_code == 403  # its iss has no slash
    with pytest.raises(KeysUnavailable):
        get_jwks_service().key_set_for(None, "ES256")
    assert server.fetches() == 0
