"""Private keys that sign tokens, for tests and demos only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jose.utils import base64url_encode, long_to_base64

from ..jws import KEY_SHAPES, sign, sign_compact

_CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


@dataclass(frozen=True)
class SigningKey:
    """A private key with its ``kid`` and the algorithm that it signs with."""

    kid: str
    alg: str
    private_key: Any

    @classmethod
    def generate(cls, alg: str = "RS256", kid: str = "key-1") -> "SigningKey":
        """Return a new key for one of the supported algorithms; KeyError for another."""
        kty, crv = KEY_SHAPES[alg]
        private_key: Any
        if kty == "RSA":
            private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        elif kty == "EC":
            private_key = ec.generate_private_key(_CURVES[str(crv)])
        else:
            private_key = Ed25519PrivateKey.generate()
        return cls(kid, alg, private_key)

    def public_jwk(self) -> dict[str, str]:
        """Return the public key as a JWK (RFC 7517 section 4)."""
        kty, crv = KEY_SHAPES[self.alg]
        jwk = {"kid": self.kid, "kty": kty, "alg": self.alg, "use": "sig"}
        public_key = self.private_key.public_key()
        if kty == "RSA":
            numbers = public_key.public_numbers()
            return {**jwk, "n": _number(numbers.n), "e": _number(numbers.e)}
        if kty == "EC":
            numbers, size = public_key.public_numbers(), (public_key.key_size + 7) // 8
            return {**jwk, "crv": str(crv), "x": _number(numbers.x, size), "y": _number(numbers.y, size)}
        raw = public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {**jwk, "crv": str(crv), "x": base64url_encode(raw).decode()}

    def sign(self, message: bytes) -> bytes:
        """Return the JWS signature of a message (RFC 7518 section 3)."""
        return sign(message, self.private_key, self.alg)

    def encode(self, header: Mapping[str, Any], payload: bytes) -> str:
        """Return a JWS in compact serialization (RFC 7515 section 7.1). The header is not checked or completed."""
        return sign_compact(header, payload, self.sign)


def _number(value: int, size: int = 0) -> str:
    return str(long_to_base64(value, size).decode())
