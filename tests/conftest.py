"""Fixtures for all tests: a trusted issuer whose keys are made once, and no state from one test to the next."""

import os

import pytest
from django.core.cache import caches
from django.core.signals import setting_changed

from django_oauth_jwt.testing import TokenIssuer

pytest_plugins = ["django_oauth_jwt.testing.pytest_plugin"]


@pytest.fixture(scope="session")
def rsa_issuer():
    """One issuer for the whole run; tests that rotate its keys make their own."""
    return TokenIssuer()


@pytest.fixture
def issuer(rsa_issuer, settings):
    """An issuer that the project trusts during the test."""
    with rsa_issuer.installed():
        trusting = settings.OAUTH_JWT
    # Set through pytest's fixture: what a test changes after it must be undone before it.
    settings.OAUTH_JWT = trusting
    return rsa_issuer


@pytest.fixture(autouse=True)
def _no_leftovers():
    """Begin with an empty cache, no remembered token and a fresh key service."""
    caches["default"].clear()
    setting_changed.send(sender=None, setting="OAUTH_JWT", value=None, enter=True)


def pytest_sessionfinish(session):
    """In CI a skipped test is a failed run: what is not tried is not known to work."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
