"""Reads the value of ``OAUTH_JWT``: returns validated settings, or a list of what is wrong with it.

`rules` has the rule for each key. `docs/reference/settings.md` says what the keys mean.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

from .nested import brief, suggestion, without_password
from .resources import audiences_of
from .rules import (
    ISSUER_RULES,
    KEY_SOURCES,
    NULLABLE_KEYS,
    REFUSABLE_KEYS,
    RULES,
    SECRET_KEYS,
    Rule,
    issuer_of,
    settings_of,
)
from .urls import is_secure, url
from .validated import Settings, TrustedIssuer
from .values import plain

NAME: Final = "OAUTH_JWT"


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with the settings: the check's stable id (such as ``E003``), a message and the remedy."""

    id: str
    message: str
    remedy: str


NO_KEY_SOURCE: Final = Problem(
    "E004",
    f"{NAME} does not say where the keys are.",
    f"Set {NAME}['JWKS_URI'] to the authorization server's JWKS endpoint, or ISSUER to discover it.",
)
_USE_TLS: Final = "Use an https URL (or ALLOW_INSECURE_HTTP, where the network itself is trusted)."


def read(raw: object) -> tuple[Settings | None, list[Problem]]:
    """Return the settings in a value of ``OAUTH_JWT`` (None if there are problems), and the problems."""
    if raw is None:
        raw = {}
    if not isinstance(raw, Mapping):
        return None, [Problem("E001", f"{NAME} must be a dict, not {type(raw).__name__}.", "Make it a dict.")]
    problems: list[Problem] = []
    values = _values(raw, RULES, NAME, problems)
    if "RESOURCE_METADATA" in values:
        values.setdefault("AUDIENCE", audiences_of(values["RESOURCE_METADATA"]))
    issuers = []
    for issuer, entry in values.get("ISSUERS", {}).items():
        where = f"{NAME}['ISSUERS'][{without_password(repr(issuer))}]"
        own = _values(entry, ISSUER_RULES, where, problems)
        issuers.append((where, issuer_of(issuer, values | own, own)))
    if values.get("ISSUER") is not None or not (issuers or "ISSUER_RESOLVER" in values):
        issuers.append((NAME, issuer_of(values.get("ISSUER"), values, values)))
    for where, trusted in issuers:
        problems += _issuer_problems(where, trusted, allow_insecure_http=values.get("ALLOW_INSECURE_HTTP", False))
    problems += _conflicts(raw, values, [trusted for _, trusted in issuers])
    if problems:
        return None, problems
    return settings_of(values, tuple(trusted for _, trusted in issuers)), problems


def read_issuer(issuer: str, entry: Any, settings: Settings) -> TrustedIssuer:
    """Return an issuer that ISSUER_RESOLVER names, by the dict that it has returned: an entry of ISSUERS.

    Raises ImproperlyConfigured with all that is wrong with it.
    """
    where, problems = f"{NAME}['ISSUER_RESOLVER']({without_password(repr(issuer))})", list[Problem]()
    own = _values(entry, ISSUER_RULES, where, problems)
    trusted = issuer_of(issuer, {**settings.issuer_defaults, **own}, own)
    problems += _issuer_problems(where, trusted, allow_insecure_http=settings.allow_insecure_http)
    if "INTROSPECTION" not in own:
        problems += _inherited_secret(where, trusted)
    if problems:
        raise improper(problems)
    return trusted


def improper(problems: Iterable[Problem]) -> ImproperlyConfigured:
    """Return the error that tells of problems."""
    return ImproperlyConfigured(" ".join(f"{problem.message} {problem.remedy}" for problem in problems))


def _values(raw: Any, rules: Mapping[str, Rule], where: str, problems: list[Problem]) -> dict[str, Any]:
    """Return the valid values of a dict of settings, by key; add a problem for each other one."""
    if not isinstance(raw, Mapping):
        problems.append(Problem("E003", f"{where} must be a dict.", "Make it a dict of settings."))
        return {}
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in rules:
            problems.append(_unknown(key, rules, where))
        elif value is None and key in NULLABLE_KEYS:
            if rules is ISSUER_RULES and key in REFUSABLE_KEYS:
                values[key] = None
        else:
            try:
                values[key] = rules[key](plain(value))
            except ValueError as error:
                shown = "Its value is not shown." if key in SECRET_KEYS else f"It is {brief(value)} now."
                problems.append(Problem("E003", f"{where}[{key!r}] {error}.", shown))
    return values


def _unknown(key: object, rules: Mapping[str, Rule], where: str) -> Problem:
    if rules is ISSUER_RULES and isinstance(key, str) and key in RULES:
        remedy = f"It is for all issuers and stands in {NAME} itself."
        return Problem("E002", f"{where} has a key {key!r} that an issuer cannot have for itself.", remedy)
    return Problem("E002", f"{where} has an unknown key {brief(key)}.", suggestion(key, rules))


def _issuer_problems(where: str, trusted: TrustedIssuer, *, allow_insecure_http: bool) -> Iterator[Problem]:
    sources = {"JWKS_URI": trusted.jwks_uri, "JWKS": trusted.jwks, "JWKS_SERVICE": trusted.jwks_service}
    given = [key for key, source in sources.items() if source is not None]
    if "JWKS" in given and len(given) > 1:
        remedy = "Leave one of them out: keys come from one place."
        yield Problem("E006", f"{where} has {' and '.join(given)} for one issuer.", remedy)
    yield from _key_url_problems(where, trusted, allow_insecure_http=allow_insecure_http)
    yield from _introspection_problems(where, trusted, allow_insecure_http=allow_insecure_http)


def _key_url_problems(where: str, trusted: TrustedIssuer, *, allow_insecure_http: bool) -> Iterator[Problem]:
    address = trusted.key_url
    if address is None:
        return
    own_key = "JWKS_URI" if trusted.jwks_uri else "ISSUER" if where == NAME else None
    name = where if own_key is None else f"{where}[{own_key!r}]"
    try:
        url(address)
    except ValueError as error:
        yield Problem("E003", f"{name} {error}, since the keys are discovered from it.", "Or set JWKS_URI.")
        return
    if not (allow_insecure_http or is_secure(address)):
        yield Problem(
            "E005",
            f"{name} would have the keys fetched without TLS.",
            _USE_TLS,
        )


def _introspection_problems(where: str, trusted: TrustedIssuer, *, allow_insecure_http: bool) -> Iterator[Problem]:
    if trusted.introspection is None:
        return
    name = f"{where}['INTROSPECTION']"
    try:
        endpoint = url(trusted.introspection.endpoint or trusted.issuer)
    except ValueError:
        yield Problem("E003", f"{name} must have 'ENDPOINT'.", "Or set ISSUER to a URL whose metadata name it.")
        return
    if not (allow_insecure_http or is_secure(endpoint)):
        yield Problem("E005", f"{name} would send tokens and credentials without TLS.", _USE_TLS)


def _inherited_secret(where: str, trusted: TrustedIssuer) -> Iterator[Problem]:
    """Yield a problem where the project's own secret would be sent to whatever server a tenant's metadata name."""
    shared = trusted.introspection
    if shared is not None and shared.secret is not None and shared.endpoint is None and shared.asks_about_jwts:
        yield Problem(
            "E006",
            f"{where} would have the CLIENT_SECRET of {NAME}['INTROSPECTION'] sent to where the issuer says.",
            "Set INTROSPECTION in the entry (None: nobody is asked about its tokens), or ENDPOINT in the settings.",
        )


def _conflicts(raw: Mapping[Any, Any], values: Mapping[str, Any], issuers: list[TrustedIssuer]) -> Iterator[Problem]:
    if len({trusted.issuer for trusted in issuers}) < len(issuers):
        yield _conflict("names the same issuer in ISSUER and in ISSUERS", "Leave one of them out.")
    for others in ("ISSUERS", "ISSUER_RESOLVER"):
        for key in KEY_SOURCES:
            if values.get(others) and key in values and raw.get("ISSUER") is None:
                yield _conflict(f"has {others} and a {key} of no issuer", f"Move {key} to its issuer.")


def _conflict(what: str, remedy: str) -> Problem:
    return Problem("E006", f"{NAME} {what}.", remedy)
