"""Fixtures of the unit tests: keys that are made once, and a clock that stands still."""

import time
from functools import cache

import pytest

from django_oauth_jwt.testing import SigningKey


@pytest.fixture(scope="session")
def signing_key():
    """Make a signing key of an algorithm under a ``kid``, once per run: an RSA key takes longer than most tests."""

    @cache
    def make(alg="ES256", kid="key-1"):
        return SigningKey.generate(alg, kid)

    return make


class Clock:
    """A clock that goes only when told to."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """The time, standing still."""
    clock = Clock(1_800_000_000.0)
    monkeypatch.setattr(time, "time", clock)
    return clock
