"""The list of rules: what is in it holds for verification and explanation alike, and what is not holds for neither."""

from dataclasses import replace

import pytest

from django_oauth_jwt import diagnosis, verification
from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.diagnosis import breakdown, explain, explanation
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.verification import RULES, Rule, verifier
from django_oauth_jwt.verification.rules import checks_of


def _refuse(token, key_set, now):
    raise InvalidToken("critical_header")


def _refusing(rule):
    """Return the rule as one that no token satisfies, and whose parts are all satisfied."""
    return replace(rule, check=_refuse)


@pytest.fixture
def with_rules(monkeypatch):
    """Put another list in the place of the rules."""

    def put(rules):
        monkeypatch.setattr(explanation, "RULES", rules)
        for name, checks in zip(("BEFORE_KEYS", "AFTER_KEYS"), checks_of(rules), strict=True):
            monkeypatch.setattr(verifier, name, checks)

    return put


def _crosses(token):
    return {row.rule: row.reason for row in explain(token, get_runtime()).results if row.passed is False}


def test_there_is_one_list():
    """Both faces give the same one, and each name in it stands for one rule."""
    names = [part.name for rule in RULES for part in (rule, *rule.parts)]
    assert explanation.RULES is verification.RULES
    assert checks_of(RULES) == (verifier.BEFORE_KEYS, verifier.AFTER_KEYS)
    assert [*verifier.BEFORE_KEYS, *verifier.AFTER_KEYS] == [rule.check for rule in RULES if rule.name != "keys"]
    assert len(set(names)) == len(names)
    assert diagnosis.explain is explain


def test_a_rule_that_is_added_holds_for_both(with_rules, reason_of, issuer):
    """It refuses, and it is shown with its facts, though nobody has thought of words for it."""
    facts = {"has": "x", "accepted": ["a", "b"]}
    with_rules((*RULES, Rule("moon", _refuse, lambda *_: facts, ("payload",))))
    assert reason_of(issuer.token()) == "critical_header"
    rows = explain(issuer.token(), get_runtime()).results
    (row,) = [row for row in rows if row.rule == "moon"]
    assert (row.passed, row.reason) == (False, "critical_header")
    assert row.detail.endswith('(has: "x"; accepted: ["a", "b"])')
    assert [row.passed for row in explain("a.b.c", get_runtime()).results if row.rule == "moon"] == [None]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.name != "keys"], ids=lambda rule: rule.name)
def test_each_rule_holds_for_both(with_rules, reason_of, issuer, rule):
    """Whichever says no, the token is refused and called so: also where none of the parts that are shown says no."""
    position = RULES.index(rule)
    with_rules((*RULES[:position], _refusing(rule), *RULES[position + 1 :]))
    assert reason_of(issuer.token()) == "critical_header"
    assert _crosses(issuer.token()) == {rule.name: "critical_header"}


#: By rule: a token that this one alone refuses.
BROKEN = {
    "issuer": {"iss": "https://other.test"},
    "algorithm": {"header": {"alg": "HS256"}},
    "key and signature": {"forged": True},
    "type": {"header": {"typ": "id+jwt"}},
    "kind": {"at_hash": "x"},
    "use": {"token_use": "id"},
    "required claims": {"jti": None},
    "audience": {"aud": "other"},
    "names": {"sub": 5},
    "times": {"expired": True},
}


def test_a_token_is_there_for_each_rule_but_that_of_the_keys():
    """So the table below grows with the rules."""
    assert BROKEN.keys() == {rule.name for rule in RULES} - {"keys"}


@pytest.mark.parametrize("name", sorted(BROKEN.keys() - {"algorithm"}))  # HS256 has no key here whatever the rules
def test_a_rule_that_is_taken_out_holds_for_neither(with_rules, reason_of, rsa_issuer, name):
    """Nothing is checked beside the list."""
    with rsa_issuer.installed(AUDIENCE="api", REQUIRED_CLAIMS=["jti"], TOKEN_CACHE_SIZE=0):
        token = rsa_issuer.token(**{"aud": "api", **BROKEN[name]})
        assert reason_of(token) in _crosses(token).values()
        with_rules(tuple(rule for rule in RULES if rule.name != name))
        assert reason_of(token) is None
        assert _crosses(token) == {}


def test_what_cannot_be_read_is_refused_though_each_part_seems_right(reason_of, issuer, monkeypatch):
    """The explanation takes the reading apart, but believes verification."""

    def read(*args):
        raise InvalidToken("malformed")

    for module in (verifier, breakdown):
        monkeypatch.setattr(module, "read_token", read)
    assert reason_of(issuer.token()) == "malformed"
    assert _crosses(issuer.token()) == {"reading": "malformed"}
    assert not explain(issuer.token(), get_runtime()).is_accepted


def test_the_rules_before_the_keys_are_asked_without_any(with_rules, reason_of, issuer):
    """And those after them with the issuer's, at the time when these came."""
    seen = []

    def spy(token, key_set, now):
        seen.append((len(key_set), now > 0))

    def spying(name):
        return Rule(name, spy, lambda *_: {}, ())

    with_rules((spying("first"), *RULES, spying("last")))
    assert reason_of(issuer.token()) is None
    assert seen == [(0, False), (1, True)]


def test_what_a_remembered_token_passes_again_is_of_the_list():
    """Only what time may change is asked at each use, and it is the same that is asked at first."""
    assert tuple(rule.at_each_use for rule in RULES if rule.at_each_use) == verifier.AT_EACH_USE
    assert [rule.name for rule in RULES if rule.at_each_use] == ["times"]
