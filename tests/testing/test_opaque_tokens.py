"""Opaque tokens of the test kit: the project asks the stand-in about them, and no network is used."""

import asyncio
import socket

import pytest

from django_oauth_jwt.conf import get_settings
from django_oauth_jwt.errors import IntrospectionUnavailable, InvalidToken
from django_oauth_jwt.testing import ProofKey, TokenIssuer
from django_oauth_jwt.verification import averify_token, verify_token

from ..conf.samples import VALID

API = {"CLIENT_ID": "books", "CLIENT_SECRET": "hunter2"}
#: How a project may ask.
WAYS = {
    "discovered": API,
    "named": {**API, "ENDPOINT": "https://as.example.com/introspect"},
    "on this machine": {**API, "ENDPOINT": "http://127.0.0.1:9/introspect"},
    "for a JWT": {**API, "ANSWER": "jwt"},
    "about all": {**API, "TOKENS": "all"},
    "about all, for a JWT": {**API, "TOKENS": "all", "ANSWER": "jwt"},
    "not remembered": {**API, "CACHE_SECONDS": 0, "NEGATIVE_CACHE_SECONDS": 0},
}


@pytest.fixture
def no_network(monkeypatch):
    """Fail where a connection is made."""

    def connect(*args):
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(params=WAYS)
def asking(request, rsa_issuer, no_network):
    """An issuer that the project asks about tokens."""
    with rsa_issuer.installed(INTROSPECTION=WAYS[request.param]):
        yield rsa_issuer


@pytest.fixture(params=[verify_token, lambda token, **more: asyncio.run(averify_token(token, **more))])
def verify(request):
    return request.param


def reason_of(verify, token):
    with pytest.raises(InvalidToken) as refusal:
        verify(token)
    return refusal.value.reason


def test_an_opaque_token_is_what_a_token_is(asking, verify):
    """With the scopes and claims that are asked for."""
    token = asking.opaque_token(["read", "write"], sub="anna", tenant="t", client_id=None)
    access_token = verify(token)
    assert (access_token.subject, access_token.scopes) == ("anna", {"read", "write"})
    assert access_token.issuer == asking.issuer
    assert access_token.claims["tenant"] == "t"
    assert "client_id" not in access_token.claims
    assert "." not in token
    assert token != asking.opaque_token()


def test_a_token_that_is_not_active_is_refused(asking, verify):
    """And one that is over."""
    assert reason_of(verify, asking.opaque_token("read", active=False)) == "inactive"
    assert reason_of(verify, asking.opaque_token("read", exp=1)) == "expired"


@pytest.mark.parametrize("way", [way for way in WAYS if way != "on this machine"])
def test_a_token_that_nobody_has_made_is_refused(rsa_issuer, no_network, verify, way):
    """Without a question to anybody."""
    with rsa_issuer.installed(INTROSPECTION=WAYS[way]):
        assert reason_of(verify, "made-up") == "inactive"


def test_a_bound_token_is_bound(asking, verify):
    """To the key of the kit."""
    proof_key = ProofKey.generate()
    token = asking.opaque_token("read", bound_to=proof_key)
    assert reason_of(verify, token) == "unproven"
    assert verify(token, binding_checked=True).confirmation == {"jkt": proof_key.thumbprint}


def test_jwts_are_as_they_were(asking, verify):
    """Good ones, bad ones, and ones that the keys know no longer."""
    assert verify(asking.token("read", sub="anna")).subject == "anna"
    assert reason_of(verify, asking.token(expired=True)) == "expired"
    assert reason_of(verify, asking.token(forged=True)) == "bad_signature"


def test_what_is_said_of_a_jwt(rsa_issuer):
    """It is active until its end; a forged one is none."""
    assert rsa_issuer.introspect(rsa_issuer.token(sub="anna"))["sub"] == "anna"
    assert rsa_issuer.introspect(rsa_issuer.token(exp=None))["active"] is True
    for token in (rsa_issuer.token(expired=True), rsa_issuer.token(forged=True), "made-up"):
        assert rsa_issuer.introspect(token) == {"active": False}


def test_the_audience_is_the_projects(rsa_issuer, verify):
    """As that of its JWTs."""
    for answer in ("json", "jwt"):
        with rsa_issuer.installed(AUDIENCE="api", INTROSPECTION={**API, "ANSWER": answer}):
            assert verify(rsa_issuer.opaque_token()).claims["aud"] == "api"
            assert reason_of(verify, rsa_issuer.opaque_token(aud="other")) == "wrong_audience"


def test_a_projects_own_introspection_is_kept(settings, rsa_issuer, verify):
    """Its tests need not repeat it; also that of the one entry of ISSUERS."""
    introspection = {**API, "ENDPOINT": "https://as.example.com/introspect", "CACHE_SECONDS": 5}
    for raw in (
        {**VALID, "INTROSPECTION": introspection},
        {"ISSUERS": {"https://b.example.com": {"INTROSPECTION": introspection}}},
    ):
        settings.OAUTH_JWT = raw
        with rsa_issuer.installed():
            (trusted,) = get_settings().introspecting
            assert (trusted.introspection.cache_seconds, trusted.issuer) == (5, rsa_issuer.issuer)
            assert verify(rsa_issuer.opaque_token("read")).scopes == {"read"}


@pytest.mark.parametrize("raw", [{}, {"INTROSPECTION": None}])
def test_without_introspection_the_session_is_the_projects(rsa_issuer, raw):
    """And an opaque token is malformed."""

    def session():
        raise AssertionError("asked")

    with rsa_issuer.installed(HTTP_SESSION=session, **raw):
        assert get_settings().http_session is session
        assert reason_of(verify_token, rsa_issuer.opaque_token()) == "malformed"


def test_a_session_that_a_test_gives_is_used(rsa_issuer):
    """To try what happens when the authorization server does not answer."""

    def session():
        raise ConnectionError

    with (
        rsa_issuer.installed(HTTP_SESSION=session, INTROSPECTION=WAYS["named"]),
        pytest.raises(IntrospectionUnavailable),
    ):
        verify_token(rsa_issuer.opaque_token())


def test_another_server_on_this_machine_is_asked_about_its_own(auth_server, rsa_issuer, verify):
    """A project's tests may have one; of the installed issuer's tokens it is not asked."""
    introspection = {**API, "ENDPOINT": auth_server.introspection_uri}
    with rsa_issuer.installed(INTROSPECTION=introspection):
        assert verify(auth_server.issuer.opaque_token("read", iss=None)).scopes == {"read"}
        assert len(auth_server.questions) == 1
        assert verify(rsa_issuer.opaque_token("write")).scopes == {"write"}
        assert verify(rsa_issuer.token("write")).scopes == {"write"}
        assert len(auth_server.questions) == 1


def test_each_issuer_knows_its_own(rsa_issuer, signing_key, verify):
    """One issuer's opaque token is nothing to another."""
    other = TokenIssuer("https://other.test", key=signing_key())
    token = rsa_issuer.opaque_token()
    with other.installed(INTROSPECTION=API):
        assert reason_of(verify, token) == "inactive"
    with rsa_issuer.installed(INTROSPECTION=API):
        assert verify(token).issuer == rsa_issuer.issuer
