"""The explanation of a bound token and its proof says nothing else than a request with them would be told."""

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.diagnosis import explain
from django_oauth_jwt.proofs import DPOP, RequestFacts
from django_oauth_jwt.signals import token_rejected
from django_oauth_jwt.testing import ProofKey, TokenIssuer

from .rules import PROOF_RULES, RULES

URL = "http://testserver/books/"
NOW = 1_800_000_000
KEY, OTHER = ProofKey.generate(), ProofKey.generate()
urlpatterns = [path("books/", secure()(lambda request: HttpResponse()))]
pytestmark = pytest.mark.urls(__name__)
FAULTS = [
    {},
    *({"iat": iat} for iat in (NOW - 90, NOW - 91, NOW + 30, NOW + 31, 0, "now", None, 10**400, 1e300)),
    *({"htm": htm} for htm in ("POST", "get", "", None, 1)),
    *({"htu": htu} for htu in (f"{URL}?page=2", "http://testserver:80/books/", "http://testserver/books", "x", None)),
    *({"ath": ath} for ath in ("x" * 43, "", None)),
    *({"jti": jti} for jti in ("", None, 5)),
    *({"nonce": nonce} for nonce in ("x", "1.x", 5)),
    *({"typ": typ} for typ in ("DPOP+JWT", "JWT", None)),
    *({"alg": alg} for alg in ("ES384", "HS256", "none", None)),
    *({"jwk": jwk} for jwk in (OTHER.public_jwk, {**KEY.public_jwk, "d": "AQAB"}, {}, None)),
    *({name: "x"} for name in ("crit", "jku", "x5u", "x5c", "kid")),
    {"signed_by": OTHER},
    {"iat": 0, "htm": "POST", "htu": "x", "ath": "x"},
]


@pytest.fixture
def issuer(monkeypatch):
    """An issuer that is trusted, at a time that stands still."""
    monkeypatch.setattr("time.time", lambda: NOW)
    with TokenIssuer(alg="ES256").installed() as installed:
        yield installed


def sent(proof):
    return RequestFacts(DPOP, "GET", URL, proof)


def rows(explanation):
    return {result.rule: result for result in explanation.results}


@pytest.fixture
def reason_of():
    """Return why a request with a token and a proof is refused, None where it is answered."""
    reasons = []

    def note(reason, **kwargs):
        reasons.append(reason)

    def reason_of(token, proof):
        reasons.clear()
        status = Client().get("/books/", headers={"Authorization": f"DPoP {token}", "DPoP": proof}).status_code
        assert (status == 200) == (not reasons)
        return reasons[0] if reasons else None

    token_rejected.connect(note)
    yield reason_of
    token_rejected.disconnect(note)


@pytest.mark.parametrize(
    ("settings", "accepted"),
    [({}, 9), ({"LEEWAY": 0}, 7), ({"DPOP": {"NONCE": True}}, 0), ({"DPOP": {"ALGORITHMS": ["ES384"]}}, 0)],
)
def test_explanation_and_request_never_disagree(issuer, reason_of, settings, accepted):
    """Each rule of a proof is ok if and only if the request is answered; else its reason is among those shown."""
    with issuer.installed(**settings):
        token = issuer.token(bound_to=KEY)
        for faults in FAULTS:
            proof = KEY.headers(token, "GET", URL, **faults)["DPoP"]
            explanation, reason = explain(token, get_runtime(), sent(proof)), reason_of(token, proof)
            accepted -= explanation.is_accepted
            assert explanation.is_accepted == (reason is None), faults
            assert explanation.reasons == [] if reason is None else reason in explanation.reasons, faults
    assert accepted == 0


@pytest.mark.parametrize(
    ("cnf", "reasons"),
    [
        ({"jkt": KEY.thumbprint}, []),
        ({"jkt": OTHER.thumbprint}, ["wrong_proof_key"]),
        (None, ["unproven"]),
        ({}, ["unproven"]),
        ("x", ["malformed_claim"]),
        ({"jkt": 5}, ["malformed_claim"]),
        ({"x5t#S256": "x"}, ["unproven"]),
        ({"jkt": KEY.thumbprint, "x5t#S256": "x"}, ["unproven"]),
    ],
)
def test_whatever_the_token_is_bound_to(issuer, reason_of, cnf, reasons):
    """Its binding and the scheme are rules as well, and each rule has its line."""
    token = issuer.token(cnf=cnf)
    proof = KEY.headers(token, "GET", URL)["DPoP"]
    explanation = explain(token, get_runtime(), sent(proof))
    assert explanation.reasons == reasons
    assert reason_of(token, proof) == (reasons[0] if reasons else None)
    place = RULES.index("binding") + 1
    certificate = ["certificate"] if isinstance(cnf, dict) and "x5t#S256" in cnf else []
    assert list(rows(explanation)) == [*RULES[:place], *PROOF_RULES, *certificate, *RULES[place:]]


def test_a_nonce_is_a_rule_where_the_settings_want_one(issuer, reason_of):
    """One of this server is ok, and one that nobody gave is not."""
    with issuer.installed(DPOP={"NONCE": True}):
        token = issuer.token(bound_to=KEY)
        refusal = Client().get("/books/", headers=KEY.headers(token, "GET", URL))
        for nonce, passed in ((refusal.headers["DPoP-Nonce"], True), ("x", False), (None, False)):
            proof = KEY.headers(token, "GET", URL, nonce=nonce)["DPoP"]
            explanation = explain(token, get_runtime(), sent(proof))
            assert rows(explanation)["proof nonce"].passed is passed
            assert explanation.reasons == ([] if passed else ["use_dpop_nonce"])
            assert (reason_of(token, proof) is None) is passed


def test_a_proof_that_was_looked_at_is_as_good_as_before(issuer, reason_of):
    """Nothing is remembered of it: not even that it was used before is found out."""
    token = issuer.token(bound_to=KEY)
    proof = KEY.headers(token, "GET", URL)["DPoP"]
    for _ in range(2):
        assert explain(token, get_runtime(), sent(proof)).is_accepted
    assert reason_of(token, proof) is None
    assert reason_of(token, proof) == "replayed_proof"
    explanation = explain(token, get_runtime(), sent(proof))
    assert (explanation.reasons, explanation.not_checked[-1]) == ([], "whether the proof was used before")


@pytest.mark.parametrize(
    ("cnf", "require", "reasons", "open_rules"),
    [
        (None, False, [], []),
        (None, True, ["unproven"], []),
        ({"jkt": "x"}, True, [], ["proof"]),
        ({"x5t#S256": "x"}, True, [], ["certificate"]),
        ({"jkt": "x", "x5t#S256": "y"}, False, [], ["proof", "certificate"]),
        ({"jwk": {}}, False, ["unproven"], []),
        ([], False, ["malformed_claim"], []),
    ],
)
def test_without_a_proof_the_binding_is_shown_and_left_open(issuer, cnf, require, reasons, open_rules):
    """What a request would have to show is said, and that nobody has looked at it."""
    with issuer.installed(REQUIRE_BOUND_TOKENS=require, CLIENT_CERTIFICATE={"SOURCE": "wsgi"}):
        explanation = explain(issuer.token(cnf=cnf), get_runtime())
    assert (explanation.reasons, explanation.is_accepted) == (reasons, not reasons)
    assert [name for name, row in rows(explanation).items() if row.passed is None] == open_rules
    assert len(explanation.not_checked) == 1 + len(open_rules)
    assert set(rows(explanation)) == {*RULES, *open_rules}


def test_a_token_that_cannot_be_read_is_bound_to_nobody_knows_whom(issuer):
    """Its binding is no rule that could be asked."""
    for given, names in ((None, ["binding"]), (sent(None), ["binding"]), (sent("x"), ["binding", "proof"])):
        explanation = explain("a.b.c", get_runtime(), given)
        assert [name for name, row in rows(explanation).items() if row.passed is None][-2 - len(names) :] == [
            *names,
            "scope",
            "claims",
        ]
