"""The cache that the setting CACHE names, for what has to be remembered and not only shared."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.core.cache import BaseCache, caches
from django.core.cache.backends.locmem import LocMemCache

from .clock import unix_time
from .forks import PerProcess
from .guarded_cache import GuardedCache
from .steps import Steps

T = TypeVar("T")

#: So many operations at a time: with one thread requests would queue behind a slow cache.
THREADS: Final = 8
#: How long, in seconds, a cache that failed is not asked: as long as refused clients are told to wait.
REST_SECONDS: Final = 1.0


class ProjectCache:
    """The cache of an alias, for one ``purpose``; ``warning`` is what the log says when it fails (see `GuardedCache`).

    Where it is a LocMemCache, the entries are in a LocMemCache of their own, which has room for ``entries`` of them,
    and is asked directly: a full one drops the oldest third, and Django's default of 300 is full in a moment. Any
    other is asked in a thread that may be left behind, so how long a request waits for it is bounded.
    """

    def __init__(self, alias: str, purpose: str, *, entries: int, warning: str) -> None:
        self.kind = type(caches[alias])
        name, options = f"django_oauth_jwt {purpose} {alias}", {"OPTIONS": {"MAX_ENTRIES": entries}}
        # A subclass may do I/O, so it is asked in a thread.
        self._in_memory = LocMemCache(name, options) if self.kind is LocMemCache else None
        self._guarded = PerProcess(
            lambda _: GuardedCache(alias, unix_time, REST_SECONDS, warning=warning, threads=THREADS)
        )

    @property
    def is_shared(self) -> bool:
        """Whether other processes may see the entries."""
        return self._in_memory is None

    def call_steps(self, operation: Callable[[BaseCache], T], otherwise: T) -> Steps[T]:
        """Return what the operation returns, or ``otherwise`` where the cache fails."""
        if self._in_memory is not None:
            return operation(self._in_memory)
        return (yield from self._guarded.get().call_steps(operation, otherwise))
