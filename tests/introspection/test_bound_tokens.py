"""Opaque tokens that are bound to their sender: ``cnf`` in the answer binds as in a JWT (RFC 9449, RFC 8705)."""

from urllib.parse import quote, unquote

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.testing import ProofKey
from django_oauth_jwt.verification import verify_token

from ..proofs.certificates import PEM
from ..proofs.rfc_vectors import X5T
from . import entrances

AT = ["/decorator", "/decorator-async", "/drf", "/middleware"]


def certificate_of(request):
    """A project's own way to find the certificate."""
    return unquote(request.headers.get("X-Certificate", "")) or None


@pytest.fixture(params=["sync", "async"])
def get(request, settings):
    """Send headers to a path, and return the status."""
    settings.ROOT_URLCONF = entrances

    def get(at, headers):
        settings.MIDDLEWARE = [entrances.MIDDLEWARE] if at == "/middleware" else []
        send = Client().get if request.param == "sync" else async_to_sync(AsyncClient().get)
        return send(at, headers=headers).status_code

    return get


@pytest.fixture
def proof_key():
    return ProofKey.generate()


@pytest.mark.parametrize("at", AT)
def test_a_token_that_is_bound_to_a_key_needs_its_proof(trust_server, get, proof_key, at):
    """Asked about or remembered; the hash in the proof is that of the opaque token."""
    server = trust_server()
    token = server.issuer.opaque_token("read", bound_to=proof_key)
    url = f"http://testserver{at}"
    for _ in range(2):
        assert get(at, {"Authorization": f"Bearer {token}"}) == 401
        assert get(at, {"Authorization": f"DPoP {token}"}) == 401
        assert get(at, ProofKey.generate().headers(token, "GET", url)) == 401
        of_another = proof_key.headers("another-token", "GET", url)
        assert get(at, {**of_another, "Authorization": f"DPoP {token}"}) == 401
        assert get(at, proof_key.headers(token, "GET", url)) == 200
    assert len(server.questions) == 1


@pytest.mark.parametrize("at", AT)
def test_a_token_that_is_bound_to_a_certificate_needs_that_one(trust_server, get, at):
    """Over the connection that shows it."""
    server = trust_server({"CLIENT_CERTIFICATE": {"SOURCE": certificate_of}})
    token = server.issuer.opaque_token("read", cnf={"x5t#S256": X5T})
    for _ in range(2):
        assert get(at, {"Authorization": f"Bearer {token}"}) == 401
        assert get(at, {"Authorization": f"Bearer {token}", "X-Certificate": quote(PEM)}) == 200


@pytest.mark.parametrize("at", AT)
def test_where_bound_tokens_are_required_an_opaque_one_must_be(trust_server, get, proof_key, at):
    """Also for the issuer that an answer does not name."""
    server = trust_server({"REQUIRE_BOUND_TOKENS": True})
    assert get(at, {"Authorization": f"Bearer {server.issuer.opaque_token('read', iss=None)}"}) == 401
    bound = server.issuer.opaque_token("read", bound_to=proof_key, iss=None)
    assert get(at, proof_key.headers(bound, "GET", f"http://testserver{at}")) == 200


@pytest.mark.parametrize("cnf", [None, "x", [], {"jkt": 5}, {"kid": "x"}])
def test_a_binding_that_cannot_be_checked_is_refused(trust_server, get, endpoint, cnf):
    """The token is bound to somebody."""
    trust_server({"HTTP_SESSION": lambda: endpoint})
    endpoint.answer = lambda uri, form: {"active": True, "scope": "read", "cnf": cnf}
    assert get("/decorator", {"Authorization": "Bearer opaque"}) in (401, 403)


def test_code_without_a_request_says_whether_it_has_checked(trust_server, proof_key):
    """As for a JWT."""
    server = trust_server()
    token = server.issuer.opaque_token("read", bound_to=proof_key)
    for _ in range(2):
        with pytest.raises(InvalidToken) as refusal:
            verify_token(token)
        assert refusal.value.reason == "unproven"
        assert verify_token(token, binding_checked=True).confirmation == {"jkt": proof_key.thumbprint}
    trust_server({"REQUIRE_BOUND_TOKENS": True})
    with pytest.raises(InvalidToken):
        verify_token(server.issuer.opaque_token("read"))
