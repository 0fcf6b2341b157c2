"""What every token must satisfy: type, audience, times (RFC 7519 section 4.1, RFC 9068 section 4)."""

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .conf_rules import TrustedIssuer
from .errors import InvalidToken

_TEXT_OR_NONE: Final = (str, type(None))  # not the union `str | None`, which would be made anew at each check


class Times(NamedTuple):
    """The times of a token, in Unix seconds; None where it does not have one."""

    exp: float | None
    nbf: float | None
    iat: float | None

    def check(self, now: float, leeway: float) -> None:
        """Raise InvalidToken where the token is not valid at this time."""
        exp, nbf, iat = self
        if exp is not None and exp <= now - leeway:
            raise InvalidToken("expired")
        if nbf is not None and nbf > now + leeway:
            raise InvalidToken("not_yet_valid")
        if iat is not None and iat > now + leeway:
            raise InvalidToken("issued_in_the_future")


def check_claims(claims: Mapping[str, Any], typ: str | None, trusted: TrustedIssuer) -> Times:
    """Check all but the issuer and the times, and return the times; raise InvalidToken.

    ``typ`` is the header's, in lower case and without ``application/`` (RFC 7515 section 4.1.9).
    """
    check_type(typ, trusted.token_types)
    check_presence(claims, trusted.required_claims)
    if trusted.audience is not None:
        check_audience(claims.get("aud"), trusted.audience)
    check_names(claims)
    return Times(time_of(claims, "exp"), time_of(claims, "nbf"), time_of(claims, "iat"))


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


def time_of(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a time (RFC 7519 section 2, NumericDate), None where there is none; InvalidToken for what is no time."""
    if name not in claims:
        return None
    value = claims[name]
    # int before float: math.isfinite cannot take an int beyond a double, and every int is finite.
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return value
    raise InvalidToken("malformed_claim")
