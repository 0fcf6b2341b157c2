"""A JWKS as parsed, usable keys, and the choice of the one key for a token (RFC 7517).

Selection knows nothing of HTTP. The key decides what the algorithm may be, never the token.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ..errors import InvalidToken
from .algorithms import algorithms_for
from .verifying_keys import VerifyingKey, construct

logger = logging.getLogger("django_oauth_jwt")

#: RFC 7518 section 3.3: RSA keys of 2048 bits or more.
MINIMUM_RSA_BITS: Final = 2048
#: OpenSSL checks no signature with more; the keys of the web's authorities have 4096 bits.
MAXIMUM_RSA_BITS: Final = 16384
#: OpenSSL allows no more with a long modulus; nearly all keys have 17 bits (65537), and time grows with them.
MAXIMUM_EXPONENT_BITS: Final = 64
#: How many of a JWKS's unusable keys the log names.
NAMED_IN_LOG: Final = 10

#: RFC 7518 sections 6.2.2, 6.3.2 and 6.4: members of private and secret keys. A prime alone gives an RSA key away.
_SECRET_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class UnusableKey(ValueError):
    """A JWK that cannot check signatures; its text says why."""


@dataclass(frozen=True)
class PublicKey:
    """One usable key of a JWKS: its ``kid`` (None where it has none) and a python-jose key per algorithm."""

    kid: str | None
    kty: str
    use: str | None
    verifiers: Mapping[str, VerifyingKey]

    @classmethod
    def from_jwk(cls, jwk: object) -> "PublicKey":
        """Parse a JWK (RFC 7517 section 4); raise UnusableKey for one that cannot check signatures."""
        if not isinstance(jwk, Mapping):
            raise UnusableKey("not an object")
        members = {name: jwk.get(name) for name in ("kid", "kty", "crv", "alg", "use")}
        for name, value in members.items():
            if value is not None and not isinstance(value, str):
                raise UnusableKey(f"{name} is not a string")
        _refuse_foreign_use(jwk)
        algorithms = algorithms_for(str(jwk.get("kty")), jwk.get("crv"))
        if not algorithms:
            raise UnusableKey("key type or curve cannot check signatures here")
        if jwk.get("alg") is not None:
            algorithms &= {jwk["alg"]}
        if not algorithms:
            raise UnusableKey("alg is not a signature algorithm of this key type and curve")
        return cls(members["kid"], str(jwk["kty"]), members["use"], MappingProxyType(_verifiers(jwk, algorithms)))


class SkippedKey(NamedTuple):
    """A key of a JWKS that is of no use: its ``kid`` (None where it has none), its place from 0 on, and why."""

    kid: str | None
    position: int
    reason: str

    @property
    def name(self) -> str:
        """What the log calls it."""
        return f"number {self.position + 1}" if self.kid is None else ascii(self.kid)[:80]


class KeySet:
    """The usable keys of one JWKS. Immutable; made by `from_jwks`.

    ``unusable`` tells of the keys that were skipped: see `SkippedKey`.
    """

    __slots__ = ("_choices", "_kids", "keys", "unusable")

    keys: tuple[PublicKey, ...]
    unusable: tuple[SkippedKey, ...]
    _kids: frozenset[str]
    _choices: Mapping[tuple[str | None, str], tuple[VerifyingKey, ...]]

    def __init__(self, keys: tuple[PublicKey, ...], unusable: tuple[SkippedKey, ...] = ()) -> None:
        keep = super().__setattr__  # our own refuses
        keep("keys", keys)
        keep("unusable", unusable)
        keep("_kids", frozenset(key.kid for key in keys if key.kid is not None))
        keep("_choices", _choices(keys))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a key set cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a key set cannot be changed: {name}")

    @classmethod
    def from_jwks(cls, jwks: Mapping[str, Any]) -> "KeySet":
        """Parse a JWKS (RFC 7517 section 5), skipping unusable keys with a warning.

        Raises ValueError where ``jwks`` is not an object with a list ``keys``.
        """
        entries = jwks.get("keys") if isinstance(jwks, Mapping) else None
        if not isinstance(entries, list):
            raise ValueError("a JWKS is an object with a list 'keys'")
        keys, unusable = [], []
        for position, jwk in enumerate(entries):
            try:
                keys.append(PublicKey.from_jwk(jwk))
            except UnusableKey as reason:
                unusable.append(SkippedKey(_kid_of(jwk), position, str(reason)))
        _warn_of(unusable)
        return cls(tuple(keys), tuple(unusable))

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[PublicKey]:
        return iter(self.keys)

    def knows(self, kid: str | None, alg: str) -> bool:
        """Tell whether the answer of `select` would be the same with newer keys beside these."""
        return kid in self._kids if kid is not None else (kid, alg) in self._choices

    def select(self, kid: str | None, alg: str) -> VerifyingKey:
        """Return the one key that fits; without a ``kid`` it must be the only one for the algorithm.

        Raises InvalidToken.
        """
        choice = self._choices.get((kid, alg))
        if choice is None:
            raise InvalidToken("wrong_algorithm" if kid in self._kids else "unknown_kid")
        if len(choice) > 1:
            raise InvalidToken("ambiguous_key")
        return choice[0]


def _refuse_foreign_use(jwk: Mapping[str, Any]) -> None:
    if jwk.get("kty") == "oct" or not _SECRET_MEMBERS.isdisjoint(jwk):
        raise UnusableKey("secret or private key material has no place in a JWKS that is public")
    if jwk.get("use") not in (None, "sig"):
        raise UnusableKey("use is not sig")
    key_ops = jwk.get("key_ops")
    if key_ops is not None and not (isinstance(key_ops, list) and "verify" in key_ops):
        raise UnusableKey("key_ops does not hold verify")


def _verifiers(jwk: Mapping[str, Any], algorithms: frozenset[str]) -> dict[str, VerifyingKey]:
    try:
        verifiers = {alg: construct(jwk, alg) for alg in sorted(algorithms)}
    except Exception as error:  # python-jose and cryptography raise many kinds for a bad key
        raise UnusableKey("key cannot be parsed") from error
    for verifier in verifiers.values():
        if isinstance(verifier.prepared_key, RSAPublicKey):
            _refuse_odd_rsa(verifier.prepared_key)
    return verifiers


def _refuse_odd_rsa(key: RSAPublicKey) -> None:
    if key.key_size < MINIMUM_RSA_BITS:
        raise UnusableKey(f"RSA key of {key.key_size} bits; {MINIMUM_RSA_BITS} is the least")
    if key.key_size > MAXIMUM_RSA_BITS:
        raise UnusableKey(f"RSA key of {key.key_size} bits; {MAXIMUM_RSA_BITS} is the most")
    exponent_bits = key.public_numbers().e.bit_length()
    if exponent_bits > MAXIMUM_EXPONENT_BITS:
        raise UnusableKey(f"RSA exponent of {exponent_bits} bits; {MAXIMUM_EXPONENT_BITS} is the most")


def _warn_of(unusable: list[SkippedKey]) -> None:
    for key in unusable[:NAMED_IN_LOG]:
        logger.warning("JWKS key %s is skipped: %s", key.name, key.reason)
    if len(unusable) > NAMED_IN_LOG:  # half a megabyte of rubbish must not fill the log
        logger.warning("JWKS keys skipped beside these: %d", len(unusable) - NAMED_IN_LOG)


def _choices(keys: tuple[PublicKey, ...]) -> dict[tuple[str | None, str], tuple[VerifyingKey, ...]]:
    choices: dict[tuple[str | None, str], tuple[VerifyingKey, ...]] = {}
    for key in keys:
        for alg, verifier in key.verifiers.items():
            for kid in {key.kid, None}:
                choices[kid, alg] = (*choices.get((kid, alg), ()), verifier)
    return choices


def _kid_of(jwk: object) -> str | None:
    kid = jwk.get("kid") if isinstance(jwk, Mapping) else None
    return kid if isinstance(kid, str) else None
