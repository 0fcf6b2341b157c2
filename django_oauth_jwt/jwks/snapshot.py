"""Keys at a point in time: parsed, with the document that they come from and how long they are good for."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from ..jws import KeySet
from .shared import JwksDocument


class Wanted(NamedTuple):
    """The key that a token asks for and the keys at hand do not hold."""

    kid: str | None
    alg: str


class Fetch(NamedTuple):
    """A fetch of this process: from where, and how many seconds it took, discovery included."""

    uri: str
    seconds: float


class Timing(NamedTuple):
    """The policy of section "Keys": all in seconds."""

    fresh: float
    stale: float
    cooldown: float


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

    def dated_to(self, now: float, timing: Timing) -> "Snapshot":
        """Return these keys as if fetched now, and no longer fresh."""
        return replace(
            self, document=replace(self.document, fetched_at=now), fresh_until=now, stale_until=now + timing.stale
        )


def snapshot_of(document: JwksDocument, timing: Timing, held: Snapshot | None = None) -> Snapshot:
    """Parse a document, or reuse the parsed keys where it is the one held; raise ValueError for what is no JWKS."""
    if held is not None and held.document.jwks == document.jwks:
        key_set = held.key_set  # the same object: remembered tokens stay remembered
    else:
        key_set = KeySet.from_jwks(document.jwks)
    stale_until = document.fetched_at + timing.stale
    # The document may come from a process with other settings.
    fresh_until = min(document.fetched_at + min(document.fresh_seconds, timing.fresh), stale_until)
    return Snapshot(key_set, document, fresh_until, stale_until)
