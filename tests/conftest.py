"""Fixtures for all tests: a trusted issuer whose keys are made once, and no state from one test to the next."""

import json
import os
import socket

import pytest
from django.core.cache import caches
from django.core.signals import setting_changed

from django_oauth_jwt.signals import token_accepted, token_rejected
from django_oauth_jwt.testing import TokenIssuer
from testproject.loopback import LoggingHandler, LoopbackServer

pytest_plugins = ["django_oauth_jwt.testing.pytest_plugin"]


@pytest.fixture(scope="session")
def rsa_issuer():
    """One issuer for the whole run; tests that rotate its keys make their own."""
    return TokenIssuer()


@pytest.fixture
def trust(rsa_issuer, settings):
    """Have the project trust the issuer, with more settings: ``trust(SCOPE="read")`` returns the issuer."""

    def trust(**more):
        with rsa_issuer.installed(**more):
            trusting = settings.OAUTH_JWT
        # Set through pytest's fixture: what a test changes after it must be undone before it.
        settings.OAUTH_JWT = trusting
        return rsa_issuer

    return trust


@pytest.fixture
def issuer(trust):
    """An issuer that the project trusts during the test."""
    return trust()


@pytest.fixture
def signals():
    """The names and arguments of the signals that were sent about tokens."""
    sent = []

    def on_accepted(**kwargs):
        sent.append(("accepted", kwargs))

    def on_rejected(**kwargs):
        sent.append(("rejected", kwargs))

    token_accepted.connect(on_accepted)
    token_rejected.connect(on_rejected)
    yield sent
    token_accepted.disconnect(on_accepted)
    token_rejected.disconnect(on_rejected)


class _JwksHandler(LoggingHandler):
    def do_GET(self):  # noqa: N802  # the base class calls it so
        self.server.count += 1
        body = json.dumps(self.server.document).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class JwksServer(LoopbackServer):
    """Serves one document everywhere, with the status it is told to; counts the requests."""

    handler = _JwksHandler

    def __init__(self):
        super().__init__()
        self.status, self.document, self.count = 200, {"keys": []}, 0


@pytest.fixture
def jwks_server():
    """A server of one document, which answers until the test ends."""
    with JwksServer() as server:
        yield server


@pytest.fixture
def unreachable_jwks_uri():
    """A JWKS URI on a port of this machine that is taken, so that nobody else can listen there, and silent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/jwks"


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
