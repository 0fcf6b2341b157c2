"""What the tests of WebSockets share."""

import pytest

from .clients import Clock


@pytest.fixture
def clock(monkeypatch):
    """The time of the process; ``govern(loop)`` has it rule an event loop, too."""
    return Clock(monkeypatch)
