"""What processes and machines share in Django's cache: the JWKS document, failures, a lock, a gate.

A cache that is down, slow or holds rubbish costs the sharing and nothing else: every operation has a time
limit, its errors are logged, and a cache that fails is left alone for a while.
"""

import hashlib
import json
import logging
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple, TypeVar

from django.core.cache import BaseCache, caches

from .strict_json import loads_object
from .waiting import Bounded

logger = logging.getLogger("django_oauth_jwt")

T = TypeVar("T")

#: Part of every key; raised when an entry's shape changes, so that versions do not read each other's.
VERSION: Final = 1
#: How far, in seconds, the clock of another machine that shares the cache may be ahead.
MAXIMUM_SKEW_SECONDS: Final = 30.0
#: How long, in seconds, one operation of the cache may take.
OPERATION_SECONDS: Final = 1.0
#: How long, in seconds, a connection to the cache is kept for the next operation.
SPARE_SECONDS: Final = 60.0


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
    """One JWKS in one Django cache (an alias, or the cache itself)."""

    def __init__(self, cache: BaseCache | str, source: str, clock: Callable[[], float], rest_seconds: float) -> None:
        self._cache = cache
        self._prefix = f"oauth_jwt:{VERSION}:{hashlib.sha256(source.encode()).hexdigest()[:32]}"
        self._clock = clock
        self._rest_seconds = rest_seconds
        self._down_until = 0.0
        self.bounded: Final = Bounded()
        self.start_afresh()

    def start_afresh(self) -> None:
        """Forget the threads and connections of a parent process: after a fork they are not ours."""
        self.bounded.forget_threads()
        self._spare: list[_Spare] = []

    def load(self) -> JwksDocument | None:
        """Return the shared document, None where there is none or it cannot be read."""
        return self._parsed("jwks", _document)

    def store(self, document: JwksDocument, seconds: float) -> None:
        """Share a document for so many seconds, and forget failures."""
        entry = json.dumps(asdict(document))
        self._guarded(lambda cache: cache.set(self._key("jwks"), entry, math.ceil(seconds)), None)
        self._guarded(lambda cache: cache.delete(self._key("failure")), False)

    def failure(self) -> Failure | None:
        """Return the last fetch's failure, None where it succeeded."""
        return self._parsed("failure", _failure)

    def store_failure(self, failure: Failure, seconds: float) -> None:
        """Share a failure for so many seconds."""
        entry = json.dumps(asdict(failure))
        self._guarded(lambda cache: cache.set(self._key("failure"), entry, math.ceil(seconds)), None)

    def try_lock(self, seconds: float) -> bool:
        """Take the lock that only one fetch holds; it frees itself after so many seconds."""
        return self._claim("lock", seconds)

    def unlock(self) -> None:
        """Free the lock."""
        self._guarded(lambda cache: cache.delete(self._key("lock")), False)

    def pass_gate(self, seconds: float) -> bool:
        """Pass the gate, unless somebody did so in the last so many seconds."""
        return self._claim("gate", seconds)

    def is_gate_closed(self, seconds: float) -> bool:
        """Tell whether somebody passed the gate in the last so many seconds."""
        until = self._guarded(lambda cache: _get(cache, self._key("gate")), None)
        return isinstance(until, float) and is_ahead(until, self._clock(), seconds)

    def _claim(self, name: str, seconds: float) -> bool:
        now, key = self._clock(), self._key(name)
        until = float(now + seconds)

        def claim(cache: BaseCache) -> bool:
            if cache.add(key, until, math.ceil(seconds)):
                return True
            taken_until = _get(cache, key)
            if isinstance(taken_until, float) and is_ahead(taken_until, now, seconds):
                return False
            cache.set(key, until, math.ceil(seconds))  # rubbish, which might never go away by itself
            return True

        return self._guarded(claim, True)

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}"

    def _parsed(self, name: str, parse: Callable[[dict[str, Any]], T]) -> T | None:
        entry = self._guarded(lambda cache: _get(cache, self._key(name)), None)
        if entry is None:
            return None
        try:
            return parse(loads_object(entry.encode()))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            logger.warning("The shared cache holds an entry that is not a JWKS; it is ignored")
            return None

    def _guarded(self, operation: Callable[[BaseCache], T], otherwise: T) -> T:
        """Return what the operation returns, or ``otherwise`` where the cache fails."""
        if is_ahead(self._down_until, self._clock(), self._rest_seconds):
            return otherwise

        def operate() -> T:
            if isinstance(self._cache, BaseCache):
                return operation(self._cache)
            cache = self._connected(self._cache)
            result = operation(cache)
            self._spare.append(_Spare(cache, caches.settings, self._clock() + SPARE_SECONDS))
            return result

        try:
            return self.bounded.call(operate, OPERATION_SECONDS)
        except Exception as error:  # noqa: BLE001  # every cache backend has errors of its own
            self._down_until = self._clock() + self._rest_seconds
            logger.warning(
                "The cache that shares the JWKS fails (%s); this process goes on alone for %g seconds",
                type(error).__name__,
                self._rest_seconds,
            )
            return otherwise

    def _connected(self, alias: str) -> BaseCache:
        """Return a cache of nobody else's. Those that Django keeps are a thread's, and so would a connection be."""
        with suppress(IndexError):
            spare = self._spare.pop()
            if spare.settings is caches.settings and is_ahead(spare.until, self._clock(), SPARE_SECONDS):
                return spare.cache
        return caches.create_connection(alias)


class _Spare(NamedTuple):
    """A cache that worked at the last operation, the settings that it was made from, and how long it is kept."""

    cache: BaseCache
    settings: object
    until: float


def is_ahead(moment: float, now: float, at_most: float) -> bool:
    """Tell whether a moment is still to come, and is no leftover of a clock that was set back."""
    return now < moment <= now + at_most + MAXIMUM_SKEW_SECONDS


def _get(cache: BaseCache, key: str) -> Any:
    try:
        return cache.get(key)
    except Exception:  # noqa: BLE001  # unpickling raises anything
        # Bytes that cannot be read, or a cache that is down: then this raises as well.
        cache.delete(key)
        logger.warning("The shared cache held an entry that cannot be read; it is deleted")
        return None


def _document(entry: dict[str, Any]) -> JwksDocument:
    jwks, etag = entry["jwks"], entry["etag"]
    if not isinstance(jwks, dict) or not isinstance(etag, str | None):
        raise TypeError("not a JWKS")
    return JwksDocument(jwks, float(entry["fetched_at"]), float(entry["fresh_seconds"]), etag)


def _failure(entry: dict[str, Any]) -> Failure:
    return Failure(str(entry["reason"]), int(entry["count"]), float(entry["retry_at"]))
