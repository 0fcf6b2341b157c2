"""Our security schemes in OpenAPI's words, for whichever package makes the document."""

from collections.abc import Iterable
from typing import Any, Final

from ..conf import get_settings

BEARER: Final = "bearerJwt"
DPOP: Final = "dpop"


def token_schemes() -> list[str]:
    """Return the names of the schemes with which a token may be sent."""
    settings = get_settings()
    if settings.requires_dpop:
        return [DPOP]
    return [BEARER, DPOP] if settings.offers_dpop else [BEARER]


def definition_of(name: str) -> dict[str, Any]:
    """Return the security scheme object of one of these names."""
    if name == DPOP:
        return {"type": "http", "scheme": "dpop"}
    # An opaque token has no format that a client could know.
    known = {} if get_settings().introspecting else {"bearerFormat": "JWT"}
    return {"type": "http", "scheme": "bearer", **known}


def with_implied(ways: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the distinct sets of scopes that let a token in, each followed by what does as well (SCOPE_IMPLIES)."""
    hierarchy = get_settings().scope_implies
    return list(dict.fromkeys(way for scopes in ways for way in (scopes, *hierarchy.instead_of(scopes))))
