"""Strict JWS compact serialization (RFC 7515 section 7.1): reading, and the check of the signature."""

import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from ..errors import InvalidToken
from ..tokens import FrozenDict, freeze, thaw
from .key_set import KeySet
from .strict_json import loads_object

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#: From the URL-safe alphabet to Python's; whatever is not in it becomes what Python's decoder refuses.
_TO_STANDARD: Final = bytes(
    b"+/"[b"-_".index(byte)] if byte in b"-_" else byte if byte in _ALPHABET else ord("!") for byte in range(256)
)
#: By the length's remainder: the padding that Python wants, and the last characters that leave no stray bits.
_ENDINGS: Final = ((b"", b""), (b"=", b""), (b"==", _ALPHABET[::16]), (b"=", _ALPHABET[::4]))
_LONGEST_REMEMBERED_HEADER: Final = 1024


@dataclass(frozen=True, slots=True)
class UnverifiedHeader:
    """The JOSE header of a token, not yet verified; ``typ`` as it compares (RFC 7515 section 4.1.9)."""

    alg: str
    kid: str | None
    typ: str | None
    parameters: FrozenDict


def verify_compact(encoded: str, key_set: KeySet, algorithms: Collection[str]) -> tuple[dict[str, Any], bytes]:
    """Check the signature of a JWS and return its header and payload. No claim is looked at.

    Raises InvalidToken for whatever is not a JWS in compact serialization, signed with one of the
    ``algorithms`` by the one key of ``key_set`` that fits. ``jku``, ``x5u``, ``jwk`` and ``x5c`` are
    ignored; ``crit`` and ``b64`` are refused.
    """
    header, payload, signing_input, signature_segment = read_compact(ascii_bytes(encoded))
    check_algorithm(header.alg, algorithms)
    verify_signature(header, signing_input, signature_segment, key_set)
    return thaw(header.parameters), payload


def ascii_bytes(encoded: str) -> bytes:
    """Return the bytes of an encoded token; raise InvalidToken for one that cannot be a JWS."""
    try:
        return encoded.encode("ascii")
    except (UnicodeEncodeError, AttributeError) as error:
        raise InvalidToken("malformed") from error


def read_compact(encoded: bytes) -> tuple[UnverifiedHeader, bytes, bytes, bytes]:
    """Return a JWS's header, payload, signing input and the segment of its signature, all unverified.

    Raises InvalidToken for what is no JWS.
    """
    try:
        signing_input, _, signature_segment = encoded.rpartition(b".")
        header_segment, payload_segment = signing_input.split(b".")
        short = len(header_segment) <= _LONGEST_REMEMBERED_HEADER
        header = (_remembered_header if short else _read_header)(header_segment)
        payload = decode_segment(payload_segment)
    except ValueError as error:
        raise InvalidToken("malformed") from error
    return header, payload, signing_input, signature_segment


def check_algorithm(alg: str, algorithms: Collection[str]) -> None:
    """Check that the header's ``alg`` is accepted."""
    if alg not in algorithms:
        raise InvalidToken("wrong_algorithm")


def verify_signature(header: UnverifiedHeader, signing_input: bytes, signature_segment: bytes, key_set: KeySet) -> None:
    """Check the signature with the one key that fits; raise InvalidToken where it does not hold."""
    key = key_set.select(header.kid, header.alg)
    try:
        genuine = key.verify(signing_input, decode_segment(signature_segment))
    except ValueError:
        genuine = False
    if not genuine:
        raise InvalidToken("bad_signature")


def _read_header(segment: bytes) -> UnverifiedHeader:
    parameters = loads_object(decode_segment(segment))
    check_critical(parameters)
    return header_of(parameters)


# An authorization server signs all its tokens with a few headers, so each is read once. Anybody can send
# one, so only short ones are remembered: long ones would take up a hundred megabytes.
_remembered_header = lru_cache(maxsize=256)(_read_header)


def check_critical(parameters: Mapping[str, Any]) -> None:
    """Check that the header asks for no extension (RFC 7515 section 4.1.11, RFC 7797)."""
    if "crit" in parameters or "b64" in parameters:
        raise InvalidToken("critical_header")


def header_of(parameters: Mapping[str, Any]) -> UnverifiedHeader:
    """Return the header of these parameters; ValueError where one is of the wrong type."""
    alg, kid, typ = parameters.get("alg"), parameters.get("kid"), parameters.get("typ")
    if not isinstance(alg, str) or not isinstance(kid, str | None) or not isinstance(typ, str | None):
        raise ValueError("alg, kid and typ are strings")
    return UnverifiedHeader(alg, kid, None if typ is None else media_type(typ), freeze(parameters))


def media_type(typ: str) -> str:
    """Return a ``typ`` as it compares: lower case, without ``application/`` (RFC 7515 section 4.1.9)."""
    return typ.lower().removeprefix("application/")


def decode_segment(segment: bytes) -> bytes:
    """Decode base64url without padding (RFC 7515 section 2); ValueError for all but its one right spelling.

    Python's decoder overlooks foreign characters unless it is strict, and stray bits at the end always.
    """
    padding, last_characters = _ENDINGS[len(segment) % 4]
    if padding and segment[-1] not in last_characters:
        raise ValueError("not base64url")
    return binascii.a2b_base64(segment.translate(_TO_STANDARD) + padding, strict_mode=True)
