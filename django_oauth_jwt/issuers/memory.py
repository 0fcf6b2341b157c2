"""What a process remembers of issuers that it has asked about: bounded, however many anybody makes up."""

import secrets
from collections import OrderedDict
from copy import copy
from itertools import islice
from typing import Final, NamedTuple

from ..conf import TrustedIssuer
from ..errors import IssuerUnavailable, KeysUnavailable

#: How long, in seconds, it is remembered that an issuer is trusted, that it is not, that the resolver raised an error,
#: and that what it returned was wrong.
TRUSTED_SECONDS: Final = 300
REFUSED_SECONDS: Final = 30
RAISED_SECONDS: Final = 1
WRONG_SECONDS: Final = 30
#: How many issuers are kept, with their keys; those used longest ago go first.
MAXIMUM_TRUSTED: Final = 1000
#: How many others are kept, by a short hash. They cannot push out trusted ones.
MAXIMUM_REFUSED: Final = 131_072
#: How many refusals of the resolver's own are kept: each is an object of the project's, with all that it carries.
MAXIMUM_OWN_REFUSALS: Final = 64

#: Of this process, so that nobody can make up an issuer with the hash of a good one, PYTHONHASHSEED or not.
_SECRET: Final = secrets.token_urlsafe(16)


class Resolution(NamedTuple):
    """What is known of an issuer: what the settings say of it, None where it is not trusted.

    It is good from ``since`` to ``until``, Unix times in seconds.
    """

    trusted: TrustedIssuer | None
    since: float = 0.0
    until: float = 0.0


NOT_TRUSTED: Final = Resolution(None)


class Expiring:
    """Texts that are remembered for so many seconds each, by a short hash; the oldest go first."""

    def __init__(self, seconds: int, maximum: int) -> None:
        self.seconds = seconds
        self._maximum = maximum
        self._added: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._added)

    def add(self, text: str, now: float) -> None:
        """Remember a text from now on. Not for two threads at a time."""
        key = _short_hash(text)
        self._added.pop(key, None)
        self._added[key] = now
        if len(self._added) > self._maximum:
            # Many at once: a dict whose first entry is deleted again and again takes ever longer to find it.
            for oldest in [*islice(self._added, self._maximum // 8 + 1)]:
                del self._added[oldest]

    def seconds_left(self, text: str, now: float) -> float:
        """Return for how long a text is still remembered, 0 or less where it is not."""
        added = self._added.get(_short_hash(text)) if self._added else None
        # A time in the future is from before the clock was set back.
        return added + self.seconds - now if added is not None and added <= now else 0.0


class IssuerMemory:
    """What one process remembers. Reading needs no lock; who writes holds one."""

    def __init__(self) -> None:
        self._trusted: OrderedDict[str, Resolution] = OrderedDict()
        self._refused = Expiring(REFUSED_SECONDS, MAXIMUM_REFUSED)
        self._failures = tuple(Expiring(seconds, MAXIMUM_TRUSTED) for seconds in (RAISED_SECONDS, WRONG_SECONDS))
        self._own_refusals: dict[int, tuple[KeysUnavailable, float]] = {}

    def recall(self, iss: str, now: float) -> Resolution | None:
        """Return what is known of an issuer now, None where it is not; raise KeysUnavailable where it failed."""
        known = self._trusted.get(iss)
        if known is not None and known.since <= now < known.until:
            try:  # noqa: SIM105  # `suppress` takes longer than the move
                self._trusted.move_to_end(iss)
            except KeyError:  # another thread has just let it go
                pass
            return known
        if self._refused.seconds_left(iss, now) > 0:
            return NOT_TRUSTED
        left = max(failures.seconds_left(iss, now) for failures in self._failures)
        if left > 0:
            raise IssuerUnavailable(int(left))
        refusal, since = self._own_refusals.get(_short_hash(iss), (None, 0.0))
        if refusal is not None and since <= now < since + RAISED_SECONDS:
            raise copy(refusal)
        return None

    def has_trusted(self, iss: str) -> bool:
        """Tell whether an issuer was trusted when it was last asked about."""
        return iss in self._trusted

    def trusted(self) -> list[TrustedIssuer]:
        """Return the trusted issuers that are kept."""
        return [known.trusted for known in list(self._trusted.values()) if known.trusted is not None]

    def add(self, iss: str, trusted: TrustedIssuer | None, now: float) -> Resolution:
        """Remember what was found, and return it. Where nothing has changed, an issuer keeps its keys."""
        if trusted is None:
            self._trusted.pop(iss, None)
            self._refused.add(iss, now)
            return NOT_TRUSTED
        before = self._trusted.get(iss, NOT_TRUSTED).trusted
        found = Resolution(before if before == trusted else trusted, now, now + TRUSTED_SECONDS)
        self._trusted[iss] = found
        self._trusted.move_to_end(iss)
        if len(self._trusted) > MAXIMUM_TRUSTED:
            self._trusted.popitem(last=False)
        return found

    def add_failure(self, iss: str, now: float, *, has_raised: bool) -> IssuerUnavailable:
        """Remember that the resolver raised an error, or else returned what cannot be used; return the refusal."""
        raised, wrong = self._failures
        failures = raised if has_raised else wrong
        failures.add(iss, now)
        return IssuerUnavailable(failures.seconds)

    def add_refusal(self, iss: str, refusal: KeysUnavailable, now: float) -> None:
        """Remember what the resolver itself says to requests, for as long as that it raised an error."""
        known = [(key, kept) for key, kept in self._own_refusals.items() if kept[1] <= now < kept[1] + RAISED_SECONDS]
        self._own_refusals = dict([*known, (_short_hash(iss), (refusal, now))][-MAXIMUM_OWN_REFUSALS:])


def _short_hash(text: str) -> int:
    return hash(_SECRET + text)
