"""Strict JWS compact serialization (RFC 7515 section 7.1): reading, and the check of the signature."""

import binascii
from collections.abc import Collection
from functools import lru_cache
from typing import Any, Final, NamedTuple

from .errors import InvalidToken
from .keys import KeySet
from .strict_json import loads_object

_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_TO_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


class UnverifiedHeader(NamedTuple):
    """The JOSE header of a token, not yet verified; ``typ`` is any JSON value."""

    alg: str
    kid: str | None
    typ: Any
    protected: bytes


class UnverifiedJws(NamedTuple):
    """A JWS whose signature has not been checked."""

    header: UnverifiedHeader
    payload: bytes
    signing_input: bytes
    signature_segment: bytes


def verify_compact(encoded: str, key_set: KeySet, algorithms: Collection[str]) -> tuple[dict[str, Any], bytes]:
    """Check the signature of a JWS and return its header and payload. No claim is looked at.

    Raises InvalidToken for whatever is not a JWS in compact serialization, signed with one of the
    ``algorithms`` by the one key of ``key_set`` that fits. ``jku``, ``x5u``, ``jwk`` and ``x5c`` are
    ignored; ``crit`` and ``b64`` are refused.
    """
    jws = read_compact(encoded, algorithms)
    verify_signature(jws, key_set)
    return loads_object(jws.header.protected), jws.payload


def read_compact(encoded: str, algorithms: Collection[str]) -> UnverifiedJws:
    """Split and decode a JWS without checking its signature; raise InvalidToken for a bad one."""
    try:
        data = encoded.encode("ascii")
        header_segment, payload_segment, signature_segment = data.split(b".")
        header = _read_header(header_segment)
        payload = _decode(payload_segment)
    except (ValueError, AttributeError) as error:
        raise InvalidToken("malformed") from error
    if header.alg not in algorithms:
        raise InvalidToken("wrong_algorithm")
    return UnverifiedJws(header, payload, data[: data.rindex(b".")], signature_segment)


def verify_signature(jws: UnverifiedJws, key_set: KeySet) -> None:
    """Check the signature with the one key that fits; raise InvalidToken where it does not hold."""
    key = key_set.select(jws.header.kid, jws.header.alg)
    try:
        genuine = key.verify(jws.signing_input, _decode(jws.signature_segment))
    except ValueError:
        genuine = False
    if not genuine:
        raise InvalidToken("bad_signature")


# An authorization server signs all its tokens with a few headers, so each is read once.
@lru_cache(maxsize=256)
def _read_header(segment: bytes) -> UnverifiedHeader:
    protected = _decode(segment)
    header = loads_object(protected)
    if "crit" in header or "b64" in header:
        raise InvalidToken("critical_header")
    alg, kid = header.get("alg"), header.get("kid")
    if not isinstance(alg, str) or not isinstance(kid, str | None):
        raise ValueError("alg and kid are strings")
    return UnverifiedHeader(alg, kid, header.get("typ"), protected)


def _decode(segment: bytes) -> bytes:
    """Decode base64url without padding (RFC 7515 section 2); ValueError for all but its one right spelling.

    Python's decoder skips foreign characters and overlooks stray bits at the end. A segment is right if it
    is just what encoding its bytes gives.
    """
    decoded = binascii.a2b_base64(segment.translate(_TO_STANDARD) + b"==")
    encoded = binascii.b2a_base64(decoded, newline=False).translate(_TO_URL_SAFE).rstrip(b"=")
    if encoded != segment:
        raise ValueError("not base64url")
    return decoded
