"""Fixtures of the unit tests: keys that are made once, and a clock that stands still."""

import asyncio
import time
from functools import cache

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.jwks import get_jwks_service
from django_oauth_jwt.testing import SigningKey
from django_oauth_jwt.verification import averify_token, verify_token


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


def _averify(encoded_token, **kwargs):
    return asyncio.run(averify_token(encoded_token, **kwargs))


@pytest.fixture(params=[verify_token, _averify], ids=["sync", "async"])
def verify(request):
    """Verify a token, on either side of Django's two worlds."""
    return request.param


@pytest.fixture
def reason_of(verify):
    """Why a token is refused, None where it is accepted; the same the second time, when it is remembered."""

    def outcome(encoded_token, **kwargs):
        try:
            verify(encoded_token, **kwargs)
        except InvalidToken as error:
            return error.reason
        return None

    def reason_of(encoded_token, **kwargs):
        first, again = (outcome(encoded_token, **kwargs) for _ in range(2))
        assert again == first
        return first

    return reason_of


@pytest.fixture
def signed():
    """Sign a payload as it is with an issuer's key."""

    def signed(issuer, payload):
        key = issuer.keys[-1]
        return key.encode({"typ": "at+jwt", "alg": key.alg, "kid": key.kid}, payload)

    return signed


@pytest.fixture
def problem_of():
    """The one problem of a value of OAUTH_JWT, as the system check tells of it; the first use refuses it as well."""

    def problem_of(raw):
        with override_settings(OAUTH_JWT=raw):
            (message,) = run_checks(tags=["oauth_jwt"])
            with pytest.raises(ImproperlyConfigured):
                get_jwks_service()
        return message

    return problem_of
