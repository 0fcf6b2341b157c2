"""A JWKS as a set of usable keys, and the selection of the key for a token (RFC 7517 section 5).

The key decides which algorithms it may be used with, never the token (RFC 8725 section 3.1).
"""

import logging
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn

from ..errors import InvalidToken
from .public_key import PublicKey, UnusableKey
from .verifying_keys import SignatureCheck, VerifyingKey

logger = logging.getLogger("django_oauth_jwt")

#: The log names so many of a JWKS's unusable keys, and counts the others: half a megabyte of them must not fill it.
NAMED_IN_LOG: Final = 10
#: A token that does not say which key signed it is tried with no more keys, since each try takes time.
MAXIMUM_TRIED: Final = 4
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class SkippedKey(NamedTuple):
    """An unusable key of a JWKS: its ``kid`` (None without one), its position (from 0) and why it was skipped."""

    kid: str | None
    position: int
    reason: str

    @property
    def name(self) -> str:
        """The key's name in log lines, at most 80 characters of ASCII."""
        return f"number {self.position + 1}" if self.kid is None else ascii(self.kid)[:80]


class KeySet:
    """The usable keys of one JWKS; make it with `from_jwks`. Immutable, iterable, with a length.

    ``keys`` are the usable keys in the order of the JWKS, ``unusable`` the skipped ones (`SkippedKey`).
    """

    __slots__ = ("_candidates", "_kids", "keys", "unusable")

    keys: tuple[PublicKey, ...]
    unusable: tuple[SkippedKey, ...]
    _kids: frozenset[str]
    _candidates: Mapping[tuple[str | None, str], tuple["_Candidate", ...]]

    def __init__(self, keys: tuple[PublicKey, ...], unusable: tuple[SkippedKey, ...] = ()) -> None:
        set_attribute = super().__setattr__  # the class's own refuses
        set_attribute("keys", keys)
        set_attribute("unusable", unusable)
        set_attribute("_kids", frozenset(key.kid for key in keys if key.kid is not None))
        set_attribute("_candidates", _by_kid_and_alg(keys))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a key set cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a key set cannot be changed: {name}")

    @classmethod
    def from_jwks(cls, jwks: Mapping[str, Any]) -> "KeySet":
        """Parse a JWKS. Unusable keys are skipped, and named in the log with the reason.

        >>> key_set = KeySet.from_jwks({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxC..."}]})
        >>> [key.kid for key in key_set]
        ['a']

        Raises ValueError where ``jwks`` is not an object with a list ``keys``.
        """
        return cls(*_parsed(jwks))

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[PublicKey]:
        return iter(self.keys)

    def knows(self, kid: str | None, alg: str) -> bool:
        """Tell whether the set has the key that a header names, or for a header without ``kid`` any key for ``alg``.

        If not, it may be a new key that a newer JWKS has.
        """
        return kid in self._kids if kid is not None else (kid, alg) in self._candidates

    def select(self, kid: str | None, alg: str, thumbprints: Mapping[str, str] = _NONE) -> SignatureCheck:
        """Return what checks a signature: the key that a header names.

        ``thumbprints`` are those of the key's certificate that the header has; they count for keys that have one, too.
        Where a header names no key, the check tries the keys for ``alg``, at most `MAXIMUM_TRIED` (RFC 7515
        appendix D). Raises InvalidToken: ``unknown_kid``, ``wrong_algorithm`` where the key is not for ``alg``,
        ``ambiguous_key`` where too many keys fit.
        """
        candidates = self._candidates.get((kid, alg))
        if candidates is None:
            raise InvalidToken("wrong_algorithm" if kid in self._kids else "unknown_kid")
        if len(candidates) == 1 and not thumbprints:
            return candidates[0].verifier
        fitting = [key for key in candidates if not key.contradicts(thumbprints)]
        named = [key for key in fitting if key.is_named_by(thumbprints)]
        if not fitting:
            raise InvalidToken("unknown_kid")
        keys = named or fitting
        if len(keys) > (MAXIMUM_TRIED if kid is None and not named else 1):
            raise InvalidToken("ambiguous_key")
        return keys[0].verifier if len(keys) == 1 else EachInTurn([key.verifier for key in keys])


class EachInTurn:
    """Checks a signature with several keys; one that verifies it will do."""

    def __init__(self, keys: list[VerifyingKey]) -> None:
        self._keys = keys

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Tell whether ``sig`` is the signature of ``msg`` by one of the keys."""
        return any(key.verify(msg, sig) for key in self._keys)


class _Candidate(NamedTuple):
    """A key for one algorithm, and the thumbprints of its certificate at each place of the JWKS that lists it."""

    verifier: VerifyingKey
    listed: list[Mapping[str, str]]

    def contradicts(self, thumbprints: Mapping[str, str]) -> bool:
        """Tell whether the key has other certificates only than the one that these thumbprints name."""
        return all(any(of.get(name, value) != value for name, value in thumbprints.items()) for of in self.listed)

    def is_named_by(self, thumbprints: Mapping[str, str]) -> bool:
        """Tell whether these thumbprints are those of a certificate of the key."""
        return any(of.items() & thumbprints.items() for of in self.listed)


def _by_kid_and_alg(keys: tuple[PublicKey, ...]) -> dict[tuple[str | None, str], tuple[_Candidate, ...]]:
    """Return the keys for each pair of ``kid`` and ``alg`` in a header; each key also under the ``kid`` None.

    The same key material that is listed more than once is one key, with the certificates of all its places.
    """
    certificates: dict[bytes, list[Mapping[str, str]]] = {}
    found: dict[tuple[str | None, str], dict[bytes, _Candidate]] = {}
    for key in keys:
        material = key.material
        listed = certificates.setdefault(material, [])
        listed.append(key.thumbprints)
        for alg, verifier in key.verifiers.items():
            for kid in {key.kid, None}:
                found.setdefault((kid, alg), {}).setdefault(material, _Candidate(verifier, listed))
    return {pair: tuple(by_material.values()) for pair, by_material in found.items()}


def key_set_from(jwks: Mapping[str, Any], source: str) -> KeySet:
    """Parse a JWKS as `KeySet.from_jwks` does, for a log that says where it is from."""
    return KeySet(*_parsed(jwks, f" ({source})"))


def _parsed(jwks: Mapping[str, Any], place: str = "") -> tuple[tuple[PublicKey, ...], tuple[SkippedKey, ...]]:
    entries = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(entries, list):
        raise ValueError("a JWKS is an object with a list 'keys'")
    keys, unusable = [], []
    for position, jwk in enumerate(entries):
        try:
            keys.append(PublicKey.from_jwk(jwk))
        except UnusableKey as reason:
            unusable.append(SkippedKey(_kid_of(jwk), position, str(reason)))
    _log_unusable(unusable, place)
    return tuple(keys), tuple(unusable)


def _kid_of(jwk: object) -> str | None:
    kid = jwk.get("kid") if isinstance(jwk, Mapping) else None
    return kid if isinstance(kid, str) else None


def _log_unusable(unusable: list[SkippedKey], place: str) -> None:
    for key in unusable[:NAMED_IN_LOG]:
        logger.warning("JWKS key %s is skipped: %s%s", key.name, key.reason, place)
    if len(unusable) > NAMED_IN_LOG:
        logger.warning("JWKS keys skipped beside these: %d%s", len(unusable) - NAMED_IN_LOG, place)
