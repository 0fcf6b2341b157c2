"""Moments of Unix time, which a clock that is set, or another machine's clock, puts in doubt."""

import time
from typing import Final

#: How far, in seconds, the clock of another machine that shares the cache may be ahead.
MAXIMUM_SKEW_SECONDS: Final = 30.0


def unix_time() -> float:
    """Return the time, from wherever `time.time` has it at this call: a test may put a clock in its place."""
    return time.time()


def is_ahead(moment: float, now: float, at_most: float) -> bool:
    """Tell whether a moment is still to come, and is no leftover of a clock that was set back."""
    return now < moment <= now + at_most + MAXIMUM_SKEW_SECONDS
