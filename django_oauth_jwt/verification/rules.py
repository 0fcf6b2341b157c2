"""What a token must satisfy once it is read: one list of rules, in the order of verification.

Verification stops at the first rule that a token breaks, `diagnosis` asks all of them. Whatever is required of every
token has its place in `RULES`, and nowhere else (RFC 7519 section 4.1, RFC 9068 section 4).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ..errors import InvalidToken, without_frames
from ..jws import KeySet, check_algorithm, verify_signature
from .needs import Keys
from .reading import UnverifiedToken
from .times import TIMES, Time, check_times

Facts = Mapping[str, Any]
Check = Callable[[UnverifiedToken, KeySet, float], Keys | None]

#: What rules are given before the keys are asked for.
NO_KEYS: Final = KeySet(())
#: Claims of ID tokens (OpenID Connect Core section 3.3.2.11, FAPI 1.0 Advanced), of logout tokens and security
#: events (RFC 8417), and of introspection responses (RFC 9701): many authorization servers give these the ``typ`` of an
#: access token.
_OF_OTHER_KINDS: Final = frozenset({"at_hash", "c_hash", "s_hash", "events", "token_introspection"})
#: Claims with which authorization servers say what a token is for (Amazon Cognito, Keycloak), and what is no access
#: token then. They answer questions about refresh tokens as well (RFC 7662 section 2.1).
_USES: Final = ("token_use", "token_type", "typ")
_OTHER_USES: Final = frozenset({"refresh", "refresh_token", "offline", "id", "id_token"})
_ONLY_TEXT: Final = frozenset({str})
_TEXT_OR_NONE: Final = (str, type(None))  # not the union `str | None`, which would be made anew at each check


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that every token must satisfy.

    ``check`` takes the token, the keys of its issuer and the time in Unix seconds. It raises BearerError where the
    token does not do, and returns the need for the keys where the rules after it are about them; until then there are
    none. ``facts`` are what the token has and what is accepted, to show to people. ``needs`` are the parts of
    the token ("header", "payload", "segments": three of them), the "source" of its issuer's keys, the "trust" in it
    (whether there is any has to be known), and the rules before it without which the rule cannot be asked. ``parts``
    are the rules that it consists of, where it checks several things in one step. ``at_each_use`` is what a remembered
    token has to pass again, by its claims, the time and the leeway; the rest holds for good. ``is_for_introspection``
    tells whether the claims that an authorization server gives for an opaque token are held to it, too.
    """

    name: str
    check: Check
    facts: Callable[[UnverifiedToken, KeySet, float], Facts]
    needs: tuple[str, ...]
    parts: tuple["Rule", ...] = ()
    at_each_use: Callable[[Mapping[str, Any], float, float], None] | None = None
    is_for_introspection: bool = False


def _check_issuer(token: UnverifiedToken, key_set: KeySet, now: float) -> None:
    if not token.is_trusted:
        raise InvalidToken("wrong_issuer")


def _issuer_facts(token: UnverifiedToken, key_set: KeySet, now: float) -> Facts:
    settings = token.runtime.settings
    facts = {"has": token.claims.get("iss"), "accepted": settings.named_issuers, "any": None in settings.issuers}
    facts["resolver"] = settings.issuer_resolver is not None
    return facts if token.is_trusted else {**facts, "checked as": token.trusted.issuer}


def _check_algorithm(token: UnverifiedToken, key_set: KeySet, now: float) -> None:
    check_algorithm(token.header.alg, token.trusted.algorithms)


def _algorithm_facts(token: UnverifiedToken, key_set: KeySet, now: float) -> Facts:
    return {"has": token.header.alg, "accepted": token.trusted.algorithms}


def _need_keys(token: UnverifiedToken, key_set: KeySet, now: float) -> Keys:
    return Keys(token.service(), token.header.kid, token.header.alg)


def _keys_facts(token: UnverifiedToken, key_set: KeySet, now: float) -> Facts:
    return {"trusted": token.trusted}


def _check_key(token: UnverifiedToken, key_set: KeySet, now: float) -> None:
    key_set.select(token.header.kid, token.header.alg, token.header.thumbprints)


def _key_facts(token: UnverifiedToken, key_set: KeySet, now: float) -> Facts:
    return {"has": token.header.kid, "accepted": [key.kid for key in key_set]}


def _check_signature(token: UnverifiedToken, key_set: KeySet, now: float) -> None:
    key = key_set.select(token.header.kid, token.header.alg, token.header.thumbprints)
    try:
        verify_signature(key, token.signing_input, token.signature_segment)
    except BaseException as error:  # noqa: BLE001  # it is raised again
        # The frames below hold the token, which is a good one where a key of the project's own raises.
        raise without_frames(error) from None


def _signature_facts(token: UnverifiedToken, key_set: KeySet, now: float) -> Facts:
    return {"has": token.header.alg}


def _check_type(token: UnverifiedToken, key_set: KeySet, now: float) -> None:
    if token.header.typ not in token.trusted.token_types:
        raise InvalidToken("wrong_type")


def _type_facts(token: UnverifiedToken, key_set: KeySet, now: float) -> Facts:
    return {"has": token.header.typ, "accepted": token.trusted.token_types}


def _check_kind(token: UnverifiedToken, key_set: KeySet, now: float) -> None:
    if not _OF_OTHER_KINDS.isdisjoint(token.claims):
        raise InvalidToken("wrong_type", detail=", ".join(_claims_of_other_kinds(token)))


def _kind_facts(token: UnverifiedToken, key_set: KeySet, now: float) -> Facts:
    return {"has": _claims_of_other_kinds(token), "refused": sorted(_OF_OTHER_KINDS)}


def _claims_of_other_kinds(token: UnverifiedToken) -> list[str]:
    return sorted(_OF_OTHER_KINDS.intersection(token.claims))


def _check_use(token: UnverifiedToken, key_set: KeySet, now: float) -> None:
    for name, use in _uses(token).items():
        if isinstance(use, str) and use.lower() in _OTHER_USES:
            raise InvalidToken("wrong_type", detail=f"{name} {use}")


def _use_facts(token: UnverifiedToken, key_set: KeySet, now: float) -> Facts:
    return _uses(token)


def _uses(token: UnverifiedToken) -> dict[str, Any]:
    return {name: token.claims[name] for name in _USES if name in token.claims}


def _check_presence(token: UnverifiedToken, key_set: KeySet, now: float) -> None:
    for name in token.trusted.required_claims:
        if token.claims.get(name) is None:
            raise InvalidToken("missing_claim", detail=name)


def _presence_facts(token: UnverifiedToken, key_set: KeySet, now: float) -> Facts:
    required = token.trusted.required_claims
    return {"accepted": required, "missing": [name for name in required if token.claims.get(name) is None]}


def _check_audience(token: UnverifiedToken, key_set: KeySet, now: float) -> None:
    """Check that ``aud``, a string or an array of strings, holds one that is accepted."""
    accepted, aud = token.trusted.audience, token.claims.get("aud")
    if isinstance(aud, str) and (accepted is None or aud in accepted):  # nearly always
        return
    audiences = audiences_of(aud)
    if accepted is None:
        if "aud" in token.claims and audiences is None:
            raise InvalidToken("malformed_claim", detail="aud")
    elif audiences is None or accepted.isdisjoint(audiences):
        raise InvalidToken("wrong_audience")


def audiences_of(aud: object) -> list[str] | None:
    """Return the audiences in a claim ``aud``; None for what is no string and no array of strings."""
    values: list[Any] = aud if isinstance(aud, list) else [aud]
    return values if _ONLY_TEXT.issuperset(map(type, values)) else None


def _audience_facts(token: UnverifiedToken, key_set: KeySet, now: float) -> Facts:
    return {"has": token.claims.get("aud"), "accepted": token.trusted.audience}


def _check_names(token: UnverifiedToken, key_set: KeySet, now: float) -> None:
    for name in ("iss", "sub"):
        if not isinstance(token.claims.get(name), _TEXT_OR_NONE):
            raise InvalidToken("malformed_claim", detail=name)


def _check_times(token: UnverifiedToken, key_set: KeySet, now: float) -> None:
    check_times(token.claims, now, token.trusted.leeway)


def _check_time(part: Time, token: UnverifiedToken, key_set: KeySet, now: float) -> None:
    check_times(token.claims, now, token.trusted.leeway, (part,))


def _time_facts(part: Time, token: UnverifiedToken, key_set: KeySet, now: float) -> Facts:
    value = {"has": token.claims[part.claim]} if part.claim in token.claims else {}
    return {**value, "now": now, "leeway": token.trusted.leeway}


def _no_facts(token: UnverifiedToken, key_set: KeySet, now: float) -> Facts:
    return {}


_KEY: Final = Rule("key", _check_key, _key_facts, ("header", "keys"))
_BY_KEY: Final = Rule("signature", _check_signature, _signature_facts, ("header", "keys", "key", "segments"))
_EACH_TIME: Final = tuple(
    Rule(time.claim, partial(_check_time, time), partial(_time_facts, time), ("payload",)) for time in TIMES
)

RULES: Final = (
    # The issuer decides whose keys are asked for: an unknown one must not cause a fetch.
    Rule("issuer", _check_issuer, _issuer_facts, ("payload", "trust"), is_for_introspection=True),
    Rule("algorithm", _check_algorithm, _algorithm_facts, ("header",)),
    Rule("keys", _need_keys, _keys_facts, ("header", "source")),
    # Before the claims, so that a forger does not learn which claims are expected.
    Rule("key and signature", _check_signature, _signature_facts, ("header", "keys"), (_KEY, _BY_KEY)),
    Rule("type", _check_type, _type_facts, ("header",)),
    Rule("kind", _check_kind, _kind_facts, ("payload",), is_for_introspection=True),
    Rule("use", _check_use, _use_facts, ("payload",), is_for_introspection=True),
    Rule("required claims", _check_presence, _presence_facts, ("payload",), is_for_introspection=True),
    Rule("audience", _check_audience, _audience_facts, ("payload",), is_for_introspection=True),
    Rule("names", _check_names, _no_facts, ("payload",), is_for_introspection=True),
    Rule(
        "times", _check_times, _no_facts, ("payload",), _EACH_TIME, at_each_use=check_times, is_for_introspection=True
    ),
)


def checks_of(rules: tuple[Rule, ...]) -> tuple[tuple[Check, ...], tuple[Check, ...]]:
    """Return what verification goes through: the checks before the keys are got, and those after that."""
    keys = [rule.name for rule in rules].index("keys")
    return tuple(rule.check for rule in rules[:keys]), tuple(rule.check for rule in rules[keys + 1 :])


BEFORE_KEYS, AFTER_KEYS = checks_of(RULES)
#: What the claims in an introspection response have to pass (RFC 7662 section 4).
FOR_INTROSPECTION: Final = tuple(rule for rule in RULES if rule.is_for_introspection)
#: What a remembered token has to pass again.
AT_EACH_USE: Final = tuple(rule.at_each_use for rule in RULES if rule.at_each_use is not None)
