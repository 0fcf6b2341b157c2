"""How the project says who it is when it asks (RFC 6749 section 2.3.1, RFC 7523 section 2.2)."""

import json
from base64 import b64decode
from urllib.parse import unquote_plus

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from django_oauth_jwt.introspection import UNAVAILABLE
from django_oauth_jwt.jws import KeySet, verify_compact
from django_oauth_jwt.verification import verify_token

ODD = "a:b c+d/e%f\u00fc&=~\"'"
ASSERTION = {"client_assertion_type", "client_assertion"}


def pem(key):
    return key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def sent(make_asked, endpoint):
    """What is sent with these settings, in the form beside the token, and in the headers."""

    def sent(oauth_jwt=(), **introspection):
        assert make_asked(oauth_jwt, **introspection).reason("token") is None
        _, form, headers = endpoint.asked[-1]
        assert form.pop("token") == "token"
        assert form.pop("token_type_hint") == "access_token"
        return form, headers

    return sent


@pytest.mark.parametrize("secret", ["hunter2", ODD])
@pytest.mark.parametrize("auth", [{}, {"AUTH": "client_secret_basic"}])
def test_a_secret_is_sent_in_the_header_by_default(sent, secret, auth):
    """Each part form-encoded, as RFC 6749 wants it and half of the world forgets; and in the form not at all."""
    form, headers = sent(CLIENT_ID=ODD, CLIENT_SECRET=secret, **auth)
    scheme, credentials = headers["Authorization"].split(" ")
    pair = b64decode(credentials).decode().split(":")
    assert (scheme, [unquote_plus(part) for part in pair]) == ("Basic", [ODD, secret])
    assert all(part.isascii() for part in pair)
    assert form == {}


def test_a_secret_may_be_sent_in_the_form(sent):
    """And in the header not at all."""
    form, headers = sent(CLIENT_ID=ODD, CLIENT_SECRET=ODD, AUTH="client_secret_post")
    assert form == {"client_id": ODD, "client_secret": ODD}
    assert "Authorization" not in headers


def test_odd_characters_arrive_as_they_are(trust_server):
    """Over HTTP, in the form."""
    server = trust_server(CLIENT_ID=ODD, CLIENT_SECRET=ODD, AUTH="client_secret_post")
    token = server.issuer.opaque_token("read")
    assert verify_token(token).scopes == {"read"}
    (question,) = server.questions
    assert question.form == {
        "token": token,
        "token_type_hint": "access_token",
        "client_id": ODD,
        "client_secret": ODD,
    }
    assert question.headers["content-type"] == "application/x-www-form-urlencoded"
    assert question.headers["accept"] == "application/json"


def test_a_secret_may_be_fetched(sent):
    """A callable is asked at each question, so a secret may change."""
    secrets = iter(["one", "two"])
    first, second = (
        sent(CLIENT_ID="api", CLIENT_SECRET=lambda: next(secrets), AUTH="client_secret_post", CACHE_SECONDS=0)[0]
        for _ in range(2)
    )
    assert (first["client_secret"], second["client_secret"]) == ("one", "two")


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_a_key_signs_an_assertion(sent, signing_key, clock, alg):
    """RFC 7523 section 3: for the authorization server alone, for a minute, and never the same twice."""
    key = signing_key(alg, "client")
    key_set = KeySet.from_jwks({"keys": [key.public_jwk()]})
    seen = set()
    for _ in range(2):
        form, headers = sent(CLIENT_ID="api", PRIVATE_KEY=pem(key), KEY_ID="client", ALG=alg, CACHE_SECONDS=0)
        assert set(form) == ASSERTION
        assert "Authorization" not in headers
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        header, payload = verify_compact(form["client_assertion"], key_set, [alg])
        assert header == {"alg": alg, "typ": "JWT", "kid": "client"}
        claims = json.loads(payload)
        seen.add(claims.pop("jti"))
        now = int(clock())
        issuer = "https://issuer.test"
        assert claims == {"iss": "api", "sub": "api", "aud": issuer, "iat": now, "exp": now + 60}
    assert len(seen) == 2


def test_an_assertion_without_a_key_id_names_none(sent, signing_key):
    """And for an authorization server without a name it is for its endpoint."""
    key = signing_key("ES256", "client")
    oauth_jwt = {"ISSUER": None, "JWKS_URI": "https://issuer.test/jwks"}
    form, _ = sent(oauth_jwt, CLIENT_ID="api", PRIVATE_KEY=pem(key), AUTH="private_key_jwt")
    header, payload = verify_compact(
        form["client_assertion"], KeySet.from_jwks({"keys": [key.public_jwk()]}), ["ES256"]
    )
    assert header == {"alg": "ES256", "typ": "JWT"}
    assert json.loads(payload)["aud"] == "https://issuer.test/introspect"


def test_a_client_may_be_known_by_its_connection(sent):
    """AUTH "none": the certificate is HTTP_SESSION's affair (RFC 8705 section 2 wants the client's name)."""
    form, headers = sent(CLIENT_ID="api", AUTH="none")
    assert form == {"client_id": "api"}
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("auth", "header"),
    [("client_secret_basic", "Basic YXBpOmh1bnRlcjI="), ("client_secret_post", "Basic c2Vzc2lvbjpwYXNz"), (None, None)],
)
def test_credentials_of_the_session_do_not_replace_ours(trust_server, auth, header, monkeypatch, tmp_path):
    """Those that the project gave its session are sent where ours stand elsewhere; those of a .netrc never."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    session = requests.Session()
    if auth:
        session.auth = ("session", "pass")
    server = trust_server({"HTTP_SESSION": session}, AUTH=auth or "client_secret_post")
    verify_token(server.issuer.opaque_token("read"))
    assert server.questions[0].headers.get("authorization") == header


BAD_SECRETS = {
    "raises": (lambda: 1 / 0, "CLIENT_SECRET failed (ZeroDivisionError)"),
    "None": (lambda: None, "CLIENT_SECRET returned no secret, but a NoneType"),
    "empty": (lambda: "", "CLIENT_SECRET returned no secret, but a str"),
    "bytes": (lambda: b"hunter2", "CLIENT_SECRET returned no secret, but a bytes"),
}


@pytest.mark.parametrize(("secret", "reason"), BAD_SECRETS.values(), ids=BAD_SECRETS)
def test_a_secret_that_cannot_be_had_is_an_error_in_the_log(make_asked, endpoint, log, secret, reason):
    """Nothing is asked without it, once per back-off."""
    asked = make_asked(CLIENT_ID="api", CLIENT_SECRET=secret)
    assert asked.reason("token") == UNAVAILABLE
    assert endpoint.asked == []
    lines = [line for line in log() if line[1] != "CLIENT_SECRET failed"]
    assert lines == [
        ("ERROR", f"Introspection at https://issuer.test/introspect failed: {reason}; next try in 1 seconds")
    ]
    assert asked.introspector.state.failures == 1
