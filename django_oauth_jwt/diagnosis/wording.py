"""The facts of a rule in words. A rule that has no words of its own here is shown all the same."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from .console import shown, time_shown
from .key_report import source_of

Facts = Mapping[str, Any]


def facts_in_words(rule: str, facts: Facts) -> str:
    """Return the facts that the rule of this name shows, for people."""
    return _WORDINGS.get(rule, _plainly)(facts)


def _plainly(facts: Facts) -> str:
    return "; ".join(f"{name}: {shown(value)}" for name, value in facts.items())


def _issuer(facts: Facts) -> str:
    trusted = ["any"] if facts["any"] else [*map(shown, facts["accepted"])]
    if facts["resolver"]:
        trusted.append("those that ISSUER_RESOLVER knows")
    words = f"{shown(facts['has'])}; trusted: {', '.join(trusted)}"
    if "checked as" not in facts:
        return words
    if facts["checked as"] is None:
        return f"{words}; the rest is checked by the settings for all issuers"
    return f"{words}; the rest is checked as if it were of {shown(facts['checked as'])}"


def _algorithm(facts: Facts) -> str:
    return f"{shown(facts['has'])}; accepted: {', '.join(sorted(facts['accepted']))}"


def _type(facts: Facts) -> str:
    accepted = sorted("no typ" if typ is None else shown(typ) for typ in facts["accepted"])
    return f"{shown(facts['has'])}; accepted: {', '.join(accepted)}"


def _kind(facts: Facts) -> str:
    return f"{shown(facts['has'])} are there" if facts["has"] else f"no {', '.join(facts['refused'])}"


def _presence(facts: Facts) -> str:
    missing = facts["missing"]
    return f"{shown(missing)} are missing" if missing else f"required: {shown(facts['accepted'])}"


def _audience(facts: Facts) -> str:
    accepted = facts["accepted"]
    words = "any, as AUDIENCE is not set" if accepted is None else _listed(sorted(accepted))
    return f"{shown(facts['has'])}; accepted: {words}"


def _time(facts: Facts) -> str:
    words = time_shown(facts["has"], facts["now"]) if "has" in facts else "absent"
    return f"{words}; leeway {facts['leeway']:g} s"


def _binding(facts: Facts) -> str:
    if "has" not in facts:
        return "none: anybody who has the token can use it"
    confirmation = facts["has"] if isinstance(facts["has"], Mapping) else {}
    known = [f"{words} {shown(confirmation[name])}" for name, words in _METHODS.items() if name in confirmation]
    return " and ".join(known) or f"cnf {shown(facts['has'])}"


def _proof_time(facts: Facts) -> str:
    words = time_shown(facts["has"], facts["now"])
    return f"{words}; good for {facts['seconds']:g} s, leeway {facts['leeway']:g} s"


def _of_request(facts: Facts) -> str:
    return f"{shown(facts['has'])}; the request's: {shown(facts['expected'])}"


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(map(shown, values))


#: By the member of ``cnf``: what the sender of such a token has to show.
_METHODS: Final[Mapping[str, str]] = MappingProxyType(
    {"jkt": "a DPoP proof by the key", "x5t#S256": "the client certificate"}
)
_WORDINGS: Final[Mapping[str, Callable[[Facts], str]]] = MappingProxyType(
    {
        "issuer": _issuer,
        "algorithm": _algorithm,
        "keys": lambda facts: f"of {source_of(facts['trusted'])}",
        "key": lambda facts: f"kid {shown(facts['has'])}; in the JWKS: {_listed(facts['accepted'])}",
        "signature": lambda facts: f"{facts['has']} by that key",
        "type": _type,
        "required claims": _presence,
        "audience": _audience,
        "kind": _kind,
        "use": lambda facts: _plainly(facts) or "not said",
        "names": lambda _: "iss and sub are strings",
        "exp": _time,
        "nbf": _time,
        "iat": _time,
        "binding": _binding,
        "proof algorithm": _algorithm,
        "proof key": lambda facts: f"{shown(facts['has'])}; the token's: {shown(facts['jkt'])}",
        "proof signature": lambda facts: f"{facts['has']} by the key in the proof",
        "proof method": _of_request,
        "proof URL": _of_request,
        "proof time": _proof_time,
        "proof token": lambda _: "ath is to be the hash of the token",
    }
)
