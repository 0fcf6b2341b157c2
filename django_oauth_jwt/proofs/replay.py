"""The proofs that were used, remembered in Django's cache for as long as they could be used again.

Only an `add` tells, in one step, that nobody else has the same proof at the same time in another process.
"""

import hashlib
import logging
import math
from typing import Final

from django.core.cache import BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache

from ..conf import Settings
from ..errors import InvalidProof, ReplayCheckUnavailable
from ..jws import encode_segment
from ..upstream import ProjectCache, Steps

logger = logging.getLogger("django_oauth_jwt")

#: So many proofs does a process remember where the cache is a LocMemCache.
ENTRIES_IN_MEMORY: Final = 100_000
#: Their `add` is no single step, or remembers nothing.
_CANNOT_TELL: Final = (DummyCache, FileBasedCache)
#: Of the SHA-256 of key and ``jti``: long enough that nobody finds another proof with the same.
DIGEST_BYTES: Final = 16
_WARNING: Final = (
    "The cache that remembers DPoP proofs fails (%s); requests with DPoP proofs are answered with 503 for %g seconds"
)


class ReplayMemory:
    """The used proofs, in the cache that the setting CACHE names (see `upstream.ProjectCache`)."""

    def __init__(self, settings: Settings) -> None:
        self._cache = ProjectCache(settings.cache, "proofs", entries=ENTRIES_IN_MEMORY, warning=_WARNING)
        self._can_tell = not issubclass(self._cache.kind, _CANNOT_TELL)
        if not self._can_tell:
            logger.error(
                "CACHE is a %s, which cannot tell whether a DPoP proof was used: the answer to each is 503",
                self._cache.kind.__name__,
            )

    def first_use_steps(self, thumbprint: str, jti: str, seconds: float) -> Steps[None]:
        """Remember a proof for so many seconds, by the thumbprint of its key and its ``jti``.

        Raises InvalidProof (``replayed_proof``) where it is remembered already, and ReplayCheckUnavailable where the
        cache does not say.
        """
        timeout = math.ceil(seconds) + 1  # a cache that counts whole seconds may forget it one second early
        key = cache_key(thumbprint, jti)
        added: object = None
        if self._can_tell:
            added = yield from self._cache.call_steps(lambda cache: _add(cache, key, timeout), None)
        if added is None:  # the answer of django-redis, too, where it is told to ignore errors
            raise ReplayCheckUnavailable
        if not added:
            raise InvalidProof("replayed_proof")


def cache_key(thumbprint: str, jti: str) -> str:
    """Return the key of a proof: of bounded length, and of characters that every cache takes."""
    digest = hashlib.sha256(f"{thumbprint}.{jti}".encode()).digest()
    return f"oauth_jwt:proof:{encode_segment(digest[:DIGEST_BYTES])}"


def _add(cache: BaseCache, key: str, timeout: int) -> object:
    return cache.add(key, 1, timeout)
