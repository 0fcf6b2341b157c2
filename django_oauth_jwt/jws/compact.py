"""JWS compact serialization (RFC 7515 section 7.1): reading it strictly, and checking the signature."""

from collections.abc import Collection
from typing import Any

from ..errors import InvalidToken, without_frames
from ..tokens import thaw
from .base64url import decode_segment
from .header import LONGEST_CACHED_HEADER, UnverifiedHeader, read_header, read_header_cached
from .key_set import KeySet
from .verifying_keys import SignatureCheck


def verify_compact(encoded: str, key_set: KeySet, algorithms: Collection[str]) -> tuple[dict[str, Any], bytes]:
    """Check the signature of a JWS; return its header and its payload. Claims are not checked.

    >>> key_set = KeySet.from_jwks(requests.get("https://as.example.com/jwks", timeout=5).json())
    >>> header, payload = verify_compact(encoded, key_set, ["RS256"])

    Raises InvalidToken where ``encoded`` is not a JWS in compact serialization, its ``alg`` is not one of
    ``algorithms``, or the signature is not by the key of ``key_set`` that fits. The header parameters
    ``jku``, ``x5u``, ``jwk`` and ``x5c`` are ignored; ``crit`` (RFC 7515 section 4.1.11) and ``b64``
    (RFC 7797) are refused.
    """
    try:
        return _verified(ascii_bytes(encoded), key_set, algorithms)
    except BaseException as error:  # noqa: BLE001  # it is raised again
        # The frames below hold the JWS, which may be good for somebody else.
        raise without_frames(error) from None
    finally:
        del encoded  # nor may this one


def _verified(encoded: bytes, key_set: KeySet, algorithms: Collection[str]) -> tuple[dict[str, Any], bytes]:
    header, payload, signing_input, signature_segment = read_compact(encoded)
    check_algorithm(header.alg, algorithms)
    verify_signature(key_set.select(header.kid, header.alg, header.thumbprints), signing_input, signature_segment)
    return thaw(header.parameters), payload


def ascii_bytes(encoded: str) -> bytes:
    """Return an encoded token as bytes; raise InvalidToken for what is no ASCII string, hence no JWS."""
    try:
        return encoded.encode("ascii")
    except (UnicodeEncodeError, AttributeError) as error:
        raise InvalidToken("malformed") from error


def read_compact(encoded: bytes) -> tuple[UnverifiedHeader, bytes, bytes, bytes]:
    """Return the header, the payload, the signing input and the signature segment of a JWS, all unverified.

    Raises InvalidToken where it is no JWS.
    """
    try:
        signing_input, _, signature_segment = encoded.rpartition(b".")
        header_segment, payload_segment = signing_input.split(b".")
        is_short = len(header_segment) <= LONGEST_CACHED_HEADER
        header = (read_header_cached if is_short else read_header)(header_segment)
        payload = decode_segment(payload_segment)
    except ValueError as error:
        raise InvalidToken("malformed") from error
    return header, payload, signing_input, signature_segment


def check_algorithm(alg: str, algorithms: Collection[str]) -> None:
    """Raise InvalidToken where the header's ``alg`` is not accepted."""
    if alg not in algorithms:
        raise InvalidToken("wrong_algorithm")


def verify_signature(key: SignatureCheck, signing_input: bytes, signature_segment: bytes) -> None:
    """Raise InvalidToken where the key does not verify the signature."""
    try:
        genuine = key.verify(signing_input, decode_segment(signature_segment))
    except ValueError:
        genuine = False
    if not genuine:
        raise InvalidToken("bad_signature")
