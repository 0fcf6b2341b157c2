"""One refresh of the keys: from the shared cache where it holds newer ones, else by one fetch among all processes."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from ..upstream import MAXIMUM_SKEW_SECONDS, FetchFailed, is_ahead
from .events import KeyEvents
from .fetch import JwksFetcher
from .shared import Failure, JwksDocument, SharedJwks
from .snapshot import Snapshot, Timing, Wanted, snapshot_of

#: How soon, in seconds, a process looks for the result of another one's fetch, and how often at last.
POLL_SECONDS: Final = 0.05
LONGEST_POLL_SECONDS: Final = 0.4
#: How long, in seconds, a token with an unknown key waits for a fetch that is not made for it, and may hang.
PATIENCE_SECONDS: Final = 1.0


class Refresher:
    """Refreshes the keys of one source; ``sleep`` is how it waits for another process's fetch."""

    def __init__(
        self,
        fetcher: JwksFetcher,
        shared: SharedJwks,
        timing: Timing,
        events: KeyEvents,
        clock: Callable[[], float],
        sleep: Callable[[float], Any] = time.sleep,
    ) -> None:
        self._fetcher = fetcher
        self._shared = shared
        self._timing = timing
        self._events = events
        self._clock = clock
        self._sleep = sleep
        self._failure: Failure | None = None
        self._gate_closed_until = 0.0
        self._is_fetching = False
        self._has_parents_lock = False

    def start_afresh(self) -> None:
        """Forget what threads of a parent process were doing: after a fork they are gone."""
        self._is_fetching = False
        self._has_parents_lock = True

    def refresh(self, held: Snapshot | None, wanted: Wanted | None = None) -> Snapshot | Failure:
        """Return keys that are newer than those held, or the held ones, or why there are none.

        With ``wanted`` the refresh is for a key that the held set lacks: a newer set that has it will do,
        and a fetch is made at most once per cooldown.
        """
        if self._has_parents_lock:
            self._has_parents_lock = False
            self._shared.free_lock_of_parent()
        if held is not None and wanted is not None and held.key_set.knows(*wanted):
            return held  # a refresh has ended since the search was asked for
        known = self._lock_or_known(held, wanted)
        if known is not None:
            return known
        try:
            # Whoever had the lock before may have stored what is sought.
            known = self._without_fetch(held, wanted)
            if known is not None:
                return known
            self._is_fetching = True
            return self._fetch(held, wanted)
        finally:
            self._is_fetching = False
            self._shared.unlock()

    def fetch(self) -> Snapshot | Failure:
        """Fetch at once, whatever the cache holds and whatever failed before; for people, not for requests."""
        return self._fetch(None, None)

    def look(self) -> Snapshot | None:
        """Return the keys of the shared cache, None where it has none; no fetch is made."""
        shared = self._newer_in_cache(None)
        if shared is not None:
            self._failure = None
        return shared

    def close_gate(self) -> None:
        """Let this process make no fetch for a wanted key within the cooldown: one has just been made."""
        self._gate_closed_until = self._clock() + self._timing.cooldown

    def _lock_or_known(self, held: Snapshot | None, wanted: Wanted | None) -> Snapshot | Failure | None:
        """Return None with the lock taken, or else what others have found out or are too slow to."""
        enough = held if wanted is not None else None
        started, poll_seconds = time.monotonic(), POLL_SECONDS
        while True:
            known = self._without_fetch(held, wanted)
            if known is not None:
                if enough is not None and isinstance(known, Failure) and poll_seconds > POLL_SECONDS:
                    self.close_gate()  # the fetch that was waited for counts, though it failed
                return known
            if self._shared.try_lock(self._fetcher.longest + 2):
                return None
            if time.monotonic() - started > self._patience(enough):
                if enough is None:
                    return Failure("another process's fetch took too long", 1, self._clock() + 1)
                self.close_gate()  # that fetch is the one of this cooldown
                return self._newer_in_cache(held) or enough
            self._sleep(poll_seconds)
            poll_seconds = min(2 * poll_seconds, LONGEST_POLL_SECONDS)

    def _patience(self, enough: Snapshot | None) -> float:
        # Our own refresh ends within one fetch's time limit, so waiting for it costs no more than fetching again.
        return self._fetcher.longest + 1 if enough is None or self._is_fetching else PATIENCE_SECONDS

    def _without_fetch(self, held: Snapshot | None, wanted: Wanted | None) -> Snapshot | Failure | None:
        shared = self._newer_in_cache(held)
        if shared is not None:
            is_young = held is None or self._clock() < shared.fresh_until
            if shared.key_set.knows(*wanted) if wanted is not None else is_young:
                self._failure = None
                return shared
        failure = self._latest_failure()
        if failure is not None and is_ahead(failure.retry_at, self._clock(), self._timing.cooldown):
            return shared or failure
        return (shared or held) if wanted is not None and self._is_gate_closed() else None

    def _is_gate_closed(self) -> bool:
        if is_ahead(self._gate_closed_until, self._clock(), self._timing.cooldown):
            return True
        # Within the cooldown the search may not fetch, so it must not wait for our own refresh either, which may hang.
        return self._is_fetching and self._shared.is_gate_closed(self._timing.cooldown)

    def _newer_in_cache(self, held: Snapshot | None) -> Snapshot | None:
        document = self._shared.load()
        now = self._clock()
        if document is None or (held is not None and not _is_newer(document, held.document)):
            return None
        # Another machine's clock may be ahead a little; a time far in the future is rubbish.
        if not now - self._timing.stale < document.fetched_at <= now + MAXIMUM_SKEW_SECONDS:
            return None
        try:
            snapshot = snapshot_of(replace(document, fetched_at=min(document.fetched_at, now)), self._timing, held)
        except ValueError:
            return None
        return snapshot if len(snapshot.key_set) else None

    def _latest_failure(self) -> Failure | None:
        shared = self._shared.failure()
        own = self._failure
        if shared is None or (own is not None and own.retry_at > shared.retry_at):
            return own
        return shared

    def _fetch(self, held: Snapshot | None, wanted: Wanted | None) -> Snapshot | Failure:
        if wanted is not None and held is not None:
            if not self._shared.pass_gate(self._timing.cooldown):
                return self._newer_in_cache(held) or held  # others' keys, though not the one that is wanted
            self.close_gate()  # the shared gate stands open to all while the cache is down
        try:
            snapshot, fetch = self._fetcher.fetch(held, wanted)
        except FetchFailed as error:
            return self._failed(str(error))
        self._failure = None
        self._shared.store(snapshot.document, self._timing.stale)
        self._events.refreshed(snapshot, fetch)
        return replace(snapshot, fetch=fetch)

    def _failed(self, reason: str) -> Failure:
        before = self._latest_failure()
        count = before.count + 1 if before is not None else 1
        delay = min(2.0 ** min(count - 1, 30), self._timing.cooldown)
        self._failure = Failure(reason, count, self._clock() + delay)
        # Kept a while beyond its delay, so that the next failure knows that it is not the first.
        self._shared.store_failure(self._failure, 2 * self._timing.cooldown + 1)
        self._events.failed(self._failure)
        return self._failure


def _is_newer(document: JwksDocument, held: JwksDocument) -> bool:
    if document.fetched_at == held.fetched_at:
        return document.jwks != held.jwks
    return document.fetched_at > held.fetched_at
