"""Keys with python-jose's interface that check signatures with all supported algorithms.

python-jose parses the RSA and EC keys. Its own classes have no PS* and no EdDSA, and prepare padding and hash again
for each signature.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from jose import jwk
from jose.backends.base import Key
from jose.utils import base64url_decode

#: By the digits of the algorithm's name.
HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = MappingProxyType(
    {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
)

#: RFC 8032 section 5.1: the field, and the y of the points whose order divides 8. With such a key anybody can sign, so
#: no honest key is one of them. OpenSSL accepts them, and also a y beyond the field.
_ED25519_FIELD: Final = 2**255 - 19
_ED25519_Y_OF_ORDER_8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_ED25519_SMALL_ORDER: Final = frozenset(
    {0, 1, _ED25519_FIELD - 1, _ED25519_Y_OF_ORDER_8, _ED25519_FIELD - _ED25519_Y_OF_ORDER_8}
)


class WeakKey(ValueError):
    """A key that proves nothing. Its text is the reason."""


class SignatureCheck(Protocol):
    """What tells whether a signature is genuine."""

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Tell whether ``sig`` is the signature of ``msg``."""
        ...


class VerifyingKey(SignatureCheck, Protocol):
    """The part of a python-jose key that this package uses."""

    prepared_key: Any


class RSAKey(Key):
    """RSASSA-PKCS1-v1_5, and RSASSA-PSS with MGF1, hash and salt of one length (RFC 7518 sections 3.3 and 3.5)."""

    def __init__(self, key: Mapping[str, Any], algorithm: str) -> None:
        family, bits = algorithm[:2], algorithm[2:]
        exponent = int.from_bytes(base64url_decode(key["e"].encode("ascii")), "big")
        if exponent == 1:
            raise WeakKey("RSA exponent 1: anybody can sign for it")
        if exponent % 2 == 0:
            raise WeakKey("RSA exponent is even")
        # python-jose has no PS*, but the JWK of an RSA key is the same for all algorithms.
        parsed: Any = jwk.construct(dict(key), f"RS{bits}")
        self.prepared_key: RSAPublicKey = parsed.prepared_key
        self._hash = HASHES[bits]
        pss = padding.PSS(padding.MGF1(self._hash), self._hash.digest_size)
        self._padding = pss if family == "PS" else padding.PKCS1v15()

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Tell whether ``sig`` is the signature of ``msg``."""
        try:
            self.prepared_key.verify(sig, msg, self._padding, self._hash)
        except InvalidSignature:
            return False
        return True


class ECKey(Key):
    """ECDSA. A signature is r and s, each as long as the curve's field (RFC 7518 section 3.4)."""

    def __init__(self, key: Mapping[str, Any], algorithm: str) -> None:
        parsed: Any = jwk.construct(dict(key), algorithm)
        self.prepared_key: EllipticCurvePublicKey = parsed.prepared_key
        self._ecdsa = ECDSA(HASHES[algorithm[2:]])
        self._length = (self.prepared_key.key_size + 7) // 8

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Tell whether ``sig`` is the signature of ``msg``."""
        length = self._length
        if len(sig) != 2 * length:
            return False
        r, s = int.from_bytes(sig[:length], "big"), int.from_bytes(sig[length:], "big")
        try:
            self.prepared_key.verify(encode_dss_signature(r, s), msg, self._ecdsa)
        except InvalidSignature:
            return False
        return True


class Ed25519Key(Key):
    """EdDSA over Ed25519 (RFC 8037 section 3.1)."""

    def __init__(self, key: Mapping[str, Any], algorithm: str) -> None:
        point = base64url_decode(key["x"].encode("ascii"))
        self.prepared_key = Ed25519PublicKey.from_public_bytes(point)
        if int.from_bytes(point, "little") % 2**255 % _ED25519_FIELD in _ED25519_SMALL_ORDER:
            raise WeakKey("Ed25519 point of small order: anybody can sign for it")

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Tell whether ``sig`` is the signature of ``msg``."""
        try:
            self.prepared_key.verify(sig, msg)
        except InvalidSignature:
            return False
        return True


_CLASSES: Final[Mapping[str, type[RSAKey | ECKey | Ed25519Key]]] = MappingProxyType(
    {"RS": RSAKey, "PS": RSAKey, "ES": ECKey, "Ed": Ed25519Key}
)


def construct(key: Mapping[str, Any], algorithm: str) -> VerifyingKey:
    """Return the python-jose key of a public JWK for one algorithm.

    Raises WeakKey; any other exception means that the JWK is invalid.
    """
    return _CLASSES[algorithm[:2]](key, algorithm)
