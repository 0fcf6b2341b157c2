"""A Django cache that may fail as it likes: every operation has a time limit, and its errors are logged.

A cache that fails is left alone for a while.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar

from django.core.cache import BaseCache, caches

from .clock import is_ahead
from .waiting import Bounded

logger = logging.getLogger("django_oauth_jwt")

T = TypeVar("T")

#: How long, in seconds, one operation of the cache may take.
OPERATION_SECONDS: Final = 1.0
#: How long, in seconds, a connection to the cache is kept for the next operation.
SPARE_SECONDS: Final = 60.0


class GuardedCache:
    """One Django cache: the alias of one, or else the cache itself, which may be a proxy like Django's ``cache``."""

    def __init__(self, cache: BaseCache | str, clock: Callable[[], float], rest_seconds: float) -> None:
        self._cache = cache
        self._clock = clock
        self._rest_seconds = rest_seconds
        self._down_until = 0.0
        self._bounded: Final = Bounded()
        self.start_afresh()

    def start_afresh(self) -> None:
        """Forget the threads and connections of a parent process: after a fork they are not ours."""
        self._bounded.forget_threads()
        self._spare: list[_Spare] = []

    def call(self, operation: Callable[[BaseCache], T], otherwise: T) -> T:
        """Return what the operation returns, or ``otherwise`` where the cache fails."""
        if is_ahead(self._down_until, self._clock(), self._rest_seconds):
            return otherwise
        try:
            return self._bounded.call(lambda: self._operate(operation), OPERATION_SECONDS)
        except Exception as error:  # noqa: BLE001  # every cache backend has errors of its own
            self._down_until = self._clock() + self._rest_seconds
            logger.warning(
                "The cache that shares the JWKS fails (%s); this process goes on alone for %g seconds",
                type(error).__name__,
                self._rest_seconds,
            )
            return otherwise

    def _operate(self, operation: Callable[[BaseCache], T]) -> T:
        if not isinstance(self._cache, str):
            return operation(self._cache)
        cache = self._connected(self._cache)
        result = operation(cache)
        self._spare.append(_Spare(cache, caches.settings, self._clock() + SPARE_SECONDS))
        return result

    def _connected(self, alias: str) -> BaseCache:
        """Return a cache object that this call alone uses.

        Django keeps one per thread, and our threads last one operation: each would open a connection.
        """
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


def read(cache: BaseCache, key: str) -> Any:
    """Return an entry, None where there is none; one that cannot be read is deleted."""
    try:
        return cache.get(key)
    except Exception:  # noqa: BLE001  # unpickling raises anything
        # Either the entry cannot be unpickled, and deleting it helps, or the cache is down, and deleting raises too.
        cache.delete(key)
        logger.warning("The shared cache held an entry that cannot be read; it is deleted")
        return None


def is_in_memory(cache: BaseCache) -> bool:
    """Tell whether the cache is memory of this process, as Django's LocMemCache is, behind a proxy too."""
    return isinstance(getattr(cache, "_cache", None), OrderedDict)
