"""The keys of python-jose that check signatures, with the algorithms that it lacks: PS* and EdDSA."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jose import jwk
from jose.backends.base import Key
from jose.utils import base64url_decode

_PSS_HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = MappingProxyType(
    {"PS256": hashes.SHA256(), "PS384": hashes.SHA384(), "PS512": hashes.SHA512()}
)

#: RFC 8032 section 5.1: the field, and the y of the points whose order divides 8. No honest key is one of them, and
#: OpenSSL takes them; it takes a y beyond the field, too.
_ED25519_FIELD: Final = 2**255 - 19
_ED25519_Y_OF_ORDER_8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_ED25519_SMALL_ORDER: Final = frozenset(
    {0, 1, _ED25519_FIELD - 1, _ED25519_Y_OF_ORDER_8, _ED25519_FIELD - _ED25519_Y_OF_ORDER_8}
)


class VerifyingKey(Protocol):
    """What is used of a python-jose key."""

    prepared_key: Any

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Tell whether ``sig`` is the signature of ``msg``."""
        ...


class RSAPSSKey(Key):
    """RSASSA-PSS with MGF1, hash and salt of one length (RFC 7518 section 3.5)."""

    def __init__(self, key: Mapping[str, Any], algorithm: str) -> None:
        hash_algorithm = _PSS_HASHES[algorithm]
        rsa_key: Any = jwk.construct(dict(key), f"RS{algorithm[2:]}")
        self.prepared_key: RSAPublicKey = rsa_key.prepared_key
        self._hash = hash_algorithm
        self._padding = padding.PSS(padding.MGF1(hash_algorithm), hash_algorithm.digest_size)

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Tell whether ``sig`` is the signature of ``msg``."""
        try:
            self.prepared_key.verify(sig, msg, self._padding, self._hash)
        except InvalidSignature:
            return False
        return True


class Ed25519Key(Key):
    """EdDSA over Ed25519 (RFC 8037 section 3.1)."""

    def __init__(self, key: Mapping[str, Any], algorithm: str) -> None:
        point = base64url_decode(key["x"].encode("ascii"))
        if int.from_bytes(point, "little") % 2**255 % _ED25519_FIELD in _ED25519_SMALL_ORDER:
            raise ValueError("a point of small order: anybody can sign for it")
        self.prepared_key = Ed25519PublicKey.from_public_bytes(point)

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Tell whether ``sig`` is the signature of ``msg``."""
        try:
            self.prepared_key.verify(sig, msg)
        except InvalidSignature:
            return False
        return True


def construct(key: Mapping[str, Any], algorithm: str) -> VerifyingKey:
    """Return the python-jose key of a public JWK for one algorithm; any exception means it is not one."""
    constructed: Any
    if algorithm.startswith("PS"):
        constructed = RSAPSSKey(key, algorithm)
    elif algorithm.startswith("Ed"):
        constructed = Ed25519Key(key, algorithm)
    else:
        constructed = jwk.construct(dict(key), algorithm)
    verifying_key: VerifyingKey = constructed
    return verifying_key
