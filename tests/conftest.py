"""What holds for all tests: which fixtures they share, and no state from one test to the next."""

import fcntl
import os
import sys
import threading
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from pathlib import Path

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.signals import setting_changed

#: What measures the coverage in this thread, and in those that it starts; or twice None.
TRACERS = pytest.StashKey()
_NO_TRACERS = (None, None)
_SETTERS = (sys.settrace, threading.settrace)

pytest_plugins = [
    "django_oauth_jwt.testing.pytest_plugin",
    "tests.fixtures.browsers",
    "tests.fixtures.issuers",
    "tests.fixtures.loopback_servers",
    "tests.fixtures.projects",
]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Use all processors for a run of everything; what is named runs at once, without processes to wait for.

    One process runs the servers, and mostly waits for them, so it is one more than there are processors.
    """
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return 0
    runs_servers = "not real_servers" not in config.option.markexpr
    return (os.cpu_count() or 1) + runs_servers


def pytest_collection_modifyitems(items):
    """Begin with what waits for servers: of several processes the first gets it all, the others the light tests."""
    items.sort(key=lambda item: item.get_closest_marker("real_servers") is None)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before pytest-timeout begins to count
def pytest_runtest_protocol(item):
    """Have servers of several workers one at a time: side by side each takes twice as long as both in turn."""
    item.stash[TRACERS] = _tracers()
    with _traced(_tracers() if _fixtures_count(item) else _NO_TRACERS):
        if item.get_closest_marker("real_servers") is None:
            _let_servers_go_first()
            return (yield)
        with Path(__file__).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return (yield)


@pytest.hookimpl(specname="pytest_runtest_protocol")
def pytest_runtest_protocol_in_its_own_context(item, nextitem):
    """Forget the context variables of each test: Django makes one at each change of CACHES, and none can be deleted.

    Under ASGI all of them are copied, several times a request: after thousands of tests that takes most of the time.
    """
    runner = item.config.pluginmanager.get_plugin("runner")
    return copy_context().run(runner.pytest_runtest_protocol, item, nextitem)


def _fixtures_count(item):
    """Tell whether fixtures run what no test's body does: migrations, the admin's module, the pytest plugin."""
    is_on_database = item.get_closest_marker("django_db") is not None
    return is_on_database or not {"db", "transactional_db", "token_issuer"}.isdisjoint(item.fixturenames)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item):
    """Measure coverage in the test's own body: measured, pytest's work around it takes several times as long."""
    is_measured = item.get_closest_marker("unmeasured") is None
    with _traced(item.stash[TRACERS] if is_measured else _NO_TRACERS):
        return (yield)


@contextmanager
def _traced(tracers):
    """Trace this thread so, and those that it starts meanwhile."""
    before = _tracers()
    for set_tracer, tracer in zip(_SETTERS, tracers, strict=True):
        set_tracer(tracer)
    try:
        yield
    finally:
        for set_tracer, tracer in zip(_SETTERS, before, strict=True):
            set_tracer(tracer)


def _tracers():
    return sys.gettrace(), threading.gettrace()


@cache
def _let_servers_go_first():
    """Have this process step back, once: the tests of servers measure how long they wait, the others do not mind."""
    os.nice(5)


@pytest.fixture(autouse=True)
def _no_leftovers():
    """Begin with an empty cache, no remembered token and a fresh key service."""
    caches["default"].clear()
    for purpose in ("proofs", "introspection", "revocation"):
        LocMemCache(f"django_oauth_jwt {purpose} default", {}).clear()
    setting_changed.send(sender=None, setting="OAUTH_JWT", value=None, enter=True)


def pytest_sessionfinish(session):
    """In CI a skipped test is a failed run: what is not tried is not known to work."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
