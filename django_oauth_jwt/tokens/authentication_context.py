"""How and when the user must have logged in: step-up authentication (RFC 9470)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InsufficientAuthentication
from .lists import in_lists, listed


@dataclass(frozen=True)
class AuthenticationContext:
    """The required ``acr`` and ``auth_time`` of a token (RFC 9470 section 6).

    ``acr`` must be one of ``acr_values`` (any, if empty), which the challenge lists in this order, the preferred one
    first. ``auth_time`` must be at most ``max_age`` seconds ago.
    """

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None

    def check(self, claims: Mapping[str, Any], now: float, leeway: float) -> None:
        """Raise InsufficientAuthentication where the claims do not meet the requirement.

        ``now`` is a Unix time, ``leeway`` the accepted clock skew in seconds.
        """
        if self.acr_values and claims.get("acr") not in self.acr_values:
            raise self._refusal("acr")
        if self.max_age is None:
            return
        auth_time = claims.get("auth_time")
        if isinstance(auth_time, bool) or not isinstance(auth_time, int | float):
            raise self._refusal("auth_time")
        # A time in the future does not say when the user logged in, so it proves nothing.
        if not now - self.max_age - leeway <= auth_time <= now + leeway:
            raise self._refusal("auth_time")

    def _refusal(self, claim: str) -> InsufficientAuthentication:
        return InsufficientAuthentication(self.acr_values, self.max_age, detail=claim)


def parse_authentication_context(
    acr_values: str | Iterable[str] = (), max_age: int | None = None
) -> AuthenticationContext:
    """Return the requirement of ``acr_values`` (a list, or a space-separated string) and ``max_age`` (in seconds).

    Raises ValueError where both are missing, or a value cannot stand in a challenge.
    """
    values = tuple(acr_values.split()) if isinstance(acr_values, str) else listed(in_lists(acr_values), "acr_values")
    for value in values:
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value or " " in value:
            raise ValueError(f"{value!r} is not an acr value: printable ASCII without blanks")
    if max_age is not None and (isinstance(max_age, bool) or not isinstance(max_age, int) or max_age < 0):
        raise ValueError(f"max_age {max_age!r} must be a whole number of seconds, 0 or more")
    if not values and max_age is None:
        raise ValueError("say what is required: acr_values, max_age, or both")
    return AuthenticationContext(values, max_age)
