"""The explanation of a token says nothing else than verification does, whatever the token."""

import itertools
from unittest.mock import Mock

import pytest

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.diagnosis import explain, shown
from django_oauth_jwt.testing import SigningKey

from ..fixtures.issuers import refusal_of
from .rules import RULES

AUDIENCE = "https://api.example.com"
NOW = 1_800_000_000
OTHER = SigningKey.generate("RS256", "other")
TIMES = [
    *(NOW, NOW - 10, NOW - 11, NOW + 10, NOW + 11, NOW + 0.5, 0, -1, 10**30, -(10**30), 1e300),
    *(None, True, False, "1", str(NOW), [NOW], {}, ""),
]
CLAIMS = [
    {},
    *({name: value} for name in ("exp", "nbf", "iat") for value in TIMES),
    *({"aud": aud} for aud in (AUDIENCE, [AUDIENCE], ["x", AUDIENCE], "x", [], [[AUDIENCE]], [{}], {}, 1, True, None)),
    *({"iss": iss} for iss in ("https://issuer.test", "https://issuer.test/", "", 1, [], {}, None)),
    *({"sub": sub} for sub in ("", 1, True, [], {}, None)),
    *({"jti": jti} for jti in ("", 0, False, [], None)),
]
HEADERS = [
    *({"typ": typ} for typ in ("at+jwt", "AT+JWT", "application/jwt", "JWT", "id+jwt", "", 1, [], None)),
    *({"kid": kid} for kid in ("key-1", "key-2", "", 1, [], None)),
    *({"alg": alg} for alg in ("RS256", "RS512", "PS256", "ES256", "HS256", "none", "", 1, [], None)),
    *({"crit": crit} for crit in (["b64"], [], None)),
    *({"b64": b64} for b64 in (True, False)),
    {"jku": "https://evil.example.com", "x5u": "x", "jwk": {}},
]


def texts(token):
    """Yield what becomes of a token under all kinds of hands."""
    header, payload, signature = token.split(".")
    yield from ("", token[:-1], token[:-9], token + "A", token + "=", token + ".", f"{token}.{signature}", f" {token}")
    yield from (f"{header}.{payload}.", f"{header}.{payload}", f".{payload}.{signature}", f"{header}..{signature}")
    yield from (f"{payload}.{header}.{signature}", f"{header}.{header}.{signature}", token.replace("e", "é", 1))
    yield from (
        f"{header}=.{payload}.{signature}",
        f"{header}.{payload}.{'A' * len(signature)}",
        "A" * 20000,
        "." * 20000,
    )


def corpus(api_issuer):
    """Yield tokens with no fault, one, and two."""
    issuer_kinds = [{}, {"expired": True}, {"forged": True}, {"rotated": True}]
    yield from (api_issuer.token(**kind) for kind in issuer_kinds)
    yield from (api_issuer.token(**claims) for claims in CLAIMS)
    yield from (api_issuer.token(header=header) for header in HEADERS)
    yield from (
        api_issuer.token(header=header, **claims) for header, claims in itertools.product(HEADERS[::3], CLAIMS[::7])
    )
    yield from (api_issuer.token(header={"alg": OTHER.alg, "kid": kid}, forged=True) for kid in ("key-1", "other"))
    for payload in (
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"exp":1e999}',
        b'{"exp":NaN}',
        b'{"a":1,"a":2}',
        b"\xff",
        b"[" * 9000,
    ):
        yield api_issuer.keys[0].encode({"alg": "RS256", "kid": "key-1"}, payload)
    yield from texts(api_issuer.token())


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"TOKEN_TYPES": ["at+jwt"], "REQUIRED_CLAIMS": ["exp", "iat", "sub"], "LEEWAY": 0},
        {"AUDIENCE": None, "ALGORITHMS": ["RS512", "ES256"]},
        {"TOKEN_CACHE_SIZE": 0, "MAX_TOKEN_LENGTH": 620},
        {"ISSUER": None, "REQUIRED_CLAIMS": []},
    ],
    ids=["plain", "strict", "no audience", "short", "any issuer"],
)
def test_explanation_and_verification_never_disagree(api_issuer, monkeypatch, overrides):
    """A token is accepted if and only if each rule is ok; the reason for a refusal is among the others."""
    monkeypatch.setattr("time.time", lambda: NOW)
    accepted = 0
    with api_issuer.installed(**{"AUDIENCE": AUDIENCE, "REQUIRED_CLAIMS": ["exp", "jti"], **overrides}):
        for token in corpus(api_issuer):
            reason, explanation = refusal_of(token), explain(token, get_runtime())
            accepted += explanation.is_accepted
            assert explanation.is_accepted == (reason is None)
            assert explanation.reasons == [] if reason is None else reason in explanation.reasons
            assert [result.rule for result in explanation.results] == RULES
    assert accepted > 0 or "ALGORITHMS" in overrides


def test_two_keys_of_one_kid_are_no_key(api_issuer, monkeypatch):
    """Which of the two signed it cannot be known; the explanation says so, as verification does."""
    double = SigningKey.generate("RS256", "key-1")
    api_issuer.keys.append(double)
    api_issuer.rotate()
    token = api_issuer.token(header={"kid": "key-1"})
    assert explain(token, get_runtime()).reasons == ["ambiguous_key"]
    assert refusal_of(token) == "ambiguous_key"


def test_what_nests_without_end_is_cut_off():
    """A value that JSON cannot write is no reason to end."""
    value = []
    for _ in range(200_000):
        value = [value]
    assert shown(value) == "..."


@pytest.fixture
def is_revoked():
    """What a project's own check says: True, False, or something that is neither."""
    return Mock(return_value=False)


@pytest.mark.parametrize(
    ("answer", "reason", "passed"),
    [(False, None, True), (True, "revoked", False), (None, "revocation_check_unavailable", False)],
)
def test_a_good_token_may_be_revoked(api_issuer, is_revoked, answer, reason, passed):
    """The check is asked where verification asks it: below the rules, above the binding, about what it verified."""
    is_revoked.return_value = answer
    with api_issuer.installed(IS_REVOKED=is_revoked):
        token = api_issuer.token()
        explanation = explain(token, get_runtime())
        assert refusal_of(token) == reason
    place = RULES.index("binding")
    assert [result.rule for result in explanation.results] == [*RULES[:place], "revocation", *RULES[place:]]
    row = explanation.results[place]
    assert (row.passed, row.reason) == (passed, reason)
    assert row.detail.endswith("IS_REVOKED was asked" if passed else "(IS_REVOKED was asked)")
    assert explanation.reasons == ([reason] if reason else [])
    asked, verified = (call.args[0] for call in is_revoked.call_args_list)
    assert (asked.encoded, asked.claims, asked.header) == (token, verified.claims, verified.header)


@pytest.mark.parametrize("token", [{"expired": True}, {"aud": "x"}, {"header": {"typ": 5}}, None])
def test_a_token_that_is_refused_is_not_asked_about(api_issuer, is_revoked, token):
    """Verification does not come so far."""
    with api_issuer.installed(IS_REVOKED=is_revoked):
        explanation = explain("rubbish" if token is None else api_issuer.token(**token), get_runtime())
    (row,) = [result for result in explanation.results if result.rule == "revocation"]
    assert (row.passed, row.detail) == (None, "not checked: the token is refused without it")
    assert not explanation.is_accepted
    assert not is_revoked.called
