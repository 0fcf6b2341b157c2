"""The access token as views see it, once everything about it has been checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .frozen_json import FrozenDict, freeze, thaw


class VerifiedToken(NamedTuple):
    """What a token says, apart from its own text; the same for every request that brings it.

    Nobody is given the ``claims`` as they are here, since they could be changed.
    """

    claims: dict[str, Any]
    header: FrozenDict
    scopes: frozenset[str]
    client_id: str | None


@dataclass(frozen=True, repr=False)
class AccessToken:
    """A verified JWT access token. Immutable.

    ``encoded`` is the token as it was sent; it stays out of the repr.
    """

    encoded: str
    _verified: VerifiedToken

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of ``scope`` and ``scp`` together (RFC 6749 section 3.3)."""
        return self._verified.scopes

    @property
    def issuer(self) -> str | None:
        """The claim ``iss``."""
        return self._verified.claims.get("iss")

    @property
    def subject(self) -> str | None:
        """The claim ``sub``."""
        return self._verified.claims.get("sub")

    @property
    def client_id(self) -> str | None:
        """The claim ``client_id`` (RFC 9068 section 2.2), else ``azp``."""
        return self._verified.client_id

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims, read-only at any depth (RFC 7519 section 4)."""
        # Kept by hand: Python 3.11's cached_property has one lock for the claims of all tokens.
        frozen: FrozenDict | None = self.__dict__.get("_frozen_claims")
        if frozen is None:
            frozen = self.__dict__["_frozen_claims"] = freeze(self._verified.claims)
        return frozen

    @property
    def header(self) -> Mapping[str, Any]:
        """The JOSE header, read-only at any depth (RFC 7515 section 4)."""
        return self._verified.header

    @property
    def expires_at(self) -> datetime | None:
        """When the token expires (``exp``), in UTC; None when it has no ``exp``."""
        exp = self._verified.claims.get("exp")
        if exp is None:
            return None
        try:
            return datetime.fromtimestamp(exp, UTC)
        except (ValueError, OverflowError, OSError):  # beyond the year 9999, or before the year 1
            return datetime.max.replace(tzinfo=UTC)

    def new_claims(self) -> dict[str, Any]:
        """Return the claims as a new dict, which its taker may change."""
        claims: dict[str, Any] = thaw(self._verified.claims)
        return claims

    def __hash__(self) -> int:
        return hash(self.encoded)

    def __repr__(self) -> str:
        """Show whose token it is, but nothing that would let a reader of the log use it."""
        return f"<AccessToken of {self.subject!r}, client {self.client_id!r}, scopes {sorted(self.scopes)}>"


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the scopes that ``scope`` and ``scp`` grant.

    Each is a space-separated string (RFC 6749 section 3.3) or an array of strings; anything else grants
    nothing.
    """
    granted: set[str] = set()
    for name in ("scope", "scp"):
        value = claims.get(name)
        if isinstance(value, str):
            granted.update(value.split(" "))
        elif isinstance(value, list):
            granted.update(entry for entry in value if isinstance(entry, str))
    granted.discard("")
    return frozenset(granted)
