"""The claims that are times (RFC 7519 sections 4.1.4 to 4.1.6). All other checks need to be done only once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..errors import InvalidToken


@dataclass(frozen=True, slots=True)
class Time:
    """A claim that is a time (RFC 7519 section 2, NumericDate): the end of validity, or what must have passed."""

    claim: str
    is_end: bool
    reason: str


TIMES: Final = (
    Time("exp", True, "expired"),
    Time("nbf", False, "not_yet_valid"),
    Time("iat", False, "issued_in_the_future"),
)


def check_times(claims: Mapping[str, Any], now: float, leeway: float, times: tuple[Time, ...] = TIMES) -> None:
    """Check that each of the times that are there is a finite number, and on the right side of now.

    ``now`` is in Unix seconds. Raises InvalidToken.
    """
    for time in times:
        if time.claim in claims:
            value = claims[time.claim]
            # int before float: math.isfinite cannot take an int beyond a double, and every int is finite.
            if not (type(value) is int or (type(value) is float and math.isfinite(value))):
                raise InvalidToken("malformed_claim", detail=time.claim)
            if value <= now - leeway if time.is_end else value > now + leeway:
                raise InvalidToken(time.reason)
