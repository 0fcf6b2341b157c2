"""The one state of a key source, and what follows from it. Nothing here waits, locks or asks anybody.

Each promise about keys is decided here: they outlive an outage of the authorization server until they are stale,
they are refreshed before that, and neither requests nor failures make more fetches than the timing allows.
"""

import math
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..jws import KeySet
from ..upstream import is_ahead, new_future
from .snapshot import FailedFetch, Failure, Snapshot, Timing, Wanted


class Task(NamedTuple):
    """What a job is to bring: newer keys; with ``wanted``, this key; without ``may_fetch``, from the cache only."""

    wanted: Wanted | None = None
    may_fetch: bool = True


@dataclass(frozen=True)
class Job:
    """A task under way since ``started`` (monotonic seconds).

    ``wanted`` is the unknown key that somebody waits for: that of the task, or of the first request that joined it.
    ``waiting`` is the number of requests that wait for it now.
    """

    task: Task
    started: float
    wanted: Wanted | None
    waiting: int = 0
    future: "Future[None]" = field(default_factory=new_future)


@dataclass(frozen=True)
class Endpoint:
    """What is known of where keys are fetched: the discovered JWKS URI, good until a Unix time (RFC 8414 section 3).

    ``metadata_busy_until``: the Unix time before which the metadata are not asked for again (Retry-After).
    ``skip_etag``: a fetch with an ETag has just failed, which may be the server's answer to the ETag.
    """

    jwks_uri: str | None = None
    known_until: float = 0.0
    metadata_busy_until: float = 0.0
    skip_etag: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a job has brought; None stands for nothing new.

    ``cooldown_until`` is the Unix time before which no fetch for an unknown key is made. ``failed_fetch`` is the fetch
    of this process, where the failure is its own.
    """

    snapshot: Snapshot | None = None
    failure: Failure | None = None
    endpoint: Endpoint | None = None
    cooldown_until: float | None = None
    failed_fetch: FailedFetch | None = None


@dataclass(frozen=True)
class State:
    """All that a process knows of one source of keys. Times are Unix times in seconds."""

    snapshot: Snapshot | None = None
    failure: Failure | None = None
    endpoint: Endpoint = Endpoint()
    cooldown_until: float = 0.0
    next_cache_read: float = 0.0
    job: Job | None = None

    def usable(self, now: float) -> Snapshot | None:
        """Return the keys, None where there are none or they are stale."""
        return self.snapshot if self.snapshot is not None and now < self.snapshot.stale_until else None

    def is_backing_off(self, now: float, timing: Timing) -> bool:
        """Tell whether it is too early to fetch again after a failure."""
        return self.failure is not None and self.failure.forbids_fetch(now, timing)

    def retry_after(self, now: float) -> int:
        """Return in how many whole seconds a fetch may be made again."""
        return math.ceil(self.failure.retry_at - now) if self.failure is not None else 0

    def is_cooling_down(self, now: float, timing: Timing) -> bool:
        """Tell whether it is too early to fetch again for an unknown key."""
        return is_ahead(self.cooldown_until, now, timing.cooldown)

    def patience(self, timing: Timing) -> float:
        """Return how many seconds requests wait for a job, counted from its start; not so long for a failing server."""
        return timing.patience if self.failure is None else timing.patience_in_trouble

    def may_read_cache(self, now: float, timing: Timing) -> bool:
        """Tell whether the shared cache may be asked again for what it did not hold."""
        return not is_ahead(self.next_cache_read, now, timing.cache_interval)

    def after(self, outcome: Outcome, now: float) -> "State":
        """Return the state with what a job has brought."""
        state = self
        if outcome.endpoint is not None:
            state = replace(state, endpoint=outcome.endpoint)
        if outcome.cooldown_until is not None:
            state = replace(state, cooldown_until=outcome.cooldown_until)
        if outcome.failure is not None:
            return replace(state, failure=outcome.failure)
        if outcome.snapshot is None or self._is_overtaken(outcome.snapshot, now):
            return state
        return replace(state, snapshot=outcome.snapshot, failure=None)

    def _is_overtaken(self, snapshot: Snapshot, now: float) -> bool:
        # Newer keys stay, unless their time lies ahead of now: then the clock was set back after they were fetched.
        held = self.snapshot
        return held is not None and snapshot.fetched_at < held.fetched_at <= now


class Use(NamedTuple):
    """Answer from these keys, whether or not they hold the one that is wanted."""

    key_set: KeySet


class Join(NamedTuple):
    """Wait for the job under way until ``seconds`` are over; 0 or less: do not wait."""

    job: Job
    seconds: float


class Start(NamedTuple):
    """Start a job, and wait for it until `State.patience` is over."""

    task: Task


class Refuse(NamedTuple):
    """There are no keys; a fetch may be made in so many seconds."""

    retry_after: int


Decision = Use | Join | Start | Refuse


def decide(state: State, wanted: Wanted, now: float, monotonic: float, timing: Timing) -> Decision:
    """Return what a request does that needs a key: ``now`` is Unix time, ``monotonic`` that of `Job.started`."""
    held = state.usable(now)
    if held is None:
        return _decide_without_keys(state, now, monotonic, timing)
    if held.key_set.knows(*wanted):
        return Use(held.key_set)
    job = state.job
    if job is not None and not _is_hanging_refresh(job, monotonic, timing):
        # One unknown key at a time is waited for: made-up keys must not hold every thread of a server.
        is_full = job.waiting >= timing.waiting
        if is_full or job.wanted not in (None, wanted) or state.is_cooling_down(now, timing):
            return Use(held.key_set)
        return _join(replace(job, wanted=wanted), state, monotonic, timing)
    if state.may_read_cache(now, timing):
        return Start(Task(wanted))
    return Use(held.key_set)


def decide_refresh(state: State, now: float, timing: Timing) -> Decision | None:
    """Return what a call of `refresh()` does; None where nothing may be asked now."""
    if state.job is not None and state.job.task == Task():
        return Join(state.job, math.inf)
    if not state.is_backing_off(now, timing):
        return Start(Task())
    return _decide_without_keys(state, now, 0.0, timing) if state.usable(now) is None else None


def decide_warm_up(state: State, now: float, monotonic: float, timing: Timing) -> Decision | None:
    """Return what is done so that there are keys before a request needs them; None where there are some."""
    return None if state.usable(now) is not None else _decide_without_keys(state, now, monotonic, timing)


def wants_refresh(state: State, now: float, timing: Timing) -> bool:
    """Tell whether old keys are to be refreshed behind the request that uses them."""
    return state.job is None and not state.is_backing_off(now, timing)


def _decide_without_keys(state: State, now: float, monotonic: float, timing: Timing) -> Decision:
    if state.job is not None:
        is_full = state.job.waiting >= timing.waiting
        return Refuse(1) if is_full else _join(state.job, state, monotonic, timing)
    if not state.is_backing_off(now, timing):
        return Start(Task())
    if state.may_read_cache(now, timing):
        return Start(Task(may_fetch=False))  # another process may have succeeded
    return Refuse(state.retry_after(now))


def _join(job: Job, state: State, monotonic: float, timing: Timing) -> Join:
    """Return the wait for a job, which is over for all at the same moment: nobody begins to wait for one that hangs.

    Tokens that name an issuer or a key can be made up by anybody, and must not hold the threads of a server.
    """
    return Join(job, job.started + state.patience(timing) - monotonic)


def _is_hanging_refresh(job: Job, monotonic: float, timing: Timing) -> bool:
    # A search may then start beside it: without a shared cache it need not wait for the same hanging connection.
    return job.task.wanted is None and monotonic - job.started > timing.patience
