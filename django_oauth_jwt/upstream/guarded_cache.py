"""A Django cache that may fail as it likes: every operation has a time limit, and its errors are logged.

A cache that fails is left alone for a while.
"""

import logging
import math
from collections import OrderedDict
from collections.abc import Callable
from itertools import cycle
from typing import Any, Final, TypeVar

from django.core.cache import BaseCache, caches

from .clock import is_ahead
from .steps import Steps, run_blocking
from .worker import Worker

logger = logging.getLogger("django_oauth_jwt")

T = TypeVar("T")

#: How long, in seconds, one operation of the cache may take.
OPERATION_SECONDS: Final = 1.0


class GuardedCache:
    """One Django cache: the alias of one, or else the cache itself, which may be a proxy like Django's ``cache``.

    ``clock`` returns Unix time; ``rest_seconds`` is how long a cache that failed is not asked. ``warning`` is what the
    log says then: its arguments are the kind of error and these seconds. ``threads`` is how many operations may go on
    at a time, each in a thread of its own.
    """

    def __init__(
        self,
        cache: BaseCache | str,
        clock: Callable[[], float],
        rest_seconds: float,
        operation_seconds: float = OPERATION_SECONDS,
        warning: str = "The cache that shares the JWKS fails (%s); this process goes on alone for %g seconds",
        threads: int = 1,
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._rest_seconds = rest_seconds
        self._operation_seconds = operation_seconds
        self._warning = warning
        self._down_until = 0.0
        self._workers = cycle([Worker() for _ in range(threads)])

    def call(self, operation: Callable[[BaseCache], T], otherwise: T) -> T:
        """Return what the operation returns, or ``otherwise`` where the cache fails."""
        return run_blocking(self.call_steps(operation, otherwise))

    def call_steps(self, operation: Callable[[BaseCache], T], otherwise: T) -> Steps[T]:
        """Do as `call` does, in steps."""
        if is_ahead(self._down_until, self._clock(), self._rest_seconds):
            return otherwise
        try:
            worker = next(self._workers)
            return (yield from worker.call_steps(lambda: operation(self._connected()), self._operation_seconds))
        except Exception as error:  # noqa: BLE001  # every cache backend has errors of its own
            self._down_until = self._clock() + self._rest_seconds
            logger.warning(self._warning, type(error).__name__, self._rest_seconds)
            return otherwise

    def _connected(self) -> BaseCache:
        # Django keeps a connection for each thread and alias, so the worker has its own.
        return caches[self._cache] if isinstance(self._cache, str) else self._cache


def read(cache: BaseCache, key: str) -> Any:
    """Return an entry, None where there is none; one that cannot be read is deleted."""
    try:
        return cache.get(key)
    except Exception:  # noqa: BLE001  # unpickling raises anything
        # Either the entry cannot be unpickled, and deleting it helps, or the cache is down, and deleting raises too.
        cache.delete(key)
        logger.warning("The shared cache held an entry that cannot be read; it is deleted")
        return None


def claim_once(cache: BaseCache, key: str, now: float, seconds: float) -> bool:
    """Claim something for so many seconds, which only one can have; tell whether nobody else has it."""
    until = float(now + seconds)
    if cache.add(key, until, math.ceil(seconds)):
        return True
    taken_until = read(cache, key)
    if isinstance(taken_until, float) and is_ahead(taken_until, now, seconds):
        return False
    cache.set(key, until, math.ceil(seconds))  # not ours, and it might never go away by itself
    return True


def is_in_memory(cache: BaseCache) -> bool:
    """Tell whether the cache is memory of this process, as Django's LocMemCache is, behind a proxy too."""
    return isinstance(getattr(cache, "_cache", None), OrderedDict)
