"""What holds for all tests: which fixtures they share, and no state from one test to the next."""

import os

import pytest
from django.core.cache import caches
from django.core.signals import setting_changed

pytest_plugins = [
    "django_oauth_jwt.testing.pytest_plugin",
    "tests.fixtures.issuers",
    "tests.fixtures.loopback_servers",
    "tests.fixtures.projects",
]


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
