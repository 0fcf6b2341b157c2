"""What the tests of the key service share: services, a clock, caches, what the signals and the log say."""

import logging
import queue
import uuid

import pytest
from django.test import Client

from django_oauth_jwt import signals
from django_oauth_jwt.jwks import JwksService

from ..fixtures.recording_cache import RecordingCache
from ..servers.faulty_server import FOREVER
from .inside import have_patience, settle


class Clock:
    """Unix time that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class CountingCache(RecordingCache):
    """A cache in memory that tells which operations were made, and fails when it is told to."""

    def __init__(self) -> None:
        super().__init__(f"resilience-{uuid.uuid4()}", {})
        self.operations: list[str] = []
        self.before = lambda: None

    def record(self, name):
        self.operations.append(name)
        self.before()


class Heard:
    """What the signals said, in their order."""

    def __init__(self) -> None:
        self._queue: queue.Queue = queue.Queue()

    def refreshed(self, *, service, key_set, **kwargs):
        self._queue.put(("refreshed", service, len(key_set)))

    def failed(self, *, service, reason, retry_at, **kwargs):
        self._queue.put(("failed", service, reason, retry_at))

    def next(self):
        return self._queue.get(timeout=FOREVER)

    def has_nothing_more(self) -> bool:
        return self._queue.empty()


@pytest.fixture(name="settle")
def settle_fixture():
    """Wait until nothing goes on behind the requests."""
    return settle


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shared_cache():
    return CountingCache()


@pytest.fixture
def make_service(auth_server, clock, shared_cache):
    """Make a service of the authorization server's keys; two on one cache stand for two processes."""
    services = []

    def make(jwks_uri=auth_server.uri, **options):
        service = JwksService(jwks_uri, **{"cache": shared_cache, "clock": clock, "timeout": FOREVER, **options})
        services.append(service)
        have_patience(service, FOREVER)  # a busy machine is no server that hangs
        return service

    yield make
    auth_server.fault = auth_server.fault  # lets go what hangs
    settle(*services)


@pytest.fixture
def service(make_service):
    """A service with the default times, not asked yet."""
    return make_service()


@pytest.fixture
def trust_service(auth_server, settings):
    """Have the project take its keys from a service."""
    settings.ROOT_URLCONF = "tests.servers.fleet_urls"

    def trust_service(service):
        settings.OAUTH_JWT = {"ISSUER": auth_server.origin, "JWKS_SERVICE": service}

    return trust_service


@pytest.fixture
def status_of(trust_service, auth_server):
    """Ask a secured view, through the whole of Django, and return the status of its answer."""
    trusted = None

    def status_of(service, token=None):
        nonlocal trusted
        if service is not trusted:
            trust_service(service)
            trusted = service
        headers = {"Authorization": f"Bearer {token or auth_server.issuer.token()}"}
        return Client().get("/secured", headers=headers).status_code

    return status_of


@pytest.fixture
def heard():
    """Listen to the two signals of the key service."""
    heard = Heard()
    signals.jwks_refreshed.connect(heard.refreshed)
    signals.jwks_refresh_failed.connect(heard.failed)
    yield heard
    signals.jwks_refreshed.disconnect(heard.refreshed)
    signals.jwks_refresh_failed.disconnect(heard.failed)


@pytest.fixture
def told():
    """All that the two signals of the key service said, heard before `heard` hears it."""
    told = []

    def tell(**kwargs):
        told.append(kwargs)

    for signal in (signals.jwks_refreshed, signals.jwks_refresh_failed):
        signal.connect(tell)
    yield told
    for signal in (signals.jwks_refreshed, signals.jwks_refresh_failed):
        signal.disconnect(tell)


@pytest.fixture
def log(caplog):
    """Return the lines that the package logged, the newest last."""
    caplog.set_level(logging.DEBUG, "django_oauth_jwt")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "django_oauth_jwt"]
