"""The signature algorithms that are understood, and the keys that each one needs.

All of them are asymmetric: a resource server holds public keys only (RFC 8725 section 3.1).
"""

from types import MappingProxyType
from typing import Final

#: ``kty`` and, where the key type has curves, ``crv`` (RFC 7518 section 3.1, RFC 8037, RFC 9864).
KEY_SHAPES: Final = MappingProxyType(
    {
        **{f"{family}{bits}": ("RSA", None) for family in ("RS", "PS") for bits in (256, 384, 512)},
        "ES256": ("EC", "P-256"),
        "ES384": ("EC", "P-384"),
        "ES512": ("EC", "P-521"),
        "EdDSA": ("OKP", "Ed25519"),
        "Ed25519": ("OKP", "Ed25519"),
    }
)

SUPPORTED_ALGORITHMS: Final = tuple(KEY_SHAPES)


def algorithms_for(kty: str, crv: str | None) -> frozenset[str]:
    """Return the algorithms that a key of this type and curve can verify, maybe none."""
    return frozenset(alg for alg, shape in KEY_SHAPES.items() if shape == (kty, crv))
