"""Tokens that were verified a moment ago, remembered in this process.

Only the outcome is kept, under the SHA-256 of the token: no token can be read out of the memory.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass

from ..jwks import KeyService
from ..jws import KeySet
from ..tokens import VerifiedToken


@dataclass(slots=True)
class RememberedToken:
    """A token that was verified, by how much its times may be off at each use, and the keys for which it holds."""

    verified: VerifiedToken
    leeway: float
    service: KeyService
    key_set: KeySet


class TokenMemory:
    """A bounded memory, least recently used out. Needs no lock: each step is atomic, a lost one a mere miss."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._tokens: OrderedDict[Hashable, RememberedToken] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tokens)

    def get(self, key: Hashable) -> RememberedToken | None:
        """Return a token's entry if its keys are still the current ones."""
        token = self._tokens.get(key)
        if token is None:
            return None
        # A refresh that changes the JWKS makes a new key set: the tokens of keys that left go with it.
        if token.service.current() is not token.key_set:
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
        while len(self._tokens) > self._size:
            with suppress(KeyError):  # another thread was faster
                self._tokens.popitem(last=False)


def digest(encoded_token: bytes) -> bytes:
    """Return the key of a token."""
    return hashlib.sha256(encoded_token).digest()
