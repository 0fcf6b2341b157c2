"""The example's authorization server does over HTTP what a real one does, as far as a resource server sees."""

import socket

import pytest
import requests

from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.testing import ProofKey
from django_oauth_jwt.verification import verify_token
from testproject.authorization_server import AuthorizationServer, main
from testproject.settings import INTROSPECTION

GRANT = {"grant_type": "client_credentials"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def http(method, url, **kwargs):
    return requests.request(method, url, timeout=30, **kwargs)


def test_the_jwks_holds_the_signing_keys_and_each_fetch_is_counted(authorization_server):
    """The demo shows when keys are fetched, so the count must be right."""
    for count in (1, 2):
        response = http("GET", authorization_server.jwks_uri)
        assert response.json() == authorization_server.issuer.jwks()
        assert authorization_server.jwks_fetches == count
    assert all("d" not in key for key in response.json()["keys"])


def test_the_keys_are_found_by_discovery_and_its_tokens_accepted(authorization_server, settings):
    """Metadata (RFC 8414), JWKS and token endpoint agree with one another."""
    settings.OAUTH_JWT = {"ISSUER": authorization_server.origin, "TOKEN_TYPES": ["at+jwt"]}
    form = {**GRANT, "scope": "read write", "role": "admin", "client_id": "robot"}
    metadata = http("GET", f"{authorization_server.origin}/.well-known/oauth-authorization-server").json()
    answer = http("POST", metadata["token_endpoint"], data=form)
    token = verify_token(answer.json()["access_token"])
    assert (token.subject, token.client_id, token.claims["role"]) == ("robot", "robot", "admin")
    assert token.scopes == {"read", "write"}
    assert token.claims["exp"] - token.claims["iat"] == pytest.approx(answer.json()["expires_in"], abs=1)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["token_type"] == "Bearer"
    assert authorization_server.jwks_fetches == 1


def test_a_token_that_was_asked_for_without_scope_and_role_has_none(authorization_server):
    """What is not asked for is not granted."""
    token = http("POST", f"{authorization_server.origin}/token", data=GRANT).json()["access_token"]
    with authorization_server.issuer.installed():
        claims = verify_token(token).claims
    assert claims["sub"] == "demo"
    assert not claims.keys() & {"scope", "role"}


@pytest.mark.parametrize("form", [{}, {"grant_type": "password"}, None, b"\xff\xfe="])
def test_another_grant_is_refused_as_oauth_says(authorization_server, form):
    """RFC 6749 section 5.2."""
    response = http("POST", f"{authorization_server.origin}/token", data=form)
    assert (response.status_code, response.json()) == (400, {"error": "unsupported_grant_type"})


def test_after_a_rotation_the_new_key_signs_and_the_old_one_stays(authorization_server):
    """Tokens that are out in the world must live on, as after a real rotation."""
    old = authorization_server.issuer.keys[0].kid
    new = http("POST", f"{authorization_server.origin}/rotate").json()["kid"]
    kids = [key["kid"] for key in http("GET", authorization_server.jwks_uri).json()["keys"]]
    assert kids == [old, new]
    assert authorization_server.issuer.keys[-1].kid == new


def test_an_opaque_token_is_asked_about_until_it_is_revoked(authorization_server, settings):
    """What the token endpoint gives, the introspection endpoint knows, and the revocation endpoint ends (RFC 7009)."""
    settings.OAUTH_JWT = {
        "ISSUER": authorization_server.origin,
        "INTROSPECTION": {**INTROSPECTION, "CACHE_SECONDS": 0},
    }
    metadata = authorization_server.metadata()
    form = {**GRANT, "kind": "opaque", "scope": "read", "role": "admin"}
    token = http("POST", metadata["token_endpoint"], data=form).json()["access_token"]
    accepted = verify_token(token)
    assert (accepted.client_id, accepted.scopes, accepted.claims["role"]) == ("demo", {"read"}, "admin")
    assert http("POST", metadata["revocation_endpoint"], data={"token": token}).status_code == 200
    with pytest.raises(InvalidToken, match="not active"):
        verify_token(token)
    assert authorization_server.introspections == 2


def asked_with_proof(server, proof, **form):
    return http("POST", f"{server.origin}/token", data={**GRANT, **form}, headers={"DPoP": proof})


@pytest.mark.parametrize("kind", ["good", "opaque"])
def test_a_token_is_bound_to_the_key_of_the_proof_and_made_for_the_resource(authorization_server, settings, kind):
    """RFC 9449 section 5, RFC 8707: what a form says of the binding counts less than the proof."""
    resource = "https://books.example.com"
    settings.OAUTH_JWT = {"ISSUER": authorization_server.origin, "INTROSPECTION": INTROSPECTION}
    proof_key, url = ProofKey.generate(), f"{authorization_server.origin}/token"
    form = {"kind": kind, "resource": resource, "claims": '{"cnf": {"jkt": "another"}}'}
    answer = asked_with_proof(authorization_server, proof_key.headers("", "POST", url, ath=None)["DPoP"], **form).json()
    assert answer["token_type"] == "DPoP"
    token = verify_token(answer["access_token"], binding_checked=True)
    assert token.confirmation == {"jkt": proof_key.thumbprint}
    assert token.claims["aud"] == resource


@pytest.mark.parametrize(
    "fault",
    [
        {"htm": "GET"},
        {"htu": "http://127.0.0.1/token"},
        {"iat": None},
        {"iat": 1},
        {"iat": 10**400},
        {"iat": "now"},
        {"typ": "jwt"},
        {"signed_by": ProofKey.generate()},
    ],
    ids=" ".join,
)
def test_without_a_good_proof_there_is_no_bound_token(authorization_server, fault):
    """A key that one does not have is nothing to bind a token to."""
    proof = ProofKey.generate().headers("", "POST", f"{authorization_server.origin}/token", **fault)["DPoP"]
    for bad in (proof, "no proof", ""):
        answer = asked_with_proof(authorization_server, bad)
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_dpop_proof"})


def test_a_page_of_another_origin_may_send_a_proof(authorization_server):
    """The example's page has one, and its browser asks first."""
    answer = http("OPTIONS", f"{authorization_server.origin}/token")
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert answer.headers["Access-Control-Allow-Headers"] == "DPoP"


def test_nobody_but_the_api_may_ask_about_tokens(authorization_server):
    """RFC 7662 section 2.1: else tokens could be guessed there."""
    for auth in (None, ("books", "guess"), ("stranger", "secret")):
        answer = http("POST", f"{authorization_server.origin}/introspect", data={"token": "guess"}, auth=auth)
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert authorization_server.introspections == 0


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/token"), ("POST", "/jwks")])
def test_all_else_is_not_found(authorization_server, method, path):
    """Nothing happens at another address, or by another method."""
    assert http(method, f"{authorization_server.origin}{path}").status_code == 404
    assert authorization_server.jwks_fetches == 0


def test_its_end_frees_the_port():
    """A demo that has ended can be started again."""
    with AuthorizationServer() as first:
        port = first.server_port
    with pytest.raises(requests.ConnectionError):
        http("GET", first.jwks_uri)
    with AuthorizationServer(port) as second:
        assert http("GET", second.jwks_uri).ok


def test_a_taken_port_is_said_plainly(capsys):
    """The example's settings name the port, so another one would be of no use."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as end:
            main(["--port", str(port)])
    assert end.value.code == 1
    assert f"Port {port} is not to be had" in capsys.readouterr().err


def test_as_a_program_it_serves_until_it_is_stopped(started, way_to_stop):
    """The line that it prints works as it stands, and stopping is no error."""
    number, options = way_to_stop
    with started("-m", "testproject.authorization_server", "--port", "0", **options) as process:
        lines = iter(process.stdout.readline, "")
        curl = next(line for line in lines if line.startswith("curl"))
        url = curl.split()[-1]
        assert http("POST", url, data=curl.split('"')[1], headers=FORM).json()["token_type"] == "Bearer"
        process.send_signal(number)
        rest = "".join(lines)
        assert process.wait() == 0
    assert "Traceback" not in rest
