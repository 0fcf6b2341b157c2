"""The thumbprint of a public key: one name for it, however its JWK is written (RFC 7638)."""

import hashlib
import json
from binascii import b2a_base64
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .public_key import PublicKey

#: By cryptography's name of a curve: the ``crv`` of a JWK (RFC 7518 section 6.2.1.1).
CURVES: Final = MappingProxyType({"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"})

_TO_BASE64URL: Final = bytes.maketrans(b"+/", b"-_")


def encode_segment(data: bytes) -> str:
    """Encode bytes as base64url without padding (RFC 7515 section 2)."""
    return b2a_base64(data, newline=False).translate(_TO_BASE64URL, b"=").decode()


def members_of(public_key: object) -> dict[str, str]:
    """Return the members of a JWK that make a public key (RFC 7638 section 3.2), each in its only right spelling.

    They are in the order of their names. A coordinate has the full length of its curve, a number of RSA no zero in
    front (RFC 7518 sections 6.2 and 6.3). Raises ValueError for a kind of key that no algorithm here uses.
    """
    if isinstance(public_key, RSAPublicKey):
        numbers = public_key.public_numbers()
        return {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
    if isinstance(public_key, EllipticCurvePublicKey) and public_key.curve.name in CURVES:
        point, size = public_key.public_numbers(), (public_key.key_size + 7) // 8
        crv = CURVES[public_key.curve.name]
        return {"crv": crv, "kty": "EC", "x": _number(point.x, size), "y": _number(point.y, size)}
    if isinstance(public_key, Ed25519PublicKey):
        raw = public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": encode_segment(raw)}
    raise ValueError("key type or curve cannot check signatures here")


def required_members(key: PublicKey) -> dict[str, str]:
    """Return the members of a usable key that make it; see `members_of`."""
    return members_of(next(iter(key.verifiers.values())).prepared_key)


def thumbprint_of(key: PublicKey) -> str:
    """Return the SHA-256 thumbprint of a key in base64url: the ``jkt`` of RFC 9449 section 6.1."""
    return thumbprint_of_members(required_members(key))


def thumbprint_of_members(members: Mapping[str, str]) -> str:
    """Return the thumbprint of the key that these members make; see `members_of`."""
    canonical = json.dumps(members, separators=(",", ":"))
    return encode_segment(hashlib.sha256(canonical.encode()).digest())


def _number(value: int, size: int = 0) -> str:
    return encode_segment(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))
