"""What the tests of the example project share: its authorization server, clients of both kinds, real processes."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

import testproject
from testproject.authorization_server import AuthorizationServer

ROOT = Path(testproject.__file__).parents[1]
#: Far more seconds than a process takes to say that it serves, or to end.
FOREVER = 120


@pytest.fixture
def authorization_server():
    """The example's authorization server, on a free port."""
    with AuthorizationServer() as server:
        yield server


@pytest.fixture(params=[Client, AsyncClient], ids=["WSGI", "ASGI"])
def get(request):
    """GET through the whole stack, of WSGI and of ASGI."""
    client = request.param()
    return async_to_sync(client.get) if isinstance(client, AsyncClient) else client.get


def _ignore_sigint():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.fixture(
    params=[(signal.SIGINT, {}), (signal.SIGINT, {"preexec_fn": _ignore_sigint}), (signal.SIGTERM, {})],
    ids=["Ctrl-C", "SIGINT in the background", "SIGTERM"],
)
def way_to_stop(request):
    """A signal, and how the process is started; shells start background jobs with SIGINT ignored."""
    return request.param


@pytest.fixture
def started():
    """Run Python in a process of its own, and kill it where it does not end by itself."""

    @contextmanager
    def start(*arguments, **options):
        environment = {**os.environ, "PYTHONUNBUFFERED": "", "COLUMNS": "120"}
        with subprocess.Popen(
            [sys.executable, "-W", "error", *arguments],
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **options,
        ) as process:
            watchdog = threading.Timer(FOREVER, process.kill)
            watchdog.start()
            try:
                yield process
            finally:
                watchdog.cancel()
                process.kill()

    return start
