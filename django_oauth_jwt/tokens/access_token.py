"""The access token as views see it, once everything about it has been checked."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .frozen_json import FrozenDict, freeze, thaw


class VerifiedToken:
    """What a token says, apart from its own text; the same for every request that brings it.

    What follows from the claims is worked out when it is first asked for, since most requests ask for little of
    it. Two threads that do so at once work out the same. At each later use ``claims`` tell whether the token is
    still valid, so nobody is given them before they are frozen.
    """

    __slots__ = ("_scopes", "claims", "header")

    def __init__(self, claims: dict[str, Any], header: FrozenDict) -> None:
        self.claims = claims
        self.header = header
        self._scopes: frozenset[str] | None = None

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes that the claims grant."""
        if self._scopes is None:
            self._scopes = scopes_of(self.claims)
        return self._scopes

    @property
    def frozen_claims(self) -> FrozenDict:
        """The claims, in the place of those that could be changed."""
        frozen: FrozenDict = self.claims if isinstance(self.claims, FrozenDict) else freeze(self.claims)
        self.claims = frozen
        return frozen

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifiedToken) and (self.claims, self.header) == (other.claims, other.header)

    __hash__ = None  # type: ignore[assignment]  # as what it is made of


class AccessToken:
    """A verified JWT access token. Its public attributes cannot be changed, nor can what they hold.

    ``encoded`` is the token as it was sent; it stays out of the repr.
    """

    __slots__ = ("__weakref__", "_encoded", "_verified")

    def __init__(self, encoded: str, verified: VerifiedToken) -> None:
        self._encoded = encoded
        self._verified = verified

    @property
    def encoded(self) -> str:
        """The token as it was sent."""
        return self._encoded

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
        claims = self._verified.claims
        client_id = claims.get("client_id")
        if not isinstance(client_id, str):
            client_id = claims.get("azp")
        return client_id if isinstance(client_id, str) else None

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims, read-only at any depth (RFC 7519 section 4)."""
        return self._verified.frozen_claims

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

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AccessToken):
            return NotImplemented
        return (self._encoded, self._verified) == (other._encoded, other._verified)

    def __hash__(self) -> int:
        return hash(self._encoded)

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
