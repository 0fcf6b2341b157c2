"""The thumbprint of a public key: one name for it, however its JWK is written (RFC 7638)."""

import hashlib
import json
from binascii import b2a_base64
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .algorithms import KEY_SHAPES
from .public_key import PublicKey

_TO_BASE64URL: Final = bytes.maketrans(b"+/", b"-_")


def encode_segment(data: bytes) -> str:
    """Encode bytes as base64url without padding (RFC 7515 section 2)."""
    return b2a_base64(data, newline=False).translate(_TO_BASE64URL, b"=").decode()


def required_members(key: PublicKey) -> dict[str, str]:
    """Return the members of a JWK that make the key (RFC 7638 section 3.2), each in its only right spelling.

    They are in the order of their names. A coordinate has the full length of its curve, a number of RSA no zero in
    front (RFC 7518 sections 6.2 and 6.3).
    """
    alg, verifier = next(iter(key.verifiers.items()))
    public_key, crv = verifier.prepared_key, KEY_SHAPES[alg][1]
    if isinstance(public_key, RSAPublicKey):
        numbers = public_key.public_numbers()
        return {"e": _number(numbers.e), "kty": key.kty, "n": _number(numbers.n)}
    if isinstance(public_key, EllipticCurvePublicKey):
        point, size = public_key.public_numbers(), (public_key.key_size + 7) // 8
        return {"crv": str(crv), "kty": key.kty, "x": _number(point.x, size), "y": _number(point.y, size)}
    raw = public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"crv": str(crv), "kty": key.kty, "x": encode_segment(raw)}


def thumbprint_of(key: PublicKey) -> str:
    """Return the SHA-256 thumbprint of a key in base64url: the ``jkt`` of RFC 9449 section 6.1."""
    canonical = json.dumps(required_members(key), separators=(",", ":"))
    return encode_segment(hashlib.sha256(canonical.encode()).digest())


def _number(value: int, size: int = 0) -> str:
    return encode_segment(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))
