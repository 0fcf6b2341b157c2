"""What processes and machines share in Django's cache: the JWKS, the last failure, a lock, a cooldown.

Without a working cache, or with wrong entries in it, each process fetches for itself; nothing else changes.
"""

import hashlib
import json
import logging
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final, TypeVar

from django.core.cache import BaseCache

from ..jws import loads_object
from ..upstream import MAXIMUM_RETRY_AFTER, GuardedCache, claim_once, is_in_memory, read
from .snapshot import Failure, JwksDocument

logger = logging.getLogger("django_oauth_jwt")

T = TypeVar("T")

#: Part of every key; raised when an entry's shape changes, so that versions do not read each other's.
VERSION: Final = 1
#: More failures in a row than that are counted no further; back-off has long reached its longest by then.
MAXIMUM_COUNT: Final = 1000


class SharedJwks:
    """One JWKS in one Django cache."""

    def __init__(self, cache: GuardedCache, source: str, clock: Callable[[], float]) -> None:
        self._cache = cache
        self._prefix = f"oauth_jwt:{VERSION}:{hashlib.sha256(source.encode()).hexdigest()[:32]}"
        self._clock = clock

    def load(self) -> JwksDocument | None:
        """Return the shared document, None where there is none or it cannot be read."""
        return self._parsed("jwks", _document)

    def store(self, document: JwksDocument, seconds: float) -> None:
        """Share a document for so many seconds, and forget failures."""
        entry = json.dumps(asdict(document))
        self._cache.call(lambda cache: cache.set(self.key("jwks"), entry, math.ceil(seconds)), None)
        self._cache.call(lambda cache: cache.delete(self.key("failure")), False)

    def failure(self) -> Failure | None:
        """Return the last fetch's failure, None where it succeeded."""
        return self._parsed("failure", _failure)

    def store_failure(self, failure: Failure, seconds: float) -> None:
        """Share a failure for so many seconds."""
        entry = json.dumps(asdict(failure))
        self._cache.call(lambda cache: cache.set(self.key("failure"), entry, math.ceil(seconds)), None)

    @contextmanager
    def locked(self, seconds: float) -> Iterator[bool]:
        """Tell whether the lock that only one fetch holds is ours; it is freed at the end, or after so many seconds."""
        is_ours = self._cache.call(lambda cache: self._claim(cache, self._lock_key(cache), seconds), True)
        try:
            yield is_ours
        finally:
            if is_ours:
                self._cache.call(lambda cache: cache.delete(self._lock_key(cache)), False)

    def claim_cooldown(self, seconds: float) -> bool:
        """Claim the one fetch for an unknown key in so many seconds; tell whether nobody else has."""
        return self._cache.call(lambda cache: self._claim(cache, self.key("cooldown"), seconds), True)

    def key(self, name: str) -> str:
        """Return the cache's key of an entry."""
        return f"{self._prefix}:{name}"

    def _lock_key(self, cache: BaseCache) -> str:
        # A fork copies a cache in memory, and with it a lock that only the parent would free.
        return self.key(f"lock:{os.getpid()}" if is_in_memory(cache) else "lock")

    def _claim(self, cache: BaseCache, key: str, seconds: float) -> bool:
        return claim_once(cache, key, self._clock(), seconds)

    def _parsed(self, name: str, parse: Callable[[dict[str, Any]], T]) -> T | None:
        entry = self._cache.call(lambda cache: read(cache, self.key(name)), None)
        if entry is None:
            return None
        try:
            return parse(loads_object(entry.encode()))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            logger.warning("The shared cache holds an entry that is not a JWKS; it is ignored")
            return None


def _document(entry: dict[str, Any]) -> JwksDocument:
    jwks, etag, fresh_seconds = entry["jwks"], entry["etag"], float(entry["fresh_seconds"])
    if not isinstance(jwks, dict) or not isinstance(etag, str | None) or not fresh_seconds >= 0:
        raise TypeError("not a JWKS")
    return JwksDocument(jwks, float(entry["fetched_at"]), fresh_seconds, etag)


def _failure(entry: dict[str, Any]) -> Failure:
    count = min(max(int(entry["count"]), 1), MAXIMUM_COUNT)
    retry_after = min(float(entry.get("retry_after", 0)), MAXIMUM_RETRY_AFTER)
    uri = str(entry.get("uri") or "")
    return Failure(str(entry["reason"]), count, float(entry["retry_at"]), retry_after, uri)
