"""What is allowed and unwise in production: tokens that are accepted too easily, keys that others can change.

`risks_of_project` has what is unwise in the project around the settings, `risks_of_cache` in its cache.
"""

import stat
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.utils.module_loading import import_string

from .validated import Settings, TrustedIssuer


class Risk(NamedTuple):
    """Something unwise: the number of its warning, what it is, and the remedy."""

    number: str
    message: str
    hint: str


def names_of(entry: Any) -> list[str]:
    """Return the dotted paths of a class in the settings and of those that it inherits from."""
    try:
        target = import_string(entry) if isinstance(entry, str) else entry
    except Exception:  # noqa: BLE001  # the project's module may raise anything, and Django itself says what
        target = None
    bases = target.__mro__ if isinstance(target, type) else ()
    return [str(entry), *(f"{base.__module__}.{base.__qualname__}" for base in bases)]


#: In seconds. Clocks that differ by more are broken.
LARGEST_LEEWAY: Final = 300
ANY_ISSUER: Final = "of any issuer"


def setting_risks(settings: Settings) -> Iterable[Risk]:
    """Yield what is unwise in the settings themselves. It asks no resolver."""
    for trusted in settings.issuers.values():
        yield from _lax_tokens(trusted, f"of {trusted.issuer!r}" if trusted.issuer else ANY_ISSUER)
        yield from _open_file(trusted)
    if settings.issuer_resolver is not None:
        yield from _lax_tokens(
            settings.unlisted_issuer, "of an issuer whose entry by ISSUER_RESOLVER does not say otherwise"
        )
    if settings.allow_insecure_http:
        yield Risk(
            "W004",
            "ALLOW_INSECURE_HTTP is on: anybody who can change the traffic can have any token accepted.",
            "Use https URLs and leave it out.",
        )
    yield from _agents(settings)


def _lax_tokens(trusted: TrustedIssuer, whose: str) -> Iterable[Risk]:
    if trusted.audience is None:
        yield Risk(
            "W001",
            f"Tokens {whose} are accepted whatever their audience, also those meant for other APIs.",
            "Set AUDIENCE to this API's identifier at the authorization server (RFC 9068 section 4).",
        )
    if whose == ANY_ISSUER:
        yield Risk(
            "W002",
            "Tokens are accepted whatever their issuer, as long as a key of the JWKS signed them.",
            "Set ISSUER to the authorization server's issuer identifier (RFC 9068 section 4).",
        )
    if "exp" not in trusted.required_claims:
        yield Risk(
            "W010",
            f"Tokens {whose} need no exp, so one without it is accepted for ever.",
            'Add "exp" to REQUIRED_CLAIMS (RFC 9068 section 2.2).',
        )
    if trusted.leeway > LARGEST_LEEWAY:
        yield Risk(
            "W011",
            f"Tokens {whose} are accepted for {trusted.leeway} seconds after they have expired.",
            f"Set LEEWAY to less than a minute, {LARGEST_LEEWAY} at most, and have the clocks set by NTP.",
        )


def _open_file(trusted: TrustedIssuer) -> Iterable[Risk]:
    if isinstance(trusted.jwks, Path) and trusted.jwks.stat().st_mode & stat.S_IWOTH:
        yield Risk(
            "W016",
            f"Every user of this machine may write to {trusted.jwks}, and so have any token accepted (JWKS).",
            "Let its owner alone write to it: chmod go-w.",
        )


def _agents(settings: Settings) -> Iterable[Risk]:
    if settings.resource_metadata and settings.invalid_token_status != HTTPStatus.UNAUTHORIZED:
        yield Risk(
            "W013",
            "INVALID_TOKEN_STATUS is 403 beside RESOURCE_METADATA: clients that read that renew a token only on 401.",
            "Leave INVALID_TOKEN_STATUS out, or set it to 401 (RFC 6750 section 3.1).",
        )
