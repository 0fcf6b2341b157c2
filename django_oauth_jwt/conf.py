"""The settings dict ``OAUTH_JWT``: read when used, validated whole, frozen.

`conf_rules` knows each key; README's settings table says what the keys mean.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from . import conf_rules, conf_values
from .conf_rules import Settings, TrustedIssuer

NAME: Final = "OAUTH_JWT"

_BRIEF_LENGTH: Final = 80
#: How near a key must come to an unknown one to be what was meant; keys of other packages share words with ours.
_NEARNESS: Final = 0.65
#: User name and password of a URL.
_USERINFO: Final = re.compile(r"//[^/?#@\s]*@")


@dataclass(frozen=True)
class Problem:
    """Something wrong with the settings: a stable id, what it is, and the remedy."""

    id: str
    message: str
    remedy: str


@dataclass(frozen=True)
class _Current:
    raw: object
    settings: Settings


_current: _Current | None = None
#: Where Django keeps the settings that were asked for, and which it empties when one changes. Its own way there is
#: several calls of Python long.
_kept: Final[dict[str, Any]] = object.__getattribute__(django_settings, "__dict__")


def get_settings() -> Settings:
    """Return the project's settings, validated; the same object until the setting changes.

    Raises ImproperlyConfigured, which names every bad key and its remedy.
    """
    global _current
    raw = _kept[NAME] if NAME in _kept else getattr(django_settings, NAME, None)
    current = _current
    if current is None or current.raw is not raw:
        validated = _Current(raw, _validated(raw))
        # Other threads may have validated it meanwhile: the first result stays, for each has key services of its own.
        current = _current
        if current is None or current.raw is not raw:
            current = _current = validated
    return current.settings


def require_key_source(settings: Settings) -> None:
    """Raise ImproperlyConfigured where the settings name no source of keys."""
    if not settings.has_key_source:
        raise _improper([NO_KEY_SOURCE])


def read(raw: object) -> tuple[Settings | None, list[Problem]]:
    """Return the settings in a value of ``OAUTH_JWT`` (None where some are bad) and what is wrong with it."""
    if raw is None:
        raw = {}
    if not isinstance(raw, Mapping):
        return None, [Problem("E001", f"{NAME} must be a dict, not {type(raw).__name__}.", "Make it a dict.")]
    problems: list[Problem] = []
    values = _values(raw, conf_rules.RULES, NAME, problems)
    issuers = []
    for issuer, entry in values.get("ISSUERS", {}).items():
        where = f"{NAME}['ISSUERS'][{_without_password(repr(issuer))}]"
        own = _values(entry, conf_rules.ISSUER_RULES, where, problems)
        issuers.append((where, conf_rules.trusted_issuer(issuer, values | own, own)))
    if values.get("ISSUER") is not None or not issuers:
        issuers.append((NAME, conf_rules.trusted_issuer(values.get("ISSUER"), values, values)))
    for where, trusted in issuers:
        problems += _unfit_key_url(where, trusted, values)
    if len({trusted.issuer for _, trusted in issuers}) < len(issuers):
        problems.append(_conflict("names the same issuer in ISSUER and in ISSUERS", "Leave one of them out."))
    for key in ("JWKS_URI", "JWKS_SERVICE"):
        if values.get("ISSUERS") and key in values and raw.get("ISSUER") is None:
            problems.append(_conflict(f"has ISSUERS and a {key} of no issuer", f"Move {key} to its issuer."))
    if problems:
        return None, problems
    return conf_rules.settings_of(values, tuple(trusted for _, trusted in issuers)), problems


NO_KEY_SOURCE: Final = Problem(
    "E004",
    f"{NAME} does not say where the keys are.",
    f"Set {NAME}['JWKS_URI'] to the authorization server's JWKS endpoint, or ISSUER to discover it.",
)


def _validated(raw: object) -> Settings:
    settings, problems = read(raw)
    if settings is None:
        raise _improper(problems)
    return settings


def _improper(problems: list[Problem]) -> ImproperlyConfigured:
    return ImproperlyConfigured(" ".join(f"{problem.message} {problem.remedy}" for problem in problems))


def _values(raw: Any, rules: Mapping[str, conf_rules.Rule], where: str, problems: list[Problem]) -> dict[str, Any]:
    """Return the good values of a dict of settings by key; add a problem for each bad one."""
    if not isinstance(raw, Mapping):
        problems.append(Problem("E003", f"{where} must be a dict.", "Make it a dict of settings."))
        return {}
    values = {}
    for key, value in raw.items():
        if key not in rules:
            problems.append(_unknown(key, rules, where))
        elif value is None and key in conf_rules.NULLABLE_KEYS:
            continue
        else:
            try:
                values[key] = rules[key](value)
            except ValueError as error:
                problems.append(Problem("E003", f"{where}[{key!r}] {error}.", f"It is {_brief(value)} now."))
    return values


def _unknown(key: object, rules: Mapping[str, conf_rules.Rule], where: str) -> Problem:
    if rules is conf_rules.ISSUER_RULES and isinstance(key, str) and key in conf_rules.RULES:
        remedy = f"It is for all issuers and stands in {NAME} itself."
        return Problem("E002", f"{where} has a key {key!r} that an issuer cannot have for itself.", remedy)
    near = difflib.get_close_matches(_brief(key).strip("'").upper(), rules, n=1, cutoff=_NEARNESS)
    remedy = f"Did you mean {near[0]!r}?" if near else f"The keys are {', '.join(rules)}."
    return Problem("E002", f"{where} has an unknown key {_brief(key)}.", remedy)


def _unfit_key_url(where: str, trusted: TrustedIssuer, values: Mapping[str, Any]) -> Iterator[Problem]:
    address = trusted.key_url
    if address is None:
        return
    own_key = "JWKS_URI" if trusted.jwks_uri else "ISSUER" if where == NAME else None
    name = where if own_key is None else f"{where}[{own_key!r}]"
    try:
        conf_values.url(address)
    except ValueError as error:
        yield Problem("E003", f"{name} {error}, since the keys are discovered from it.", "Or set JWKS_URI.")
        return
    if not (values.get("ALLOW_INSECURE_HTTP") or conf_values.is_secure(address)):
        yield Problem(
            "E005",
            f"{name} would have the keys fetched without TLS.",
            "Use an https URL (or ALLOW_INSECURE_HTTP, where the network itself is trusted).",
        )


def _conflict(what: str, remedy: str) -> Problem:
    return Problem("E006", f"{NAME} {what}.", remedy)


def _brief(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  # of a huge number, say, or of a class of the project's own
        text = f"<{type(value).__name__}>"
    text = _without_password(text)
    return text if len(text) <= _BRIEF_LENGTH else f"{text[:_BRIEF_LENGTH]}..."


def _without_password(text: str) -> str:
    return _USERINFO.sub("//...@", text)


def _forget(*, setting: str, **kwargs: Any) -> None:
    global _current
    if setting in (NAME, "CACHES"):
        _current = None


setting_changed.connect(_forget, dispatch_uid="django_oauth_jwt.conf")
