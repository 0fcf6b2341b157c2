"""Without the app nothing is imported; with it the figures come, whenever the project chooses where they go."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from django_oauth_jwt.contrib import opentelemetry
from django_oauth_jwt.contrib.opentelemetry import receivers
from django_oauth_jwt.contrib.opentelemetry.apps import OpenTelemetryConfig
from django_oauth_jwt.contrib.opentelemetry.receivers import connect
from django_oauth_jwt.signals import token_accepted, token_rejected

ROOT = Path(__file__).parents[2]


def test_the_app_listens_when_it_is_ready(monkeypatch):
    """That is all that the project has to list it for."""
    connected = []
    monkeypatch.setattr(receivers, "connect", lambda: connected.append(True))
    OpenTelemetryConfig(opentelemetry.__name__, opentelemetry).ready()
    assert connected == [True]


PROJECT = """
import sys
import django
from django.conf import settings
from testproject import settings as example

settings.configure(**{name: value for name, value in vars(example).items() if name.isupper()})
settings.ROOT_URLCONF = "tests.opentelemetry.views"
APPS = [*settings.INSTALLED_APPS, "django_oauth_jwt.contrib.opentelemetry"]

def ask():
    from django.test import Client
    from django_oauth_jwt.testing import TokenIssuer
    with TokenIssuer(alg="ES256").installed(INTROSPECTION={"CLIENT_ID": "x", "CLIENT_SECRET": "x"}) as issuer:
        for headers in (issuer.headers("read"), issuer.headers("write"), {"Authorization": "Bearer opaque"}):
            Client().get("/view/", headers=headers)
"""
WITHOUT = """
django.setup()
ask()
import django_oauth_jwt.contrib.opentelemetry, django_oauth_jwt.contrib.opentelemetry.apps
print([name for name in sys.modules if name.partition(".")[0] == "opentelemetry"])
"""
PROVIDER_LATER = """
settings.INSTALLED_APPS = APPS
django.setup()
print([name for name in sys.modules if name.startswith("opentelemetry.sdk")])
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
reader = InMemoryMetricReader()
ask()
metrics.set_meter_provider(MeterProvider([reader]))
ask()
for metric in reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics:
    if "tokens" in metric.name:
        print(metric.name, metric.unit, sum(point.value for point in metric.data.data_points))
"""


def run(code):
    """Run a project in a process of its own, and return the lines that it prints."""
    command = [sys.executable, "-W", "error", "-c", PROJECT + code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


def test_without_the_app_nothing_of_opentelemetry_is_imported():
    """Not even by the package that has the app, and whatever is asked of the project."""
    assert run(WITHOUT) == ["[]"]


def test_the_provider_may_be_set_later_and_the_sdk_is_not_needed():
    """Tokens that were counted before are not lost, since the counts are ours."""
    assert run(PROVIDER_LATER) == [
        "[]",
        "oauth_jwt.tokens.verified {token} 4",
        "oauth_jwt.tokens.refused {token} 4",
    ]


def test_to_connect_twice_counts_once(figures, client, issuer):
    """Apps are made ready more than once where tests change INSTALLED_APPS."""
    connect()
    client.get("/view/", headers=issuer.headers("read"))
    assert list(figures.read().values()) == [1]


@pytest.fixture
def receiver_threads():
    """The names of the threads in which a receiver of the project's own is called."""
    threads = []

    def receiver(**kwargs):
        threads.append(threading.current_thread())

    token_accepted.connect(receiver)
    token_rejected.connect(receiver)
    yield threads
    token_accepted.disconnect(receiver)
    token_rejected.disconnect(receiver)


def _asks_for_thread(monkeypatch, issuer):
    """Tell whether a signal is sent through Django's way for an event loop."""
    sent = []
    for signal in (token_accepted, token_rejected):
        real = signal.asend_robust

        async def asend_robust(*args, real=real, **kwargs):
            sent.append(args)
            return await real(*args, **kwargs)

        monkeypatch.setattr(signal, "asend_robust", asend_robust)
    for headers in (issuer.headers("read"), issuer.headers("read", expired=True)):
        async_to_sync(AsyncClient().get)("/async/", headers=headers)
    return bool(sent)


def test_counting_takes_no_thread_under_asgi(figures, issuer, monkeypatch):
    """A thread for each request would cost more than the verification of its token."""
    assert not _asks_for_thread(monkeypatch, issuer)
    assert len(figures.read()) == 2


def test_receivers_of_the_project_are_called_in_a_thread_all_the_same(figures, issuer, monkeypatch, receiver_threads):
    """They may block; ours are called beside them."""
    assert _asks_for_thread(monkeypatch, issuer)
    assert len(receiver_threads) == 2
    assert len(figures.read()) == 2


def test_async_receivers_of_the_project_are_called_as_well(figures, issuer, monkeypatch):
    """On the event loop, by Django."""
    seen = []

    async def receiver(**kwargs):
        seen.append(kwargs)

    token_accepted.connect(receiver)
    try:
        assert _asks_for_thread(monkeypatch, issuer)
    finally:
        token_accepted.disconnect(receiver)
    assert len(seen) == 1
    assert len(figures.read()) == 2
