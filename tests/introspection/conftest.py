"""What the tests of introspection share: an authorization server, ways in, and an introspector whose time is told."""

import io
import json
import logging
import threading
import uuid

import pytest
import requests
from django.core.cache import caches

from django_oauth_jwt import signals
from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.introspection import ActiveClaims
from django_oauth_jwt.introspection import state as states
from django_oauth_jwt.introspection.introspector import Introspector
from django_oauth_jwt.introspection.verdict_cache import VerdictCache
from django_oauth_jwt.jws import EncodedToken
from django_oauth_jwt.tokens import FrozenDict, VerifiedToken

from ..fixtures.recording_cache import RecordingCache
from ..servers.faulty_server import FOREVER
from . import entrances

CREDENTIALS = {"CLIENT_ID": "api", "CLIENT_SECRET": "hunter2"}


class Clock:
    """Unix time and monotonic time that move when they are told to."""

    def __init__(self):
        self.now, self.passed = 1_800_000_000.0, 1000.0

    def __call__(self):
        return self.now

    def monotonic(self):
        return self.passed

    def advance(self, seconds):
        self.now += seconds
        self.passed += seconds


class SharedCache(RecordingCache):
    """A cache that others may share, as far as is known, and which counts what it is asked."""

    operations = ()  # replaced by a list where they count

    def record(self, name):
        if isinstance(type(self).operations, list):
            type(self).operations.append(name)


class Endpoint:
    """A session whose requests reach no network: ``answer`` says what is answered to a URL and a form."""

    def __init__(self):
        self.asked = []
        self.answer = lambda uri, form: {"active": True, "sub": form.get("token")}

    def post(self, uri, data, headers, **options):
        self.asked.append((uri, data, headers))
        return self._respond(self.answer(uri, data))

    def get(self, uri, headers, **options):
        self.asked.append((uri, {}, headers))
        return self._respond(self.answer(uri, {}))

    @property
    def tokens(self):
        """The tokens that were asked about, in this order."""
        return [form["token"] for _, form, _ in self.asked if form]

    @staticmethod
    def _respond(answer):
        """An answer is an error to raise, members, or status, body and headers."""
        if isinstance(answer, Exception):
            raise answer
        status, body, headers = (200, json.dumps(answer), {}) if isinstance(answer, dict) else answer
        response = requests.Response()
        response.status_code, response.raw = status, io.BytesIO(body.encode())
        response.headers.update({"Content-Type": "application/json", **headers})
        return response


class Heard(list):
    """What the two signals said, each as its name and its arguments, in their order."""

    def __init__(self):
        super().__init__()
        self._changed = threading.Condition()

    def hear(self, name, arguments):
        with self._changed:
            self.append((name, arguments))
            self._changed.notify_all()

    def names(self, number):
        """Wait until so many signals were sent, which is after the requests were served; return their names."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self) >= number, FOREVER), "nothing was sent"
        return [name for name, _ in self]


def judge(answer):
    """Take every active token for a good one."""
    if isinstance(answer, ActiveClaims):
        return VerifiedToken(dict(answer.claims), FrozenDict())
    raise InvalidToken("inactive")


class Asked:
    """An introspector, with the work that it has handed over and that is done when it is told to."""

    def __init__(self, clock, sleep):
        runtime = get_runtime()
        (trusted,) = runtime.settings.introspecting
        self.pending, self.cache = [], VerdictCache(runtime.settings, clock)
        self.introspector = Introspector(
            *(trusted, runtime.settings, self.cache),
            execute=self.pending.append,
            clock=clock,
            monotonic=clock.monotonic,
            sleep=sleep,
        )

    def key(self, token):
        """The key of a token's verdict in the cache."""
        return self.cache.key_of(EncodedToken(token), self.introspector._salt)

    def begin(self, token):
        """Have a request ask, and return its steps with the wait, None where it need not wait."""
        steps = self.introspector.verdict_steps(EncodedToken(token), judge)
        try:
            need = next(steps)
            while need.future not in [question.future for question in self.introspector.state.questions.values()]:
                need.get()  # the cache's answer
                need = steps.send(None)
        except StopIteration as stop:
            return stop.value, None
        return steps, need

    def work(self):
        """Do all that was handed over."""
        while self.pending:
            self.pending.pop(0)()

    @staticmethod
    def end(steps):
        """Let a request go on, and return its verdict."""
        try:
            steps.send(None)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("it waits on")

    def verdict(self, token):
        """Ask, work, and return the verdict."""
        steps, wait = self.begin(token)
        if wait is None:
            return steps
        self.work()
        return self.end(steps)

    def reason(self, token):
        return self.verdict(token).reason


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def endpoint():
    """An introspection endpoint in this process."""
    return Endpoint()


@pytest.fixture
def slept():
    """What was slept for, in seconds, while another process was asking."""
    return []


@pytest.fixture
def make_asked(settings, endpoint, clock, slept):
    """Make an introspector of these settings: ``make_asked(CACHE_SECONDS=5)``; two of them stand for two processes."""

    def make_asked(oauth_jwt=(), **introspection):
        credentials = CREDENTIALS if introspection.keys().isdisjoint({"CLIENT_ID", "PRIVATE_KEY"}) else {}
        settings.OAUTH_JWT = {
            "ISSUER": "https://issuer.test",
            "HTTP_SESSION": lambda: endpoint,
            "INTROSPECTION": {"ENDPOINT": "https://issuer.test/introspect", **credentials, **introspection},
            **dict(oauth_jwt),
        }
        return Asked(clock, slept.append)

    return make_asked


@pytest.fixture
def asked(make_asked):
    """An introspector of a project with nothing special."""
    return make_asked()


@pytest.fixture
def shared_cache(settings):
    """A cache that other processes may share; returns the list of its operations."""
    backend = f"{__name__}.SharedCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(uuid.uuid4())}}
    caches["default"].clear()
    SharedCache.operations = []
    yield SharedCache.operations
    SharedCache.operations = ()


@pytest.fixture(params=entrances.ENTRANCES)
def enter(request, settings):
    """Enter with a token, in every way there is; returns the status, and the claims where it is 200."""
    settings.ROOT_URLCONF = entrances
    settings.MIDDLEWARE = [entrances.MIDDLEWARE] if request.param.startswith("middleware") else []
    return entrances.ENTRANCES[request.param]


@pytest.fixture
def trust_server(settings, auth_server):
    """Have the project ask the authorization server about tokens: ``trust_server(ANSWER="jwt")``."""

    def trust_server(oauth_jwt=(), **introspection):
        settings.OAUTH_JWT = {
            "ISSUER": auth_server.origin,
            "JWKS_SERVICE": auth_server.issuer,
            "INTROSPECTION": {"ENDPOINT": auth_server.introspection_uri, **CREDENTIALS, **introspection},
            **dict(oauth_jwt),
        }
        return auth_server

    return trust_server


@pytest.fixture(autouse=True)
def _patience(monkeypatch, bare_project):
    """Have requests wait: a busy machine is no server that hangs. What is given up is told to be by its clock."""
    monkeypatch.setattr(states, "PATIENCE_SECONDS", FOREVER)
    monkeypatch.setattr(states, "PATIENCE_IN_TROUBLE_SECONDS", FOREVER)


@pytest.fixture
def impatient(monkeypatch, _patience):
    """Have requests wait as long as they really do."""
    monkeypatch.setattr(states, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(states, "PATIENCE_IN_TROUBLE_SECONDS", 0.5)


@pytest.fixture
def when_all_wait(monkeypatch):
    """Return an event that is set once so many requests wait for one question: ``when_all_wait(64)``."""
    asking = states.State.asking

    def when_all_wait(number):
        event = threading.Event()

        def asking_and_telling(state, key, question):
            if question.waiting == number:
                event.set()
            return asking(state, key, question)

        monkeypatch.setattr(states.State, "asking", asking_and_telling)
        return event

    return when_all_wait


@pytest.fixture
def log(caplog):
    """Return the lines that the package logged with their level, the newest last."""
    caplog.set_level(logging.DEBUG, "django_oauth_jwt")
    name = "django_oauth_jwt"
    return lambda: [(each.levelname, each.getMessage()) for each in caplog.records if each.name == name]


@pytest.fixture
def heard():
    """What the two signals said, in their order."""
    heard = Heard()

    def success(**kwargs):
        heard.hear("introspected", kwargs)

    def failure(**kwargs):
        heard.hear("introspection_failed", kwargs)

    signals.introspected.connect(success)
    signals.introspection_failed.connect(failure)
    yield heard
    signals.introspected.disconnect(success)
    signals.introspection_failed.disconnect(failure)
