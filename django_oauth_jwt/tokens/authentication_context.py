"""How and when the user has to have authenticated: step-up authentication (RFC 9470)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InsufficientAuthentication


@dataclass(frozen=True)
class AuthenticationContext:
    """What is required of a token's ``acr`` and ``auth_time`` (RFC 9470 section 6).

    One of ``acr_values`` will do, the preferred one first; ``max_age`` is in seconds.
    """

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None

    def check(self, claims: Mapping[str, Any], now: float, leeway: float) -> None:
        """Raise InsufficientAuthentication where the claims do not meet what is required."""
        if self.acr_values and claims.get("acr") not in self.acr_values:
            raise self._refusal()
        if self.max_age is None:
            return
        auth_time = claims.get("auth_time")
        if isinstance(auth_time, bool) or not isinstance(auth_time, int | float):
            raise self._refusal()
        # One in the future tells nothing of when the user was there.
        if not now - self.max_age - leeway <= auth_time <= now + leeway:
            raise self._refusal()

    def _refusal(self) -> InsufficientAuthentication:
        return InsufficientAuthentication(self.acr_values, self.max_age)


def parse_authentication_context(
    acr_values: str | Iterable[str] = (), max_age: int | None = None
) -> AuthenticationContext:
    """Return the requirement of a list of ``acr_values``, or a space-separated string, and of a ``max_age``.

    Raises ValueError where nothing is required, or what no challenge could say.
    """
    values = tuple(acr_values.split() if isinstance(acr_values, str) else acr_values)
    for value in values:
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value or " " in value:
            raise ValueError(f"{value!r} is not an acr value: printable ASCII without blanks")
    if max_age is not None and (isinstance(max_age, bool) or not isinstance(max_age, int) or max_age < 0):
        raise ValueError(f"max_age {max_age!r} must be a whole number of seconds, 0 or more")
    if not values and max_age is None:
        raise ValueError("say what is required: acr_values, max_age, or both")
    return AuthenticationContext(values, max_age)
