"""The JOSE header of a JWS (RFC 7515 section 4), read before its signature is checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from ..errors import InvalidToken
from ..tokens import FrozenDict, freeze
from .base64url import decode_segment
from .strict_json import loads_object

#: In base64url characters. Anybody can send a header, so the cache takes no long ones: 256 of them would fill memory.
LONGEST_CACHED_HEADER: Final = 1024


#: Parameters that name the certificate of the key, the better one first.
THUMBPRINTS: Final = ("x5t#S256", "x5t")
_STRINGS: Final = frozenset({"alg", "kid", "typ", *THUMBPRINTS})
#: IANA's registry of JOSE header parameters. Null is a value of the wrong type, not an absent parameter.
_REGISTERED: Final = _STRINGS | {
    *("jku", "jwk", "x5u", "x5c", "cty", "crit"),  # RFC 7515 section 4.1
    *("enc", "zip", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c"),  # RFC 7516, RFC 7518
    *("iss", "sub", "aud", "b64", "ppt", "url", "nonce", "svt"),  # RFC 7519, 7797, 8225, 8555, 9321
    *("iheSSId", "client_id", "trust_chain", "peer_trust_chain", "jwt"),  # IHE, OpenID Federation, OpenID4VP
}


@dataclass(frozen=True, slots=True)
class UnverifiedHeader:
    """The header parameters that decide how a token is checked, and all ``parameters``, read-only.

    ``typ`` is normalized by `media_type`, so it can be compared. ``thumbprints`` are those of the certificate of the
    key that the header has, by parameter (RFC 7515 sections 4.1.7 and 4.1.8).
    """

    alg: str
    kid: str | None
    typ: str | None
    parameters: FrozenDict
    thumbprints: Mapping[str, str]


def read_header(segment: bytes) -> UnverifiedHeader:
    """Return the header in the first segment of a JWS.

    Raises ValueError where it is no JSON object in base64url or a parameter has the wrong type, and InvalidToken
    (``critical_header``) where it asks for an extension.
    """
    parameters = loads_object(decode_segment(segment))
    check_critical(parameters)
    return header_of(parameters)


#: `read_header` for segments of up to `LONGEST_CACHED_HEADER`: an authorization server uses the same few headers.
read_header_cached = lru_cache(maxsize=256)(read_header)


def check_critical(parameters: Mapping[str, Any]) -> None:
    """Raise InvalidToken where the header asks for an extension (RFC 7515 section 4.1.11, RFC 7797).

    Null asks for none: `header_of` refuses it, as it does for each registered parameter.
    """
    if parameters.get("crit") is not None or parameters.get("b64") is not None:
        raise InvalidToken("critical_header")


def header_of(parameters: Mapping[str, Any]) -> UnverifiedHeader:
    """Return the header with these parameters; ValueError where one has the wrong type."""
    for name, value in parameters.items():
        if (name in _STRINGS and not isinstance(value, str)) or (name in _REGISTERED and value is None):
            raise ValueError(f"{name} has the wrong type")
    alg, kid, typ = parameters.get("alg"), parameters.get("kid"), parameters.get("typ")
    if alg is None:
        raise ValueError("alg is missing")
    thumbprints = {name: parameters[name] for name in THUMBPRINTS if name in parameters}
    return UnverifiedHeader(alg, kid, None if typ is None else media_type(typ), freeze(parameters), thumbprints)


def media_type(typ: str) -> str:
    """Return a ``typ`` in lower case and without ``application/``, as RFC 7515 section 4.1.9 compares it."""
    return typ.lower().removeprefix("application/")
