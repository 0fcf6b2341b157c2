"""One key source in one process: its state, and the jobs that change it, one at a time."""

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from ..errors import KeysUnavailable
from ..jws import KeySet
from ..upstream import RequestWait, Steps, Wait, WaitInTrouble, in_thread
from .events import KeyEvents
from .refresh import Refresher
from .snapshot import Failure, Snapshot, Timing, Wanted
from .state import (
    Decision,
    Job,
    Join,
    Outcome,
    Refuse,
    Start,
    State,
    Task,
    decide,
    decide_refresh,
    decide_warm_up,
    wants_refresh,
)

logger = logging.getLogger("django_oauth_jwt")


class KeySource:
    """The keys of one source. ``execute`` starts a job somewhere else, in a thread unless it is replaced.

    ``snapshot`` are the keys to begin with: those of the parent process after a fork. ``clock`` returns Unix time,
    ``monotonic`` seconds that no clock change moves.
    """

    def __init__(
        self,
        refresher: Refresher,
        events: KeyEvents,
        timing: Timing,
        clock: Callable[[], float],
        *,
        snapshot: Snapshot | None = None,
        execute: Callable[[Callable[[], None]], Any] = in_thread,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = State(snapshot)
        self._refresher = refresher
        self._events = events
        self._timing = timing
        self._clock = clock
        self._execute = execute
        self._monotonic = monotonic
        # Lets a thread in twice: the garbage collector may end the steps of another request while this one has it.
        self._lock = threading.RLock()

    def old_keys(self, snapshot: Snapshot) -> KeySet | None:
        """Return keys that are no longer fresh and have them refreshed behind; None where they are stale."""
        now = self._clock()
        if now >= snapshot.stale_until:
            return None
        if now < snapshot.fetched_at:
            snapshot = self._dated_to(now, snapshot)
        if wants_refresh(self.state, now, self._timing):
            with self._lock:
                if self.state.snapshot is snapshot and wants_refresh(self.state, now, self._timing):
                    self._start(Task())
        return snapshot.key_set

    def find(self, wanted: Wanted) -> Steps[KeySet]:
        """Return the keys, once they hold this one or it is clear that they do not; see `state.decide`.

        Raises KeysUnavailable where there are none at all, and where it is not clear in time.
        """
        until = self._monotonic() + self._timing.patience
        is_settled = yield from self._wait_for(wanted)
        if not is_settled:  # what a refresh has not brought is searched for
            yield from self._wait_for(wanted, until)
        return self._key_set()

    def _wait_for(self, wanted: Wanted, until: float = math.inf) -> Steps[bool]:
        """Do what is decided and wait for it; tell whether nothing more can be done for the key now.

        ``until`` is when the request has waited long enough (monotonic seconds).
        """
        before = self.state
        decision, wait = self._begin(
            lambda state, now: decide(state, wanted, now, self._monotonic(), self._timing), until
        )
        if wait is None:
            return True
        try:
            yield wait
        finally:
            self._leave(wait)
        if self._has_keys_for(wanted):
            return True
        if not wait.future.done():  # nobody knows yet whether there is such a key
            raise KeysUnavailable
        if isinstance(decision, Start) and decision.task.wanted is not None:
            return True
        if not self._has_fetched_since(before):
            return False
        self._begin_cooldown()
        return True

    def refresh(self) -> Steps[KeySet]:
        """Refresh now, or join the job under way, and return the keys; raise KeysUnavailable where there are none."""
        _, wait = self._begin(lambda state, now: decide_refresh(state, now, self._timing))
        if wait is not None:
            try:
                yield Wait(wait.future)  # for as long as it takes: this is no request
            finally:
                self._leave(wait)
        return self._key_set()

    def warm_up(self) -> "Future[None] | None":
        """Have keys brought where there are none; return what ends with the attempt, None where none is made."""
        try:
            _, wait = self._begin(lambda state, now: decide_warm_up(state, now, self._monotonic(), self._timing))
        except KeysUnavailable:  # too early to ask again
            return None
        if wait is None:
            return None
        self._leave(wait)  # the places of those who wait are for requests
        return wait.future

    def inspect(self, *, fetch: bool) -> Snapshot | Failure:
        """Return the keys, or why there are none; not fresh ones are renewed first, with ``fetch`` all are fetched."""
        state = self.state
        held = state.usable(self._clock())
        if held is not None and not fetch and self._clock() < held.fresh_until:
            return held
        outcome = self._refresher.fetch(state) if fetch else self._refresher.run(Task(), state)
        self._events.log(outcome)
        self._take_over(outcome)
        self._events.send(outcome)
        result = outcome.snapshot or outcome.failure
        assert result is not None  # noqa: S101  # only a search for one key may have no result
        return result

    def _begin(
        self, choose: Callable[[State, float], Decision | None], until: float = math.inf
    ) -> tuple[Decision | None, Wait | None]:
        """Carry out a decision; return it and what there is to wait for."""
        with self._lock:
            decision = choose(self.state, self._clock())
            if isinstance(decision, Refuse):
                raise KeysUnavailable(decision.retry_after)
            if isinstance(decision, Join):
                job: Job | None = decision.job
                seconds = decision.seconds
            else:
                job = self._start(decision.task) if isinstance(decision, Start) else None
                seconds = self.state.patience(self._timing)
            if job is None:
                return decision, None
            self.state = replace(self.state, job=replace(job, waiting=job.waiting + 1))
            left = until - self._monotonic()
            if left < seconds:  # that a job which has hardly begun is not done by then says nothing
                return decision, Wait(job.future, left)
            wait = RequestWait if self.state.failure is None else WaitInTrouble
            return decision, wait(job.future, seconds)

    def _leave(self, wait: Wait) -> None:
        """Count a request that waits no longer."""
        with self._lock:
            job = self.state.job
            if job is not None and job.future is wait.future:
                self.state = replace(self.state, job=replace(job, waiting=job.waiting - 1))

    def _start(self, task: Task) -> Job | None:
        """Start a job, with the lock held; return None where no thread can be had."""
        state = replace(self.state, next_cache_read=self._next_cache_read(task))
        job = Job(task, self._monotonic(), task.wanted)
        try:
            self._execute(lambda: self._run(job, state))
        except RuntimeError:
            logger.exception("No thread can be had to refresh the JWKS")
            return None
        self.state = replace(state, job=job)
        return job

    def _next_cache_read(self, task: Task) -> float:
        if task.wanted is not None:
            return self._clock() + min(self._timing.cache_interval, self._timing.cooldown)
        return self.state.next_cache_read if task.may_fetch else self._clock() + self._timing.cache_interval

    def _run(self, job: Job, state: State) -> None:
        error: BaseException | None = None
        try:
            outcome = self._refresher.run(job.task, state)
        except BaseException as raised:  # noqa: BLE001  # of any kind: a job that never ends would be the last one
            outcome = Outcome(failure=Failure("unexpected error", 1, self._clock() + self._timing.cooldown))
            error = raised
        self._take_over(outcome, job.future)
        try:
            self._log(outcome, error)
        finally:  # a project's own log handler may raise
            job.future.set_result(None)
        # Receivers come last: a slow one must not delay the requests that wait for the keys.
        self._events.send(outcome)

    def _log(self, outcome: Outcome, error: BaseException | None) -> None:
        if error is not None:
            logger.error("The refresh of the JWKS went wrong", exc_info=error)
        self._events.log(outcome)

    def _take_over(self, outcome: Outcome, future: "Future[None] | None" = None) -> None:
        with self._lock:
            state = self.state.after(outcome, self._clock())
            # A job that hung may have been replaced by another one meanwhile.
            has_ended = state.job is not None and state.job.future is future
            self.state = replace(state, job=None) if has_ended else state

    def _key_set(self) -> KeySet:
        now = self._clock()
        held = self.state.usable(now)
        if held is None:
            raise KeysUnavailable(self.state.retry_after(now))
        return held.key_set

    def _has_keys_for(self, wanted: Wanted) -> bool:
        held = self.state.usable(self._clock())
        return held is not None and held.key_set.knows(*wanted)

    def _has_fetched_since(self, before: State) -> bool:
        """Tell whether the fetch of this cooldown has been made: by a cold start, or by a refresh that failed."""
        state, now = self.state, self._clock()
        if before.usable(now) is None:
            held = state.usable(now)
            return held is None or held.fetch is not None
        return state.failure is not None and state.failure is not before.failure

    def _begin_cooldown(self) -> None:
        with self._lock:
            self.state = replace(self.state, cooldown_until=self._clock() + self._timing.cooldown)

    def _dated_to(self, now: float, snapshot: Snapshot) -> Snapshot:
        """Date keys from the future to now: a clock that was ahead must not make them good for longer."""
        dated = snapshot.dated_to(now, self._timing)
        with self._lock:
            if self.state.snapshot is snapshot:
                self.state = replace(self.state, snapshot=dated)
        return dated
