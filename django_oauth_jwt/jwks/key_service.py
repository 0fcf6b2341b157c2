"""What a source of keys has to be."""

from typing import Protocol

from ..jws import KeySet


class KeyService(Protocol):
    """A source of keys. `JwksService` is one; the setting JWKS_SERVICE takes any object with these methods."""

    def current(self) -> KeySet | None:
        """Return the keys in memory, without waiting for anything; None where there are none."""
        ...

    def key_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Return keys among which this one should be; wait where it is not in memory.

        Raises KeysUnavailable where no keys can be had at all.
        """
        ...

    async def akey_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Do as `key_set_for` does, without blocking the event loop."""
        ...
