"""A verified access token: `AccessToken` for views, and `VerifiedToken`, which the requests with one token share."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .frozen_json import FrozenDict, freeze, thaw


class VerifiedToken:
    """The claims and the header of a verified token, without its text. A cache shares it between requests.

    ``claims`` can be changed, and each later use reads the token's times from it. So views never get it: they get
    ``frozen_claims`` or a copy. ``frozen_claims`` and ``scopes`` are computed at first use, since most requests
    need neither; two threads that do so at once compute equal values. ``trusted`` is what the settings say of its
    issuer, None where nothing has verified it; it stays behind when the token is pickled.
    """

    __slots__ = ("_frozen_claims", "_scopes", "claims", "header", "trusted")

    def __init__(self, claims: dict[str, Any], header: FrozenDict, trusted: Any = None) -> None:
        self.claims = claims
        self.header = header
        self.trusted = trusted
        self._frozen_claims: FrozenDict | None = None
        self._scopes: frozenset[str] | None = None

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes that the claims grant."""
        if self._scopes is None:
            self._scopes = scopes_of(self.claims)
        return self._scopes

    @property
    def frozen_claims(self) -> FrozenDict:
        """The claims, read-only at any depth."""
        if self._frozen_claims is None:
            self._frozen_claims = freeze(self.claims)
        return self._frozen_claims

    def __reduce__(self) -> tuple[object, ...]:
        return VerifiedToken, (self.claims, self.header)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifiedToken) and (self.claims, self.header) == (other.claims, other.header)

    __hash__ = None  # type: ignore[assignment]  # claims cannot be hashed either


class AccessToken:
    """A verified JWT access token (RFC 9068). Immutable: neither attributes nor claims can be changed.

    >>> token = request.access_token
    >>> token.subject, sorted(token.scopes)
    ('anna', ['books.read', 'books.write'])
    >>> token.claims["realm_access"]["roles"]
    ['editor']

    The repr does not show ``encoded``, the text of the token, so a log line that names a token lets nobody use it.
    """

    __slots__ = ("__weakref__", "_encoded", "_verified")

    def __init__(self, encoded: str, verified: VerifiedToken) -> None:
        self._encoded = encoded
        self._verified = verified

    @property
    def encoded(self) -> str:
        """The text of the token, as the client sent it."""
        return self._encoded

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes in ``scope`` (RFC 6749 section 3.3) and ``scp`` together."""
        return self._verified.scopes

    @property
    def issuer(self) -> str | None:
        """The claim ``iss``."""
        return self._verified.claims.get("iss")

    @property
    def issuer_settings(self) -> Any:
        """What the settings say of the token's issuer (`conf.TrustedIssuer`), as it was verified; else None."""
        return self._verified.trusted

    @property
    def subject(self) -> str | None:
        """The claim ``sub``."""
        return self._verified.claims.get("sub")

    @property
    def client_id(self) -> str | None:
        """The claim ``client_id`` (RFC 9068 section 2.2), else ``azp``; None where neither is a string."""
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
        """The time of ``exp`` in UTC; None without ``exp``, `datetime.max` where it is beyond the year 9999."""
        exp = self._verified.claims.get("exp")
        if exp is None:
            return None
        try:
            return datetime.fromtimestamp(exp, UTC)
        except (ValueError, OverflowError, OSError):  # beyond the year 9999, or before the year 1
            return datetime.max.replace(tzinfo=UTC)

    @property
    def is_bound(self) -> bool:
        """Whether the token says to whom it is bound: whether it has the claim ``cnf``."""
        return "cnf" in self._verified.claims

    @property
    def confirmation(self) -> Mapping[str, Any] | None:
        """The claim ``cnf``: how its sender proves that the token is theirs (RFC 7800 section 3.1), read-only.

        ``jkt`` is the thumbprint of a key for DPoP proofs (RFC 9449 section 6.1), ``x5t#S256`` that of a client
        certificate (RFC 8705 section 3.1). None for a token that is bound to nobody.
        """
        confirmation: Mapping[str, Any] | None = freeze(self._verified.claims.get("cnf"))
        return confirmation

    def new_claims(self) -> dict[str, Any]:
        """Return a deep copy of the claims, which the caller may change."""
        claims: dict[str, Any] = thaw(self._verified.claims)
        return claims

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AccessToken):
            return NotImplemented
        return (self._encoded, self._verified) == (other._encoded, other._verified)

    def __hash__(self) -> int:
        return hash(self._encoded)

    def __repr__(self) -> str:
        """Return subject, client and scopes, but not the token itself: log lines must not let a reader use it."""
        return f"<AccessToken of {self.subject!r}, client {self.client_id!r}, scopes {sorted(self.scopes)}>"


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the scopes that ``scope`` and ``scp`` grant.

    Each may be a space-separated string (RFC 6749 section 3.3) or an array of strings. Other values grant nothing, an
    array with anything else in it included.
    """
    granted: set[str] = set()
    for name in ("scope", "scp"):
        value = claims.get(name)
        if isinstance(value, str):
            granted.update(value.split(" "))
        elif isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            granted.update(value)
    granted.discard("")
    return frozenset(granted)
