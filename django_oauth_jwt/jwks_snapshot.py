"""Keys at a point in time: parsed, with the document that they come from and how long they are good for."""

from dataclasses import dataclass
from typing import NamedTuple

from .jwks_cache import JwksDocument
from .keys import KeySet


class Wanted(NamedTuple):
    """The key that a token asks for and the keys at hand do not hold."""

    kid: str | None
    alg: str


class Fetch(NamedTuple):
    """A fetch of this process: from where, and how many seconds it took, discovery included."""

    uri: str
    seconds: float


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


class Timing(NamedTuple):
    """The policy of section "Keys": all in seconds."""

    fresh: float
    stale: float
    cooldown: float
