"""The keys at hand, and the threads that renew them: one refresh and one search at a time."""

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, NamedTuple

from ..jws import KeySet
from ..upstream import Wait, in_thread, is_ahead
from .events import KeyEvents
from .refresh import PATIENCE_SECONDS, Refresher
from .shared import Failure
from .snapshot import Snapshot, Timing, Wanted

logger = logging.getLogger("django_oauth_jwt")

#: How often, in seconds, one process looks whether the shared cache holds keys that it lacks.
LOOK_SECONDS: Final = 1.0


class _Search(NamedTuple):
    """A search under way, and until when (on the monotonic clock) others may wait for it."""

    wanted: Wanted
    future: "Future[None]"
    patience_until: float


class KeyKeeper:
    """The keys at hand of one source, which refreshes and searches replace as a whole."""

    _lock: threading.Lock
    _refreshing: "Future[None] | None"
    _searching: _Search | None

    def __init__(self, refresher: Refresher, events: KeyEvents, timing: Timing, clock: Callable[[], float]) -> None:
        self._refresher = refresher
        self._events = events
        self._timing = timing
        self._clock = clock
        self.snapshot: Snapshot | None = None
        self._retry_at = 0.0
        self._search_again_at = 0.0
        self._look_again_at = 0.0
        self.start_afresh()

    def start_afresh(self) -> None:
        """Forget what other threads were doing: after a fork they are gone, and their lock stays shut."""
        self._lock = threading.Lock()
        self._refreshing = self._searching = None

    def held(self) -> Snapshot | None:
        """Return the keys at hand, None where there are none or they are stale."""
        snapshot = self.snapshot
        return snapshot if snapshot is not None and self._clock() < snapshot.stale_until else None

    def aged(self, snapshot: Snapshot, now: float) -> KeySet | None:
        """Return keys at hand that are no longer fresh, None where they are stale; refresh them behind."""
        if now >= snapshot.stale_until:
            return None
        if now < snapshot.fetched_at:
            snapshot = self._dated_to(now, snapshot)
        if self._refreshing is None and not self.is_backing_off():
            self.refresh(snapshot)
        return snapshot.key_set

    def is_backing_off(self) -> bool:
        """Tell whether it is too early to fetch again after a failure."""
        return is_ahead(self._retry_at, self._clock(), self._timing.cooldown)

    def seconds_to_retry(self) -> int:
        """Return in how many seconds a fetch may be made again."""
        return math.ceil(self._retry_at - self._clock())

    def refresh(self, seen: Snapshot | None) -> "Future[None] | None":
        """Return the refresh under way, else a new one; None where one has ended since the keys were ``seen``."""
        with self._lock:
            if self.snapshot is not seen:
                return None
            if self._refreshing is None:
                self._refreshing = self._launch(lambda: self._refresher.refresh(self.held()), self._end_refresh)
            return self._refreshing

    def look(self) -> "Future[None] | None":
        """Return the look into the shared cache for keys where none are at hand, None where it is too early."""
        with self._lock:
            too_early = is_ahead(self._look_again_at, self._clock(), LOOK_SECONDS)
            if self._refreshing is None and not too_early and self.held() is None:
                self._look_again_at = self._clock() + LOOK_SECONDS
                self._refreshing = self._launch(self._refresher.look, self._end_refresh)
            return self._refreshing

    def search(self, wanted: Wanted) -> Wait | None:
        """Return the wait for the search for a key that is not at hand, None where none is made.

        One search at a time: those who want the same key wait for it a while, and those who want another one
        are refused at once, lest made-up keys hold every thread of the server.
        """
        with self._lock:
            if self._searching is not None:
                return _joined(self._searching, wanted)
            if is_ahead(self._search_again_at, self._clock(), LOOK_SECONDS):
                return None
            self._search_again_at = self._clock() + min(LOOK_SECONDS, self._timing.cooldown)
            future = self._launch(lambda: self._refresher.refresh(self.held(), wanted), self._end_search)
            if future is None:
                return None
            self._searching = _Search(wanted, future, time.monotonic() + PATIENCE_SECONDS)
            return Wait(future)

    def adopt(self, outcome: Snapshot | Failure) -> None:
        """Take over what a refresh or a search has brought."""
        with self._lock:
            self._adopt(outcome)

    def _adopt(self, outcome: Snapshot | Failure | None) -> None:
        if outcome is None:
            return
        if isinstance(outcome, Failure):
            self._retry_at = outcome.retry_at
            return
        held = self.snapshot
        # Keep the newer result, unless its time lies ahead of now: then the clock was set back after it was fetched.
        if held is None or not outcome.fetched_at < held.fetched_at <= self._clock():
            self.snapshot = outcome
            self._retry_at = 0.0

    def _dated_to(self, now: float, snapshot: Snapshot) -> Snapshot:
        """Date keys from the future to now: a clock that was ahead must not make them good for longer."""
        dated = snapshot.dated_to(now, self._timing)
        with self._lock:
            if self.snapshot is snapshot:
                self.snapshot = dated
        return dated

    def _launch(
        self, work: Callable[[], Snapshot | Failure | None], ended: Callable[[], None]
    ) -> "Future[None] | None":
        try:
            # Receivers come last: a slow one must not delay the requests that wait for the keys.
            return in_thread(lambda: self._run(work, ended), afterwards=self._events.send)
        except RuntimeError:
            logger.exception("No thread can be had to refresh the JWKS")
            return None

    def _run(self, work: Callable[[], Snapshot | Failure | None], ended: Callable[[], None]) -> None:
        try:
            outcome = work()
        except BaseException:  # whatever it is: a refresh that never ends would be the last one
            logger.exception("The refresh of the JWKS went wrong")
            outcome = Failure("unexpected error", 1, self._clock() + self._timing.cooldown)
        with self._lock:
            self._adopt(outcome)
            ended()  # under the lock, hence never before the launching thread has stored the future

    def _end_refresh(self) -> None:
        self._refreshing = None

    def _end_search(self) -> None:
        self._searching = None


def _joined(search: _Search, wanted: Wanted) -> Wait | None:
    if search.wanted != wanted:
        return None
    return Wait(search.future, max(0.0, search.patience_until - time.monotonic()))
