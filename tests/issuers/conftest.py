"""What the tests of issuers share: a clock, and steps that are taken one by one."""

import pytest


class Clock:
    """Seconds that move when they are told to."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


def begin(steps):
    """Return the first need of the steps."""
    return next(steps)


def ends(steps):
    """Tell whether the steps end without a need."""
    return next(steps, "end") == "end"


def goes_on(steps):
    """Tell whether the steps end now that what they waited for is over."""
    try:
        steps.send(None)
    except StopIteration:
        return True
    return False
