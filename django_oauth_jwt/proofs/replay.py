"""The proofs that were used, remembered in Django's cache for as long as they could be used again.

Only an `add` tells, in one step, that nobody else has the same proof at the same time in another process.
"""

import hashlib
import logging
import math
from typing import Final

from django.core.cache import BaseCache, caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache

from ..conf import Settings
from ..errors import InvalidProof, ReplayCheckUnavailable
from ..jws import encode_segment
from ..upstream import GuardedCache, PerProcess, Steps, unix_time

logger = logging.getLogger("django_oauth_jwt")

#: A LocMemCache that is full drops the oldest third of its entries. Django's default of 300 is full in a moment.
ENTRIES_IN_MEMORY: Final = 100_000
#: So many operations at a time: with one thread requests would queue behind a slow cache.
THREADS: Final = 8
#: Their `add` is no single step, or remembers nothing.
_CANNOT_TELL: Final = (DummyCache, FileBasedCache)
#: How long, in seconds, a cache that failed is not asked: as long as refused clients are told to wait.
REST_SECONDS: Final = 1.0
#: Of the SHA-256 of key and ``jti``: long enough that nobody finds another proof with the same.
DIGEST_BYTES: Final = 16
_WARNING: Final = (
    "The cache that remembers DPoP proofs fails (%s); requests with DPoP proofs are answered with 503 for %g seconds"
)


class ReplayMemory:
    """The used proofs, in the cache that the setting CACHE names.

    Where that is a LocMemCache, they are in a LocMemCache of their own, which has room for them, and is asked directly.
    Any other is asked in a thread that may be left behind: how long a request waits for it is bounded (see
    `upstream.GuardedCache`).
    """

    def __init__(self, settings: Settings) -> None:
        cache = caches[settings.cache]
        self._can_tell = not isinstance(cache, _CANNOT_TELL)
        if not self._can_tell:
            logger.error(
                "CACHE is a %s, which cannot tell whether a DPoP proof was used: the answer to each is 503",
                type(cache).__name__,
            )
        # A subclass may do I/O, so it is asked in a thread.
        self._in_memory = _memory_of(settings.cache) if type(cache) is LocMemCache else None

        self._guarded = PerProcess(
            lambda _: GuardedCache(settings.cache, unix_time, REST_SECONDS, warning=_WARNING, threads=THREADS)
        )

    def first_use_steps(self, thumbprint: str, jti: str, seconds: float) -> Steps[None]:
        """Remember a proof for so many seconds, by the thumbprint of its key and its ``jti``.

        Raises InvalidProof (``replayed_proof``) where it is remembered already, and ReplayCheckUnavailable where the
        cache does not say.
        """
        timeout = math.ceil(seconds) + 1  # a cache that counts whole seconds may forget it one second early
        key = cache_key(thumbprint, jti)
        added: object
        if not self._can_tell:
            added = None
        elif self._in_memory is not None:
            added = _add(self._in_memory, key, timeout)
        else:
            added = yield from self._guarded.get().call_steps(lambda cache: _add(cache, key, timeout), None)
        if added is None:  # the answer of django-redis, too, where it is told to ignore errors
            raise ReplayCheckUnavailable
        if not added:
            raise InvalidProof("replayed_proof")


def _memory_of(alias: str) -> BaseCache:
    return LocMemCache(f"django_oauth_jwt proofs {alias}", {"OPTIONS": {"MAX_ENTRIES": ENTRIES_IN_MEMORY}})


def cache_key(thumbprint: str, jti: str) -> str:
    """Return the key of a proof: of bounded length, and of characters that every cache takes."""
    digest = hashlib.sha256(f"{thumbprint}.{jti}".encode()).digest()
    return f"oauth_jwt:proof:{encode_segment(digest[:DIGEST_BYTES])}"


def _add(cache: BaseCache, key: str, timeout: int) -> object:
    return cache.add(key, 1, timeout)
