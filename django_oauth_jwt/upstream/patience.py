"""How long, and how many, requests wait for an authorization server; and how one process waits for another."""

from collections.abc import Iterator
from typing import Final

#: How long, in seconds, requests wait for one question to an authorization server, counted from its beginning.
PATIENCE_SECONDS: Final = 1.0
#: The same while the last question has failed.
PATIENCE_IN_TROUBLE_SECONDS: Final = 0.5
#: How many requests may wait for one authorization server at a time: tokens anybody can make up hold no more threads.
MAXIMUM_WAITING: Final = 64

#: How soon, in seconds, a process looks for what another one is asking for, and how often at last.
_POLL_SECONDS: Final = 0.05
_LONGEST_POLL_SECONDS: Final = 0.4


def pauses(patience: float) -> Iterator[float]:
    """Yield the seconds before each try, the first one at once, until so many seconds of pauses are over."""
    yield 0.0
    pause, total = _POLL_SECONDS, 0.0
    while total <= patience:
        yield pause
        total += pause
        pause = min(2 * pause, _LONGEST_POLL_SECONDS)
