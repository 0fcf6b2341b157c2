"""Why a token is accepted or refused: each rule of `verification` asked by itself, and all of them to the end."""

import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from ..conf import Runtime, Settings
from ..jws import EncodedToken, KeySet
from ..proofs import RequestFacts
from ..tokens import AccessToken, Requirements, VerifiedToken, scopes_of
from ..verification import NO_KEYS, RULES, Revocation, Rule, UnverifiedToken
from .binding import ask_binding
from .breakdown import read_in_parts
from .console import shown
from .introspected import ask_activity, ask_issuers
from .outcomes import Explanation
from .wording import facts_in_words

#: By the name of a rule that a token breaks: why those that need it cannot be asked.
_WITHOUT: Final = {"keys": "there are no keys", "key": "there is no key, or no signature"}

_REFUSED: Final = "the token is refused without it"


def explain(encoded_token: str, runtime: Runtime, sent: RequestFacts | None = None) -> Explanation:
    """Ask every rule about a token. May fetch keys, as the verification would.

    ``sent`` is the request that the token came with, None where nothing is known of it: its scheme is checked, and its
    proof where it has one, which is as good as before then.
    """
    encoded = EncodedToken(encoded_token)
    del encoded_token  # a report of what a project's key service raises would show it
    explanation = Explanation(not_checked=["what views require"])
    # Of what is no token at all the parts of a JWT say what is wrong with it.
    if runtime.settings.introspecting and encoded.seems_opaque(runtime.settings.max_token_length):
        _explain_opaque(explanation, encoded, runtime, sent)
    else:
        _explain_jwt(explanation, encoded, runtime, sent)
    return explanation


def _explain_jwt(explanation: Explanation, encoded: EncodedToken, runtime: Runtime, sent: RequestFacts | None) -> None:
    parts = read_in_parts(explanation, encoded, runtime)
    _ask_rules(explanation, parts.token, parts.missing)
    if explanation.is_accepted:
        ask_activity(explanation, encoded, parts.token)
    if "payload" in parts.missing:
        _skip_claims(explanation, parts.missing["payload"], runtime.settings, sent)
    else:
        _ask_claims(explanation, parts.token, encoded, sent)
    explanation.token = dict(_summary(parts.parameters, parts.token.claims))
    _note_resolver(explanation, parts.token)


def _explain_opaque(
    explanation: Explanation, encoded: EncodedToken, runtime: Runtime, sent: RequestFacts | None
) -> None:
    token = ask_issuers(explanation, encoded, runtime)
    if token is None:
        _skip_claims(explanation, "nothing is known of the token", runtime.settings, sent)
        return
    _ask_claims(explanation, token, encoded, sent)
    explanation.token = dict(_summary({}, token.claims))
    _note_resolver(explanation, token)


def _note_resolver(explanation: Explanation, token: UnverifiedToken) -> None:
    if token.trusted.user_resolver is not None:
        explanation.not_checked.append("whether USER_RESOLVER finds a user")


def _ask_rules(explanation: Explanation, token: UnverifiedToken, missing: Mapping[str, str]) -> None:
    """Ask each rule that can be asked, part by part."""
    without, key_set = dict(missing), NO_KEYS
    for rule in RULES:
        for part in rule.parts or (rule,):
            found = _ask(explanation, part, token, key_set, without)
            key_set = key_set if found is None else found
        if rule.parts and all(result.passed for result in explanation.results[-len(rule.parts) :]):
            explanation.ask_whole(rule.name, partial(_checked, rule, token, key_set, time.time()))


def _ask(
    explanation: Explanation, rule: Rule, token: UnverifiedToken, key_set: KeySet, without: dict[str, str]
) -> KeySet | None:
    """Note what a rule says, and in ``without`` what later rules cannot be asked for; return the keys that it gets."""
    why = next((without[need] for need in rule.needs if need in without), None)
    if why is not None:
        explanation.skip(why, rule.name)
        without.setdefault(rule.name, why)
        return None
    now = time.time()
    facts = facts_in_words(rule.name, rule.facts(token, key_set, now))
    found = explanation.ask(rule.name, partial(_checked, rule, token, key_set, now), facts)
    if not explanation.results[-1].passed:
        without[rule.name] = _WITHOUT.get(rule.name, f"{rule.name} is at fault")
    return found


def _checked(rule: Rule, token: UnverifiedToken, key_set: KeySet, now: float) -> KeySet | None:
    keys = rule.check(token, key_set, now)
    return None if keys is None else keys.get()


def _ask_claims(
    explanation: Explanation, token: UnverifiedToken, encoded: EncodedToken, sent: RequestFacts | None
) -> None:
    """Ask what is about a token that is verified: whose it is, and whether it has what the middleware requires."""
    settings = token.runtime.settings
    access_token = AccessToken(encoded.text, VerifiedToken(token.claims, token.header.parameters, token.trusted))
    _ask_revocation(explanation, access_token, settings)
    ask_binding(explanation, access_token, token.trusted, settings, sent, time.time())
    _ask_requirements(explanation, access_token, settings)


def _skip_claims(explanation: Explanation, why: str, settings: Settings, sent: RequestFacts | None) -> None:
    """Note what `_ask_claims` cannot ask."""
    if settings.is_revoked is not None:
        explanation.skip(_REFUSED, "revocation")
    proof = [] if sent is None or sent.proof is None else ["proof"]
    explanation.skip(why, "binding", *proof, "scope", "claims")


def _ask_revocation(explanation: Explanation, access_token: AccessToken, settings: Settings) -> None:
    """Ask what is asked at each use of a token that passes all rules, and of no other."""
    if settings.is_revoked is None:
        return
    if explanation.is_accepted:
        explanation.ask("revocation", Revocation(access_token, settings.is_revoked).get, "IS_REVOKED was asked")
    else:
        explanation.skip(_REFUSED, "revocation")


def _ask_requirements(explanation: Explanation, access_token: AccessToken, settings: Settings) -> None:
    """Ask for what the middleware requires beyond a valid token: the settings SCOPE and CLAIMS."""
    requirements = settings.requirements
    for rule, part, required in (
        ("scope", Requirements(scopes=requirements.scopes), map(shown, requirements.scopes)),
        ("claims", Requirements(claims=requirements.claims), map(str, requirements.claims)),
    ):
        facts = f"the middleware requires: {', '.join(required) or 'none'}"
        explanation.ask(rule, partial(part.check, access_token, settings.scope_implies), facts)


def _summary(parameters: Mapping[str, Any], claims: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for source, names in (
        (parameters, ("alg", "kid", "typ")),
        (claims, ("iss", "sub", "aud", "client_id", "azp", "cnf")),
    ):
        yield from ((name, _plain(source[name])) for name in names if name in source)
    if claims:
        yield "scopes", sorted(scopes_of(claims))


def _plain(value: Any) -> Any:
    """Return a string, number, or flat list or dict as it is, and a text for whatever may nest too deeply to print."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return value if all(isinstance(part, str | int | float | None) for part in parts) else shown(value)
