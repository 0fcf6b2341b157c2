"""The keys of one authorization server, always at hand: freshness, cooldown, single flight.

A request whose key is known never waits: it is answered from the parsed keys in this process, while one
thread refreshes them when they are no longer fresh.
"""

import logging
import math
import os
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final
from urllib.parse import urlsplit

import requests
from django.core.cache import BaseCache

from .errors import KeysUnavailable
from .jwks_cache import Failure, SharedJwks, is_ahead
from .jwks_client import JwksClient
from .jwks_events import KeyEvents
from .jwks_refresh import Refresher
from .jwks_snapshot import Snapshot, Timing, Wanted
from .keys import KeySet
from .waiting import Steps, in_thread, run_awaiting, run_blocking

logger = logging.getLogger("django_oauth_jwt")

#: How often, in seconds, one process looks whether the shared cache holds keys that it lacks.
LOOK_SECONDS: Final = 1.0


class JwksService:
    """The keys behind one JWKS URI, or of one issuer whose JWKS URI is discovered.

    ``cache`` is a Django cache or the alias of one (None: "default"), ``session`` the `requests.Session`
    to fetch with, or a callable that returns one. All times are in seconds.
    """

    _lock: threading.Lock
    _refreshing: "Future[None] | None"
    _looking: "Future[None] | None"
    _wanted: Wanted | None

    def __init__(
        self,
        jwks_uri: str | None = None,
        *,
        issuer: str | None = None,
        cache: BaseCache | str | None = None,
        session: requests.Session | Callable[[], requests.Session] | None = None,
        timeout: float = 5,
        fresh_seconds: float = 300,
        stale_seconds: float = 14400,
        cooldown_seconds: float = 30,
        allow_insecure_http: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> None:
        source = jwks_uri or issuer
        if source is None:
            raise ValueError("a JwksService needs a jwks_uri, or an issuer to discover it from")
        self.issuer = issuer
        self._clock = clock = clock or _unix_time
        self._timing = Timing(fresh_seconds, stale_seconds, cooldown_seconds)
        self._client = JwksClient(session, timeout=timeout, allow_insecure_http=allow_insecure_http)
        self._shared = SharedJwks("default" if cache is None else cache, source, clock, cooldown_seconds)
        # The log names the issuer, else the host: a JWKS URI may hold a secret.
        self._events = KeyEvents(self, issuer or str(urlsplit(source).hostname), clock)
        self._refresher = Refresher(jwks_uri, issuer, self._client, self._shared, self._timing, self._events, clock)
        self._snapshot: Snapshot | None = None
        self._look_again_at = 0.0
        self._retry_at = 0.0
        self._start_afresh()
        _services.add(self)

    def current(self) -> KeySet | None:
        """Return the keys at hand, None where there are none young enough; refresh old ones behind."""
        snapshot = self._snapshot
        if snapshot is None:
            return None
        now = self._clock()
        if snapshot.fetched_at <= now < snapshot.fresh_until:
            return snapshot.key_set
        if now >= snapshot.stale_until:
            return None
        if self._refreshing is None and not self._is_backing_off():
            self._refresh(snapshot)
        return snapshot.key_set

    def key_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Return keys among which this one should be: where they are not at hand, look and fetch.

        Raises KeysUnavailable where no keys can be had at all.
        """
        key_set = self.current()
        if key_set is not None and key_set.knows(kid, alg):
            return key_set
        return run_blocking(self._find(Wanted(kid, alg)))

    async def akey_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Do as `key_set_for` does, without blocking the event loop."""
        key_set = self.current()
        if key_set is not None and key_set.knows(kid, alg):
            return key_set
        return await run_awaiting(self._find(Wanted(kid, alg)))

    def refresh(self) -> KeySet:
        """Refresh now, or join the refresh that is under way, and return the keys.

        They come from the shared cache where it holds newer ones. Raises KeysUnavailable where no keys can be
        had at all.
        """
        return run_blocking(self._awaited_refresh(self._snapshot))

    def inspect(self, *, fetch: bool = False) -> Snapshot | Failure:
        """Return the keys with their document and times, or why there are none; for people, not for requests.

        With ``fetch`` they are fetched at once, whatever the cache holds and whatever failed before.
        """
        held = self._held()
        if held is not None and not fetch and self._clock() < held.fresh_until:
            return held
        outcome = self._refresher.fetch() if fetch else self._refresher.refresh(held)
        with self._lock:
            self._adopt(outcome)
        self._events.send()
        return outcome

    def _find(self, wanted: Wanted) -> Steps[KeySet]:
        seen = self._snapshot
        key_set = self.current()
        if key_set is None:
            key_set = yield from self._awaited_refresh(seen)
            if key_set.knows(*wanted):
                return key_set
            if self._snapshot is not None and self._snapshot.fetch is not None:
                # These keys are as new as can be, not from the cache: this was the fetch that the cooldown allows.
                self._refresher.close_gate()
                return key_set
        look = self._look_for(wanted)
        if look is not None:
            yield look
        return self.current() or key_set

    def _awaited_refresh(self, seen: Snapshot | None) -> Steps[KeySet]:
        if not self._is_backing_off():
            yield self._refresh(seen)
        key_set = self.current()
        if key_set is None:
            raise KeysUnavailable(self._seconds_to_retry())
        return key_set

    def _is_backing_off(self) -> bool:
        return is_ahead(self._retry_at, self._clock(), self._timing.cooldown)

    def _seconds_to_retry(self) -> int:
        return math.ceil(self._retry_at - self._clock())

    def _refresh(self, seen: Snapshot | None) -> "Future[None]":
        with self._lock:
            if self._snapshot is not seen:
                return _NOTHING_TO_WAIT_FOR  # a refresh has ended since the caller looked
            if self._refreshing is None:
                self._refreshing = self._launch(None)
            return self._refreshing or _NOTHING_TO_WAIT_FOR

    def _look_for(self, wanted: Wanted) -> "Future[None] | None":
        """Return the search for a key that is not at hand, None where it is too early to search.

        One search at a time: those who want the same key wait for it, and those who want another one are
        refused at once, lest a flood of made-up keys holds every thread of the server.
        """
        with self._lock:
            if self._looking is not None:
                return self._looking if self._wanted == wanted else None
            if is_ahead(self._look_again_at, self._clock(), LOOK_SECONDS):
                return None
            self._look_again_at = self._clock() + min(LOOK_SECONDS, self._timing.cooldown)
            self._wanted = wanted
            self._looking = self._launch(wanted)
            return self._looking

    def _launch(self, wanted: Wanted | None) -> "Future[None] | None":
        try:
            # Receivers come last: a slow one must not delay the requests that wait for the keys.
            return in_thread(lambda: self._run(wanted), afterwards=self._events.send)
        except RuntimeError:
            logger.exception("No thread can be had to refresh the JWKS")
            return None

    def _run(self, wanted: Wanted | None) -> None:
        try:
            outcome = self._refresher.refresh(self._held(), wanted)
        except BaseException:  # whatever it is: a refresh that never ends would be the last one
            logger.exception("The refresh of the JWKS went wrong")
            outcome = Failure("unexpected error", 1, self._clock() + self._timing.cooldown)
        with self._lock:
            self._adopt(outcome)
            # Cleared under the lock, hence never before the launching thread has stored it.
            if wanted is None:
                self._refreshing = None
            else:
                self._looking = None

    def _held(self) -> Snapshot | None:
        snapshot = self._snapshot
        return snapshot if snapshot is not None and self._clock() < snapshot.stale_until else None

    def _adopt(self, outcome: Snapshot | Failure) -> None:
        if isinstance(outcome, Failure):
            self._retry_at = outcome.retry_at
            return
        held = self._snapshot
        # A refresh and a search may end in any order; a time ahead of now is of a clock set back since.
        if held is None or not outcome.fetched_at < held.fetched_at <= self._clock():
            self._snapshot = outcome
            self._retry_at = 0.0

    def _start_afresh(self) -> None:
        """Forget what other threads were doing: after a fork they are gone, and their locks stay shut."""
        self._lock = threading.Lock()
        self._refreshing = self._looking = self._wanted = None
        self._events.start_afresh()
        self._client.bounded.forget_threads()
        self._shared.start_afresh()


def _unix_time() -> float:
    # Looked up at each call, so that a clock that a test puts in its place is seen.
    return time.time()


_NOTHING_TO_WAIT_FOR: Final[Future[None]] = Future()
_NOTHING_TO_WAIT_FOR.set_result(None)

_services: Final["weakref.WeakSet[JwksService]"] = weakref.WeakSet()


def _after_fork() -> None:
    for service in list(_services):
        service._start_afresh()  # noqa: SLF001  # of this module


os.register_at_fork(after_in_child=_after_fork)
