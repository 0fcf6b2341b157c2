"""An authorization server that nobody here wrote, as a process."""

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[2]


class AuthorizationServer:
    """A client's view of the running server."""

    def __init__(self, issuer):
        self.issuer = issuer

    def token(self, scope="read", endpoint=None, **form):
        """Get an access token by the client credentials grant (RFC 6749 section 4.4)."""
        answer = requests.post(
            endpoint or f"{self.issuer}/token",
            auth=("batch-job", "batch-secret"),
            data={"grant_type": "client_credentials", "scope": scope, **form},
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json()["access_token"]

    def rotate(self):
        """Have it sign with a new key from now on."""
        requests.post(f"{self.issuer}/rotate", timeout=10).raise_for_status()

    def set_lifetime(self, seconds):
        """Have its tokens expire so long after they are issued; before that, where it is negative."""
        requests.post(f"{self.issuer}/lifetime/{seconds}", timeout=10).raise_for_status()

    def fetches(self):
        """Tell how often its JWKS was fetched."""
        return requests.get(f"{self.issuer}/fetches", timeout=10).json()["jwks"]


@contextmanager
def running(alg="RS256", metadata_path="/.well-known/oauth-authorization-server"):
    """Run a server of an algorithm, with the metadata at a path."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.interop.authlib_server", alg, metadata_path]
    # The environment may ask for warnings as errors, which is no affair of the peer's.
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield AuthorizationServer(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture
def start_server():
    """Start servers for a test."""
    with ExitStack() as servers:
        yield lambda *arguments: servers.enter_context(running(*arguments))


@pytest.fixture(scope="module")
def shared_server():
    """One for all tests of a module, which do not mind what it remembers."""
    with running("ES256") as server:
        yield server
