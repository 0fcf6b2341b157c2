"""Signatures that this side makes: with the private key by which a client authenticates itself, and in tests.

python-jose signs with neither PS* nor EdDSA.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .algorithms import KEY_SHAPES, SUPPORTED_ALGORITHMS
from .public_key import MINIMUM_RSA_BITS, weakness_of
from .thumbprint import CURVES, encode_segment
from .verifying_keys import HASHES


def algorithms_of_private_key(private_key: object) -> tuple[str, ...]:
    """Return the algorithms that a key may sign with, the most common one first; empty for one of no use."""
    shape: tuple[str, str | None]
    if isinstance(private_key, rsa.RSAPrivateKey):
        modulus = private_key.public_key().public_numbers().n
        is_weak = private_key.key_size < MINIMUM_RSA_BITS or weakness_of(modulus) is not None
        shape = ("", None) if is_weak else ("RSA", None)
    elif isinstance(private_key, ec.EllipticCurvePrivateKey):
        shape = ("EC", CURVES.get(private_key.curve.name, ""))
    else:
        shape = ("OKP", "Ed25519") if isinstance(private_key, Ed25519PrivateKey) else ("", None)
    return tuple(alg for alg in SUPPORTED_ALGORITHMS if KEY_SHAPES[alg] == shape)


def sign_compact(header: Mapping[str, Any], payload: bytes, sign_message: Callable[[bytes], bytes]) -> str:
    """Return a JWS in compact serialization (RFC 7515 section 7.1). The header is neither checked nor completed."""
    signing_input = f"{encode_segment(json.dumps(header).encode())}.{encode_segment(payload)}"
    return f"{signing_input}.{encode_segment(sign_message(signing_input.encode()))}"


def sign(message: bytes, private_key: Any, alg: str) -> bytes:
    """Return the JWS signature of a message by a key that fits the algorithm (RFC 7518 section 3, RFC 8037)."""
    if KEY_SHAPES[alg][0] == "OKP":
        return bytes(private_key.sign(message))
    digest = HASHES[alg[2:]]
    if alg.startswith("RS"):
        return bytes(private_key.sign(message, padding.PKCS1v15(), digest))
    if alg.startswith("PS"):
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return bytes(private_key.sign(message, pss, digest))
    size = (private_key.key_size + 7) // 8
    r, s = decode_dss_signature(private_key.sign(message, ec.ECDSA(digest)))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")
