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
        self.prepared_key = Ed25519PublicKey.from_public_bytes(base64url_decode(key["x"].encode("ascii")))

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
