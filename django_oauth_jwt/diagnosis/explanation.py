"""Why a token is accepted or refused: each rule of `verification` asked by itself, and all of them to the end."""

import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from ..conf import Runtime, Settings
from ..jws import KeySet
from ..tokens import AccessToken, Requirements, VerifiedToken, freeze, scopes_of
from ..verification import NO_KEYS, RULES, EncodedToken, Rule, UnverifiedToken
from .breakdown import read_in_parts
from .console import shown
from .outcomes import Explanation
from .wording import facts_in_words

#: By the name of a rule that a token breaks: why those that need it cannot be asked.
_WITHOUT: Final = {"keys": "there are no keys", "key": "there is no key, or no signature"}


def explain(encoded_token: str, runtime: Runtime) -> Explanation:
    """Ask every rule about a token. May fetch keys, as the verification would."""
    encoded = EncodedToken(encoded_token)
    del encoded_token  # a report of what a project's key service raises would show it
    explanation = Explanation()
    parts = read_in_parts(explanation, encoded, runtime)
    _ask_rules(explanation, parts.token, parts.missing)
    _ask_requirements(explanation, parts.token, parts.missing, runtime.settings)
    explanation.token = dict(_summary(parts.parameters, parts.token.claims))
    resolver = ["whether USER_RESOLVER finds a user"] if parts.token.trusted.user_resolver is not None else []
    explanation.not_checked = ["what views require", *resolver]
    return explanation


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


def _ask_requirements(
    explanation: Explanation, token: UnverifiedToken, missing: Mapping[str, str], settings: Settings
) -> None:
    """Ask for what the middleware requires beyond a valid token: the settings SCOPE and CLAIMS."""
    if "payload" in missing:
        explanation.skip(missing["payload"], "scope", "claims")
        return
    access_token = AccessToken("", VerifiedToken(token.claims, freeze({})))
    requirements = settings.requirements
    for rule, part, required in (
        ("scope", Requirements(scopes=requirements.scopes), map(shown, requirements.scopes)),
        ("claims", Requirements(claims=requirements.claims), map(str, requirements.claims)),
    ):
        facts = f"the middleware requires: {', '.join(required) or 'none'}"
        explanation.ask(rule, partial(part.check, access_token, settings.scope_implies), facts)


def _summary(parameters: Mapping[str, Any], claims: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for source, names in ((parameters, ("alg", "kid", "typ")), (claims, ("iss", "sub", "aud", "client_id", "azp"))):
        yield from ((name, _plain(source[name])) for name in names if name in source)
    if claims:
        yield "scopes", sorted(scopes_of(claims))


def _plain(value: Any) -> Any:
    """Return a string, number or list of strings as it is, and a text for whatever may nest too deeply to print."""
    is_plain = all(
        isinstance(part, str | int | float | None) for part in (value if isinstance(value, list) else [value])
    )
    return value if is_plain else shown(value)
