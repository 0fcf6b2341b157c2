"""The explanation of an opaque token says what its authorization server and the rules say, as verification does."""

import json

import pytest

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.diagnosis import explain
from django_oauth_jwt.errors import BearerError
from django_oauth_jwt.testing import ProofKey, TokenIssuer
from django_oauth_jwt.verification import verify_token

AUDIENCE = "https://api.example.com"
ASKED = {"CLIENT_ID": "books", "CLIENT_SECRET": "secret"}
CLOSED = "http://127.0.0.1:1/introspect"


@pytest.fixture(params=["json", "jwt"])
def opaque_issuer(request, rsa_issuer):
    """An issuer that is asked about tokens, and answers with their claims or with a JWT."""
    with rsa_issuer.installed(AUDIENCE=AUDIENCE, INTROSPECTION={**ASKED, "ANSWER": request.param}):
        yield rsa_issuer


TOKENS = {
    "good": lambda issuer: issuer.opaque_token("read"),
    "inactive": lambda issuer: issuer.opaque_token(active=False),
    "unknown": lambda issuer: "made-up",
    "another audience": lambda issuer: issuer.opaque_token(aud="https://else.example.com"),
    "another issuer": lambda issuer: issuer.opaque_token(iss="https://else.example.com"),
    "expired": lambda issuer: issuer.opaque_token(exp=1),
    "not yet": lambda issuer: issuer.opaque_token(nbf=10**11),
    "no time": lambda issuer: issuer.opaque_token(exp="soon"),
    "no subject": lambda issuer: issuer.opaque_token(sub=["anna"]),
    "blank": lambda issuer: "made up",
    "too long": lambda issuer: "x" * 20_000,
    "JWT": lambda issuer: issuer.token("read"),
    "forged JWT": lambda issuer: issuer.token(forged=True),
}


@pytest.mark.parametrize("make", TOKENS.values(), ids=TOKENS)
def test_it_agrees_with_verification(opaque_issuer, make):
    """What verification refuses has its reason among those of the explanation, and what it accepts has none."""
    token = make(opaque_issuer)
    explanation, reason = explain(token, get_runtime()), None
    try:
        verify_token(token)
    except BearerError as error:
        reason = error.reason
    assert explanation.is_accepted if reason is None else reason in explanation.reasons


def test_an_explanation_is_not_remembered(opaque_issuer):
    """It asks anew each time, so it shows what the authorization server says now."""
    token = opaque_issuer.opaque_token()
    assert verify_token(token)
    opaque_issuer._opaque_tokens[token] = {"active": False}
    assert explain(token, get_runtime()).reasons == ["inactive"]
    assert verify_token(token)


def test_each_rule_is_shown_with_what_the_answer_has(rsa_issuer):
    """Somebody who looks for the cause sees the answer's claims beside what is accepted."""
    with rsa_issuer.installed(AUDIENCE=AUDIENCE, INTROSPECTION=ASKED):
        explanation = explain(rsa_issuer.opaque_token("read", sub="anna"), get_runtime())
    assert explanation.is_accepted
    assert explanation.token["sub"] == "anna"
    assert explanation.token["scopes"] == ["read"]
    shown = {result.rule: result.detail for result in explanation.results}
    assert shown["introspection"] == 'at "https://issuer.test"'
    assert shown["audience"] == f'"{AUDIENCE}"; accepted: "{AUDIENCE}"'
    assert shown["use"] == "not said"
    assert {"issuer", "names", "exp", "nbf", "iat", "binding", "scope", "claims"} < shown.keys()


def test_where_no_answer_comes_the_cause_is_shown():
    """The one who runs the command may know of the outage only from it."""
    issuer = TokenIssuer(alg="ES256")
    with issuer.installed(INTROSPECTION={**ASKED, "ENDPOINT": CLOSED}):
        explanation = explain("made-up", get_runtime())
    assert explanation.reasons == ["introspection_unavailable"]
    (asked, *rest) = explanation.results
    assert "request failed (ConnectionError" in asked.detail
    assert CLOSED in asked.detail
    assert [result.passed for result in rest] == [None] * 3


def test_metadata_without_an_endpoint_are_the_cause(jwks_server, settings):
    """The endpoint is not known then, so each place that was looked at is named."""
    settings.OAUTH_JWT = {"ISSUER": jwks_server.origin, "INTROSPECTION": ASKED}
    (asked, *_) = explain("made-up", get_runtime()).results
    assert "no metadata found for the issuer" in asked.detail


def test_a_jwt_that_is_not_the_servers_own_is_no_answer(rsa_issuer, monkeypatch):
    """The token is not to blame for it."""
    with rsa_issuer.installed(INTROSPECTION={**ASKED, "ANSWER": "jwt"}):
        monkeypatch.setattr(rsa_issuer, "phantom_of", lambda members: TokenIssuer().token())
        explanation = explain(rsa_issuer.opaque_token(), get_runtime())
    assert explanation.reasons == ["introspection_unavailable"]


FIRST = "https://first.example.com"


def _two_issuers(issuer, **first):
    """Have another issuer asked before this one."""
    entry = {"JWKS_SERVICE": issuer, "INTROSPECTION": {**ASKED, "ENDPOINT": f"{FIRST}/introspect", **first}}
    return issuer.installed(ISSUERS={FIRST: entry}, INTROSPECTION=ASKED)


@pytest.mark.parametrize("answer", ["json", "jwt"])
def test_several_issuers_are_asked_in_turn(rsa_issuer, answer):
    """A token does not say whose it is; that the first one does not know it, or says whose it is, is no fault."""
    with _two_issuers(rsa_issuer, ANSWER=answer):
        mine, of_the_first = explain(rsa_issuer.opaque_token(), get_runtime()), rsa_issuer.opaque_token(iss=FIRST)
        first, nobodys = explain(of_the_first, get_runtime()), explain("made-up", get_runtime())
    assert mine.is_accepted
    assert first.is_accepted
    assert [result.passed for result in mine.results[:2]] == [None, True]
    assert nobodys.reasons == ["inactive"]


def test_an_issuer_that_does_not_answer_may_be_the_tokens(rsa_issuer):
    """Where a later one has the token all is well; else nothing can be said."""
    with _two_issuers(rsa_issuer, ENDPOINT=CLOSED):
        rsa_issuer.introspect = lambda encoded_token: {"active": False}
        nobodys = explain("made-up", get_runtime())
        del rsa_issuer.introspect
    assert nobodys.reasons == ["inactive", "introspection_unavailable"]


def test_a_jwt_that_is_asked_about_shows_that(rsa_issuer):
    """With TOKENS "all" a revoked JWT is good by each rule, and refused all the same."""
    with rsa_issuer.installed(INTROSPECTION={**ASKED, "TOKENS": "all"}):
        token = rsa_issuer.token()
        good = explain(token, get_runtime())
        rsa_issuer.introspect = lambda encoded_token: {"active": False}
        revoked = explain(token, get_runtime())
        del rsa_issuer.introspect
    assert [result.passed for result in good.results if result.rule == "introspection"] == [True]
    assert revoked.reasons == ["inactive"]


def test_the_binding_of_an_opaque_token_is_shown(rsa_issuer):
    """``cnf`` in the answer binds."""
    with rsa_issuer.installed(INTROSPECTION=ASKED):
        explanation = explain(rsa_issuer.opaque_token(bound_to=ProofKey.generate()), get_runtime())
    (binding,) = (result for result in explanation.results if result.rule == "binding")
    assert binding.detail.startswith("a DPoP proof by the key")


def test_a_resolver_is_not_asked_and_said_so(rsa_issuer):
    """An explanation has no request to ask it with."""
    with rsa_issuer.installed(INTROSPECTION=ASKED, USER_RESOLVER=lambda token, request: None):
        explanation = explain(rsa_issuer.opaque_token(), get_runtime())
    assert explanation.not_checked[-1] == "whether USER_RESOLVER finds a user"


def test_nothing_of_the_token_nor_of_our_credentials_is_shown(opaque_issuer):
    """What the command prints may be sent to anybody."""
    token = opaque_issuer.opaque_token()
    shown = json.dumps([vars(result) for result in explain(token, get_runtime()).results])
    assert token not in shown
    assert ASKED["CLIENT_SECRET"] not in shown
