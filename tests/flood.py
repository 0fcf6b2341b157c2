"""How many there are of what comes in thousands: a tenth, or what the environment variable FLOOD says.

`.ci/run` sets it to 1, the full number, for the run with coverage; the matrix repeats that with a tenth.
"""

import os

SHARE = float(os.environ.get("FLOOD", "0.1"))


def flood(number):
    """Return how many of so many this run sends, draws or makes."""
    return max(1, round(number * SHARE))
