"""What processes and machines share in Django's cache: the JWKS document, failures, a lock, a gate.

A cache that is down, slow or holds rubbish costs the sharing and nothing else.
"""

import hashlib
import json
import logging
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

from django.core.cache import BaseCache

from ..jws import loads_object
from ..upstream import GuardedCache, is_ahead, is_in_memory, read

logger = logging.getLogger("django_oauth_jwt")

T = TypeVar("T")

#: Part of every key; raised when an entry's shape changes, so that versions do not read each other's.
VERSION: Final = 1
#: More failures in a row than that are counted no further; back-off has long reached its longest by then.
MAXIMUM_COUNT: Final = 1000


@dataclass(frozen=True)
class JwksDocument:
    """A JWKS as fetched. ``fetched_at`` is Unix time; ``fresh_seconds`` counts from then."""

    jwks: dict[str, Any]
    fetched_at: float
    fresh_seconds: float
    etag: str | None = None


@dataclass(frozen=True)
class Failure:
    """The last of ``count`` failed fetches in a row; no other is made before ``retry_at`` (Unix time)."""

    reason: str
    count: int
    retry_at: float


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
        self._cache.call(lambda cache: cache.set(self._key("jwks"), entry, math.ceil(seconds)), None)
        self._cache.call(lambda cache: cache.delete(self._key("failure")), False)

    def failure(self) -> Failure | None:
        """Return the last fetch's failure, None where it succeeded."""
        return self._parsed("failure", _failure)

    def store_failure(self, failure: Failure, seconds: float) -> None:
        """Share a failure for so many seconds."""
        entry = json.dumps(asdict(failure))
        self._cache.call(lambda cache: cache.set(self._key("failure"), entry, math.ceil(seconds)), None)

    def try_lock(self, seconds: float) -> bool:
        """Take the lock that only one fetch holds; it frees itself after so many seconds."""
        return self._claim("lock", seconds)

    def unlock(self) -> None:
        """Free the lock."""
        self._cache.call(lambda cache: cache.delete(self._key("lock")), False)

    def free_lock_of_parent(self) -> None:
        """Free the lock that a fork has copied, where the cache is memory: its owner cannot free the copy."""
        self._cache.call(lambda cache: is_in_memory(cache) and cache.delete(self._key("lock")), False)

    def pass_gate(self, seconds: float) -> bool:
        """Pass the gate, unless somebody did so in the last so many seconds."""
        return self._claim("gate", seconds)

    def is_gate_closed(self, seconds: float) -> bool:
        """Tell whether somebody passed the gate in the last so many seconds."""
        until = self._cache.call(lambda cache: read(cache, self._key("gate")), None)
        return isinstance(until, float) and is_ahead(until, self._clock(), seconds)

    def _claim(self, name: str, seconds: float) -> bool:
        now, key = self._clock(), self._key(name)
        until = float(now + seconds)

        def claim(cache: BaseCache) -> bool:
            if cache.add(key, until, math.ceil(seconds)):
                return True
            taken_until = read(cache, key)
            if isinstance(taken_until, float) and is_ahead(taken_until, now, seconds):
                return False
            cache.set(key, until, math.ceil(seconds))  # rubbish, which might never go away by itself
            return True

        return self._cache.call(claim, True)

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}"

    def _parsed(self, name: str, parse: Callable[[dict[str, Any]], T]) -> T | None:
        entry = self._cache.call(lambda cache: read(cache, self._key(name)), None)
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
    return Failure(str(entry["reason"]), count, float(entry["retry_at"]))
