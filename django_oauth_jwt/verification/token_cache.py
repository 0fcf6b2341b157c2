"""Tokens that were verified a moment ago, remembered in this process.

Only the outcome is kept, under a hash of the token: no token can be read out of the cache.
"""

import hashlib
import math
import secrets
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ..conf import Settings
from ..jwks import KeyService
from ..jws import KeySet
from ..tokens import VerifiedToken

#: Of this process: an opaque token may be short, and its plain hash would tell who has guessed it.
_HASH_KEY: Final = secrets.token_bytes(32)


@dataclass(slots=True)
class RememberedToken:
    """A token that was verified, the leeway for its times, and what it was verified with.

    That is the ``key_set`` of a ``service``, or what an authorization server said, or both. What it said is good from
    ``since`` to ``until``, Unix times in seconds: a clock that is set back must not make it good for longer.
    """

    verified: VerifiedToken
    leeway: float
    service: KeyService | None = None
    key_set: KeySet | None = None
    since: float = -math.inf
    until: float = math.inf


class TokenCache:
    """The remembered tokens of one runtime, least recently used out; ``size`` is their greatest number.

    It needs no lock: each step is atomic, and a lost one is a mere miss.
    """

    def __init__(self, settings: Settings) -> None:
        self.size = settings.token_cache_size
        self._tokens: OrderedDict[Hashable, RememberedToken] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tokens)

    def get(self, key: Hashable, now: float) -> RememberedToken | None:
        """Return a token's entry if what it was verified with still holds; ``now`` is Unix time in seconds."""
        token = self._tokens.get(key)
        if token is None:
            return None
        # A refresh that changes the JWKS makes a new key set: the tokens of keys that left go with it.
        has_keys = token.service is None or token.service.current() is token.key_set
        if not (has_keys and token.since <= now < token.until):
            self._tokens.pop(key, None)
            return None
        try:  # noqa: SIM105  # `suppress` takes longer than the move
            self._tokens.move_to_end(key)
        except KeyError:  # another thread has just let it go
            pass
        return token

    def add(self, key: Hashable, token: RememberedToken) -> None:
        """Remember a token, and forget the one used longest ago where there are too many."""
        self._tokens[key] = token
        while len(self._tokens) > self.size:
            with suppress(KeyError):  # another thread was faster
                self._tokens.popitem(last=False)


def cache_key(encoded_token: bytes, jwks_service: KeyService | None, *, is_keyed: bool = False) -> Hashable:
    """Return the key of a token, of the settings' own keys or of those of a service that the caller gave.

    ``is_keyed`` is for tokens of which only their authorization server can say something.
    """
    if is_keyed:
        digest = hashlib.blake2b(encoded_token, key=_HASH_KEY, digest_size=32).digest()
    else:
        digest = hashlib.sha256(encoded_token).digest()
    return digest if jwks_service is None else (digest, _Same(jwks_service))


class _Same:
    """A key service as part of a key: equal to the same service alone, whatever its class says of equality."""

    __slots__ = ("_service",)

    def __init__(self, service: KeyService) -> None:
        self._service = service

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._service is other._service

    def __hash__(self) -> int:
        return id(self._service)
