"""The page's explanations: what `explain_token` says, told to this machine alone, without a word of the token."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from django_oauth_jwt.testing import ProofKey

URL = "http://testserver/secured/token"
TOKENS = {
    "good": lambda issuer: issuer.token("read"),
    "three faults": lambda issuer: issuer.token("read", expired=True, forged=True, sub=3),
    "opaque": lambda issuer: issuer.opaque_token("read"),
    "unknown": lambda issuer: "made-up",
    "no token": lambda issuer: "- --json",
}


@pytest.fixture
def explained(client):
    """POST for an explanation of a request to a view, and return the response."""

    def _explained(headers, path="/secured/token", **extra):
        return client.post("/explain", {"path": path}, headers=headers, **extra)

    return _explained


@pytest.fixture
def asked(issuer):
    """The issuer, which is asked about opaque tokens."""
    with issuer.installed(INTROSPECTION={"CLIENT_ID": "books", "CLIENT_SECRET": "secret"}):
        yield issuer


def by_command(*arguments):
    """Return what the command says, without the details, which tell the seconds."""
    output = StringIO()
    call_command("explain_token", *arguments, "--json", stdout=output)
    return [(rule["rule"], rule["passed"]) for rule in json.loads(output.getvalue())["rules"]]


@pytest.mark.parametrize("make", TOKENS.values(), ids=TOKENS)
def test_it_says_what_the_command_says(asked, explained, make):
    """Each rule with its result, in the command's order, and why."""
    token = make(asked)
    response = explained({"Authorization": f"Bearer {token}"})
    explanation = response.json()
    assert [(rule["rule"], rule["passed"]) for rule in explanation["rules"]] == by_command("Bearer", token)
    assert all(rule["detail"] for rule in explanation["rules"])
    is_good = all(rule["passed"] for rule in explanation["rules"])
    assert explanation["verdict"].startswith("accepted" if is_good else "refused: ")
    assert explanation["not_checked"][0] == "what views require"
    assert response["Cache-Control"] == "no-store"


def test_a_proof_is_explained_and_not_used_up(issuer, client, explained):
    """The rules of DPoP are asked as for the request itself, which can still be sent."""
    proof_key = ProofKey.generate()
    token = issuer.token(bound_to=proof_key)
    headers = proof_key.headers(token, "GET", URL)
    said = explained(headers).json()
    assert said["verdict"] == "accepted"
    rules = [(rule["rule"], rule["passed"]) for rule in said["rules"]]
    assert rules == by_command(token, "--proof", headers["DPoP"], "--url", URL)
    assert explained(headers, "/api/token").json()["verdict"] == "refused: wrong_proof_url"
    assert client.get("/secured/token", headers=headers).status_code == 200
    without = explained({"Authorization": f"DPoP {token}"}).json()
    assert without["verdict"] == "accepted, if its sender proves that it is theirs"
    assert explained({"Authorization": f"Bearer {token}"}).json()["verdict"] == "refused: unproven"


@pytest.mark.parametrize("kind", ["token", "opaque_token"])
def test_neither_the_token_nor_what_it_says_is_told(asked, explained, kind):
    """What an authorization server says of an opaque token is for the API, and the token is nobody's to repeat."""
    proof_key = ProofKey.generate()
    token = getattr(asked, kind)("secret-scope", sub="secret-subject", bound_to=proof_key)
    headers = proof_key.headers(token, "GET", URL)
    text = explained(headers).content.decode()
    assert "secret" not in text
    assert not [part for part in (*token.split("."), *headers["DPoP"].split(".")) if part in text]


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", ""])
def test_nobody_else_is_told_anything(issuer, explained, address):
    """A server that somebody opened to the network must not become one where stolen tokens can be tried."""
    assert explained(issuer.headers(), REMOTE_ADDR=address).status_code == 403
    assert explained(issuer.headers(), REMOTE_ADDR="::1").status_code == 200


def test_another_site_cannot_ask(issuer, client, explained):
    """The token is in a header, so a browser asks first whether it may send that, and nobody says yes."""
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Headers": "authorization"}
    refused = client.options("/explain", headers=headers)
    assert refused.status_code == 405
    answer = explained({**issuer.headers(), **headers})
    assert not [name for response in (refused, answer) for name in response.headers if name.startswith("Access-")]


def test_what_cannot_be_explained_is_refused(issuer, client, explained):
    """A request without a token, for a path that is no view's, or by another method."""
    assert explained({}).status_code == 400
    for path in ("", "//evil.example/", "/mcp"):
        assert explained(issuer.headers(), path).status_code == 400
    assert client.post("/explain", headers=issuer.headers()).status_code == 400
    assert client.get("/explain", headers=issuer.headers()).status_code == 405
