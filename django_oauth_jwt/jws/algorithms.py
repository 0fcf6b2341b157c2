"""The supported signature algorithms, and the type of key that each one needs.

All are asymmetric, since a resource server has public keys only (RFC 8725 section 3.1).
"""

from types import MappingProxyType
from typing import Final

#: ``kty`` and ``crv`` (None for a key type without curves) by ``alg`` (RFC 7518 section 3.1, RFC 8037, RFC 9864).
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
    """Return the algorithms that a key of this type and curve can be used with; empty if there are none."""
    return frozenset(alg for alg, shape in KEY_SHAPES.items() if shape == (kty, crv))
