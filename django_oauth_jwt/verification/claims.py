"""What every token must satisfy: type, audience, times (RFC 7519 section 4.1, RFC 9068 section 4)."""

import math
from collections.abc import Mapping
from typing import Any, Final

from ..conf import TrustedIssuer
from ..errors import InvalidToken

_TEXT_OR_NONE: Final = (str, type(None))  # not the union `str | None`, which would be made anew at each check
#: Names of the claims that are times.
TIMES: Final = ("exp", "nbf", "iat")


def check_claims(claims: Mapping[str, Any], typ: str | None, trusted: TrustedIssuer, now: float) -> None:
    """Check all but the issuer, at a time in Unix seconds; raise InvalidToken.

    ``typ`` is the header's, in lower case and without ``application/`` (RFC 7515 section 4.1.9).
    """
    check_type(typ, trusted.token_types)
    check_presence(claims, trusted.required_claims)
    if trusted.audience is not None:
        check_audience(claims.get("aud"), trusted.audience)
    check_names(claims)
    check_times(claims, now, trusted.leeway)


def check_type(typ: str | None, accepted: frozenset[str | None]) -> None:
    """Check that the header's ``typ`` is accepted."""
    if typ not in accepted:
        raise InvalidToken("wrong_type")


def check_presence(claims: Mapping[str, Any], required: tuple[str, ...]) -> None:
    """Check that the claims that every token must have are there, and not null."""
    for name in required:
        if claims.get(name) is None:
            raise InvalidToken("missing_claim")


def check_audience(aud: Any, accepted: frozenset[str]) -> None:
    """Check that ``aud``, a string or an array of strings, holds one that is accepted."""
    try:
        if aud in accepted if isinstance(aud, str) else isinstance(aud, list) and not accepted.isdisjoint(aud):
            return
    except TypeError:  # an array of objects or arrays
        pass
    raise InvalidToken("wrong_audience")


def check_names(claims: Mapping[str, Any]) -> None:
    """Check that ``iss`` and ``sub`` are strings where they are there."""
    if not (isinstance(claims.get("iss"), _TEXT_OR_NONE) and isinstance(claims.get("sub"), _TEXT_OR_NONE)):
        raise InvalidToken("malformed_claim")


def check_times(claims: Mapping[str, Any], now: float, leeway: float) -> None:
    """Check that the token is valid at this time, in Unix seconds."""
    if "exp" in claims and time_of(claims["exp"]) <= now - leeway:
        raise InvalidToken("expired")
    if "nbf" in claims and time_of(claims["nbf"]) > now + leeway:
        raise InvalidToken("not_yet_valid")
    if "iat" in claims and time_of(claims["iat"]) > now + leeway:
        raise InvalidToken("issued_in_the_future")


def time_of(value: Any) -> float:
    """Return a claim that is a time (RFC 7519 section 2, NumericDate); raise InvalidToken for what is none."""
    # int before float: math.isfinite cannot take an int beyond a double, and every int is finite.
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return value
    raise InvalidToken("malformed_claim")
