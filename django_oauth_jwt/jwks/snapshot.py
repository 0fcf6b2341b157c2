"""Keys at a point in time, what a fetch or its failure leaves behind, and how long each is good for."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ..jws import KeySet, key_set_from
from ..upstream import MAXIMUM_WAITING, PATIENCE_IN_TROUBLE_SECONDS, PATIENCE_SECONDS, is_ahead
from .status import KeyStatus


class Wanted(NamedTuple):
    """The key that a token asks for."""

    kid: str | None
    alg: str


class Timing(NamedTuple):
    """How long keys are used and how often they are fetched; all in seconds.

    ``patience``: how long requests wait for a job, counted from its start. ``cache_interval``: the least time between
    two reads of the shared cache for a key that is not there. ``others``: how long a search waits for the fetch of
    another process. ``waiting``: how many requests may wait at a time; ``patience_in_trouble``: how long they wait
    while the last fetch has failed.
    """

    fresh: float
    stale: float
    cooldown: float
    patience: float = PATIENCE_SECONDS
    cache_interval: float = 1.0
    others: float = 1.0
    waiting: int = MAXIMUM_WAITING
    patience_in_trouble: float = PATIENCE_IN_TROUBLE_SECONDS


@dataclass(frozen=True)
class JwksDocument:
    """A JWKS as fetched. ``fetched_at`` is Unix time; ``fresh_seconds`` counts from then."""

    jwks: dict[str, Any]
    fetched_at: float
    fresh_seconds: float
    etag: str | None = None


class Fetch(NamedTuple):
    """A fetch of this process: from where, and how many seconds it took, discovery included."""

    uri: str
    seconds: float


class FailedFetch(NamedTuple):
    """A fetch of this process that brought no keys; ``error_type`` is that of `upstream.FetchFailed`."""

    seconds: float
    error_type: str


@dataclass(frozen=True)
class Snapshot:
    """Parsed keys and the document that they come from. Times are Unix times in seconds.

    ``fetch`` is None where another process fetched it, and this one has it from the shared cache.
    """

    key_set: KeySet
    document: JwksDocument
    fresh_until: float
    stale_until: float
    fetch: Fetch | None = None

    @property
    def fetched_at(self) -> float:
        """When the authorization server last confirmed these keys."""
        return self.document.fetched_at

    def status(self, now: float) -> KeyStatus:
        """Return how it stands with these keys at a Unix time."""
        age = max(0.0, now - self.fetched_at)
        if now >= self.stale_until:
            return KeyStatus("stale", age)
        return KeyStatus("fresh" if self.fetched_at <= now < self.fresh_until else "old", age, len(self.key_set))

    def dated_to(self, now: float, timing: Timing) -> "Snapshot":
        """Return these keys as if fetched now, and no longer fresh."""
        return replace(
            self, document=replace(self.document, fetched_at=now), fresh_until=now, stale_until=now + timing.stale
        )


@dataclass(frozen=True)
class Failure:
    """The last of ``count`` failed fetches in a row; no other is made before ``retry_at`` (Unix time).

    ``retry_after``: for how many seconds the server asked to be left alone, 0 where it did not. ``uri``: what was
    asked, as the log shows it, "" where that is not known.
    """

    reason: str
    count: int
    retry_at: float
    retry_after: float = 0.0
    uri: str = ""

    def forbids_fetch(self, now: float, timing: Timing) -> bool:
        """Tell whether it is too early to fetch again."""
        return is_ahead(self.retry_at, now, max(timing.cooldown, self.retry_after))


def snapshot_of(document: JwksDocument, timing: Timing, held: Snapshot | None = None, *, source: str) -> Snapshot:
    """Parse a document, or reuse the parsed keys where it is the one held; raise ValueError for what is no JWKS.

    ``source`` is where it is from, for the log.
    """
    if held is not None and held.document.jwks == document.jwks:
        key_set = held.key_set  # the same object, so that remembered tokens stay remembered
    else:
        key_set = key_set_from(document.jwks, source)
    stale_until = document.fetched_at + timing.stale
    # The document may come from a process with other settings.
    fresh_until = min(document.fetched_at + min(document.fresh_seconds, timing.fresh), stale_until)
    return Snapshot(key_set, document, fresh_until, stale_until)
