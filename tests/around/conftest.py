"""An authorization server on loopback that serves a JWKS, and the commands as a shell meets them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import pytest
from django.core.management import call_command


class JwksServer(ThreadingHTTPServer):
    """Serves one document everywhere, with the status it is told to; counts the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.status, self.document, self.count = 200, {"keys": []}, 0


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.count += 1
        body = json.dumps(self.server.document).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Keep quiet."""


@pytest.fixture
def jwks_server():
    """A server that answers until the test ends."""
    with JwksServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def run():
    """Run a command; return what it prints and its exit status."""

    def run(*arguments, stdout=None, **options):
        stdout = stdout or StringIO()
        try:
            call_command(*arguments, stdout=stdout, **options)
        except SystemExit as end:
            return stdout.getvalue(), end.code
        return stdout.getvalue(), 0

    return run


class Terminal(StringIO):
    """An output that says it is a terminal, of some encoding."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def terminal():
    """A terminal that can show everything."""
    return Terminal()


@pytest.fixture(autouse=True)
def _colours(monkeypatch):
    """Whatever the machine that runs the tests says of colours."""
    for name in ("NO_COLOR", "FORCE_COLOR", "DJANGO_COLORS"):
        monkeypatch.delenv(name, raising=False)
