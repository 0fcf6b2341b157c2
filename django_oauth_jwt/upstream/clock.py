"""Unix times that may be wrong, because a clock was changed or belongs to another machine."""

import time
from typing import Final

#: How far, in seconds, the clock of another machine that shares the cache may be ahead.
MAXIMUM_SKEW_SECONDS: Final = 30.0


def unix_time() -> float:
    """Return the time, from wherever `time.time` has it at this call: a test may put a clock in its place."""
    return time.time()


def is_ahead(time_: float, now: float, at_most: float) -> bool:
    """Tell whether a time is in the future, and not so far that it must come from before the clock was set back."""
    return now < time_ <= now + at_most + MAXIMUM_SKEW_SECONDS
