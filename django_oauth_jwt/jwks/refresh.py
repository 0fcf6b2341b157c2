"""One refresh of the keys: from the shared cache where it holds newer ones, else by one fetch among all processes."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..upstream import MAXIMUM_SKEW_SECONDS, FetchFailed, pauses, shown_url
from .fetch import JwksFetcher
from .shared import SharedJwks
from .snapshot import FailedFetch, Failure, JwksDocument, Snapshot, Timing, Wanted, snapshot_of
from .state import Outcome, State, Task


class Refresher:
    """Does the jobs of one key source; ``sleep`` is how it waits for another process's fetch."""

    def __init__(
        self,
        fetcher: JwksFetcher,
        shared: SharedJwks,
        timing: Timing,
        clock: Callable[[], float],
        sleep: Callable[[float], Any] = time.sleep,
    ) -> None:
        self.fetcher = fetcher
        self.shared = shared
        self.timing = timing
        self.clock = clock
        self.sleep = sleep

    def run(self, task: Task, state: State) -> Outcome:
        """Return what the task brings, beginning from this state."""
        refresh = Refresh(self, state, task.wanted)
        return refresh.run() if task.may_fetch else refresh.read_cache()

    def fetch(self, state: State) -> Outcome:
        """Fetch at once, whatever the cache holds and whatever failed before; for people, not for requests."""
        return Refresh(self, replace(state, snapshot=None), None).fetch()


class Refresh:
    """One refresh. With ``wanted`` it is for a key that the held set lacks.

    A newer set that has the key will do then, and a fetch is made at most once per cooldown.
    """

    def __init__(self, tools: Refresher, state: State, wanted: Wanted | None) -> None:
        self._fetcher = tools.fetcher
        self._shared = tools.shared
        self._timing = tools.timing
        self._clock = tools.clock
        self._sleep = tools.sleep
        self._state = state
        self._held = state.usable(tools.clock())
        self._wanted = wanted if self._held is not None else None

    def run(self) -> Outcome:
        """Return newer keys, or why there are none."""
        # Another process fetches between the tries to get the lock.
        for pause in pauses(self._timing.others if self._wanted is not None else self._fetcher.longest + 1):
            if pause:
                self._sleep(pause)
            known = self._without_fetch()
            if known is not None:
                # The fetch that was waited for is the one of this cooldown, though it failed.
                return self._cooling_down(known) if pause and known.failure is not None else known
            with self._shared.locked(self._fetcher.longest + 2) as is_ours:
                if is_ours:
                    # Another process may have stored what is wanted before it freed the lock.
                    return self._without_fetch() or self.fetch()
        return self._give_up()

    def read_cache(self) -> Outcome:
        """Return the keys of the shared cache, where it has newer ones; make no fetch."""
        return Outcome(self._newer_in_cache())

    def fetch(self) -> Outcome:
        """Return what a fetch brings; for a wanted key it is made once per cooldown."""
        if self._wanted is not None and not self._shared.claim_cooldown(self._timing.cooldown):
            return self._cooling_down(self.read_cache())  # others' keys, though not the one that is wanted
        started = time.monotonic()
        try:
            snapshot, endpoint = self._fetcher.fetch(self._held, self._wanted, self._state.endpoint)
        except FetchFailed as error:
            return self._cooling_down(self._failed(error, time.monotonic() - started))
        self._shared.store(snapshot.document, self._timing.stale)
        return self._cooling_down(Outcome(snapshot, endpoint=endpoint))

    def _give_up(self) -> Outcome:
        if self._wanted is None:
            return Outcome(failure=Failure("another process's fetch took too long", 1, self._clock() + 1))
        return self._cooling_down(self.read_cache())

    def _cooling_down(self, outcome: Outcome) -> Outcome:
        """Return the outcome of a search with its cooldown, which this process keeps even while the cache is down."""
        if self._wanted is None:
            return outcome
        return replace(outcome, cooldown_until=self._clock() + self._timing.cooldown)

    def _without_fetch(self) -> Outcome | None:
        """Return what is known without a fetch, None where one is needed."""
        shared = self._newer_in_cache()
        if shared is not None and self._is_enough(shared):
            return Outcome(shared)
        failure = self._latest_failure()
        if failure is not None and failure.forbids_fetch(self._clock(), self._timing):
            return Outcome(shared) if shared is not None else Outcome(failure=failure)
        if self._wanted is not None and self._state.is_cooling_down(self._clock(), self._timing):
            return Outcome(shared)
        return None

    def _is_enough(self, shared: Snapshot) -> bool:
        if self._wanted is not None:
            return shared.key_set.knows(*self._wanted)
        return self._held is None or self._clock() < shared.fresh_until

    def _newer_in_cache(self) -> Snapshot | None:
        document, held, now = self._shared.load(), self._held, self._clock()
        if document is None or (held is not None and not _is_newer(document, held.document)):
            return None
        # Another machine's clock may be ahead a little; a time far in the future is an error.
        if not now - self._timing.stale < document.fetched_at <= now + MAXIMUM_SKEW_SECONDS:
            return None
        try:
            dated = replace(document, fetched_at=min(document.fetched_at, now))
            snapshot = snapshot_of(dated, self._timing, held, source=self._fetcher.source)
        except ValueError:
            return None
        return snapshot if len(snapshot.key_set) else None

    def _latest_failure(self) -> Failure | None:
        shared, own = self._shared.failure(), self._state.failure
        if shared is None or (own is not None and own.retry_at > shared.retry_at):
            return own
        return shared

    def _failed(self, error: FetchFailed, seconds: float) -> Outcome:
        before = self._latest_failure()
        count = before.count + 1 if before is not None else 1
        delay = max(min(2.0 ** min(count - 1, 30), self._timing.cooldown), error.retry_after)
        failure = Failure(str(error), count, self._clock() + delay, error.retry_after, shown_url(error.uri))
        # Kept a while beyond its delay, so that the next failure knows that it is not the first.
        self._shared.store_failure(failure, delay + self._timing.cooldown + 1)
        endpoint = self._fetcher.after_failure(self._held, self._state.endpoint)
        failed = FailedFetch(seconds, error.error_type)
        return Outcome(failure=failure, endpoint=endpoint, failed_fetch=failed)


def _is_newer(document: JwksDocument, held: JwksDocument) -> bool:
    if document.fetched_at == held.fetched_at:
        return document.jwks != held.jwks
    return document.fetched_at > held.fetched_at
