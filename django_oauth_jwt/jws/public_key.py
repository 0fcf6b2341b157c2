"""One JWK as a public key that can check signatures (RFC 7517 section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .algorithms import algorithms_for
from .close_primes import has_close_primes
from .header import THUMBPRINTS
from .roca import has_roca_fingerprint
from .strict_json import FAULT
from .verifying_keys import VerifyingKey, WeakKey, construct

#: RFC 7518 section 3.3: RSA keys have 2048 bits or more.
MINIMUM_RSA_BITS: Final = 2048
#: OpenSSL checks no signature with a longer key. The certificate authorities of the web use 4096 bits.
MAXIMUM_RSA_BITS: Final = 16384
#: OpenSSL allows no more with a long modulus. Nearly all keys have 17 bits (65537); more bits cost more time.
MAXIMUM_EXPONENT_BITS: Final = 64

#: Members of private and secret keys (RFC 7518 sections 6.2.2, 6.3.2, 6.4). One prime is enough to break an RSA key.
_SECRET_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class UnusableKey(ValueError):
    """A JWK that cannot check signatures. Its text is the reason."""


@dataclass(frozen=True)
class PublicKey:
    """A usable key of a JWKS.

    ``kid`` and ``use`` are None where the JWK has none. ``verifiers`` has a python-jose key for each algorithm that
    the key may be used with. ``thumbprints`` are those of its certificate, by member (``x5t#S256``, ``x5t``).
    """

    kid: str | None
    kty: str
    use: str | None
    verifiers: Mapping[str, VerifyingKey]
    thumbprints: Mapping[str, str]

    @classmethod
    def from_jwk(cls, jwk: object) -> "PublicKey":
        """Parse a JWK; raise UnusableKey where it cannot check signatures."""
        if not isinstance(jwk, Mapping):
            raise UnusableKey("not an object")
        if FAULT in jwk:
            raise UnusableKey(ascii(str(jwk[FAULT]))[1:-1][:100])  # a JWKS may have such a member itself
        for name in ("kid", "kty", "crv", "alg", "use", *THUMBPRINTS):
            if not isinstance(jwk.get(name), str | None):
                raise UnusableKey(f"{name} is not a string")
        _check_purpose(jwk)
        verifiers = _verifiers(jwk, _algorithms(jwk))
        thumbprints = {name: jwk[name] for name in THUMBPRINTS if jwk.get(name) is not None}
        return cls(jwk.get("kid"), jwk["kty"], jwk.get("use"), MappingProxyType(verifiers), thumbprints)

    @property
    def material(self) -> bytes:
        """The public key itself, whatever the JWK says beside it."""
        key = next(iter(self.verifiers.values())).prepared_key
        der: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return der


def has_secret(jwk: object) -> bool:
    """Tell whether a JWK is a secret key, or has members of a private one."""
    return isinstance(jwk, Mapping) and (jwk.get("kty") == "oct" or not _SECRET_MEMBERS.isdisjoint(jwk))


def _check_purpose(jwk: Mapping[str, Any]) -> None:
    if has_secret(jwk):
        raise UnusableKey("secret or private key material has no place in a JWKS that is public")
    if jwk.get("use") not in (None, "sig"):
        raise UnusableKey("use is not sig")
    key_ops = jwk.get("key_ops")
    if key_ops is not None and not (isinstance(key_ops, list) and "verify" in key_ops):
        raise UnusableKey("key_ops does not hold verify")


def _algorithms(jwk: Mapping[str, Any]) -> frozenset[str]:
    """Return the algorithms of the key's type and curve, or the one that the JWK names among them."""
    algorithms = algorithms_for(str(jwk.get("kty")), jwk.get("crv"))
    if not algorithms:
        raise UnusableKey("key type or curve cannot check signatures here")
    if jwk.get("alg") is not None:
        algorithms &= {jwk["alg"]}
    if not algorithms:
        raise UnusableKey("alg is not a signature algorithm of this key type and curve")
    return algorithms


def _verifiers(jwk: Mapping[str, Any], algorithms: frozenset[str]) -> dict[str, VerifyingKey]:
    try:
        verifiers = {alg: construct(jwk, alg) for alg in sorted(algorithms)}
    except WeakKey as error:
        raise UnusableKey(str(error)) from None
    except Exception as error:  # python-jose and cryptography raise many kinds of errors for a bad key
        raise UnusableKey("key cannot be parsed") from error
    key = next(iter(verifiers.values())).prepared_key  # the same for each algorithm
    if isinstance(key, RSAPublicKey):
        _check_rsa_key(key)
    return verifiers


def _check_rsa_key(key: RSAPublicKey) -> None:
    if key.key_size < MINIMUM_RSA_BITS:
        raise UnusableKey(f"RSA key of {key.key_size} bits; {MINIMUM_RSA_BITS} is the least")
    if key.key_size > MAXIMUM_RSA_BITS:
        raise UnusableKey(f"RSA key of {key.key_size} bits; {MAXIMUM_RSA_BITS} is the most")
    numbers = key.public_numbers()
    exponent_bits = numbers.e.bit_length()
    if exponent_bits > MAXIMUM_EXPONENT_BITS:
        raise UnusableKey(f"RSA exponent of {exponent_bits} bits; {MAXIMUM_EXPONENT_BITS} is the most")
    weakness = weakness_of(numbers.n)
    if weakness is not None:
        raise UnusableKey(weakness)


def weakness_of(modulus: int) -> str | None:
    """Return why the private key can be computed from the modulus of an RSA key, None where it cannot."""
    if has_roca_fingerprint(modulus):
        return "RSA key with the fingerprint of CVE-2017-15361 (ROCA)"
    if has_close_primes(modulus):
        return "RSA key of two primes that are close to each other (CVE-2022-26320)"
    return None
