"""An authorization server that nobody here wrote, as a process."""

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[2]


class AuthorizationServer:
    """A client's view of a running server of Authlib."""

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

    def register(self, method, **metadata):
        """Register an API, which asks about tokens and authenticates itself so; return its id and secret (RFC 7591)."""
        metadata |= {"token_endpoint_auth_method": method, "grant_types": [], "response_types": []}
        answer = requests.post(f"{self.issuer}/register", json=metadata, timeout=10)
        answer.raise_for_status()
        return answer.json()["client_id"], answer.json()["client_secret"]

    def revoke(self, token):
        """Have it end the life of an opaque token (RFC 7009)."""
        credentials = ("batch-job", "batch-secret")
        requests.post(f"{self.issuer}/revoke", auth=credentials, data={"token": token}, timeout=10).raise_for_status()

    def rotate(self):
        """Have it sign with a new key from now on."""
        requests.post(f"{self.issuer}/rotate", timeout=10).raise_for_status()

    def set_lifetime(self, seconds):
        """Have its tokens expire so long after they are issued; before that, where it is negative."""
        requests.post(f"{self.issuer}/lifetime/{seconds}", timeout=10).raise_for_status()

    def fetches(self):
        """Tell how often its JWKS was fetched."""
        return requests.get(f"{self.issuer}/fetches", timeout=10).json()["jwks"]


class ToolkitServer:
    """A client's view of a running server of django-oauth-toolkit. The API and each client have their credentials."""

    API = ("books", "s3cret: 100% +=&/é")
    CLIENT = ("batch-job", "batch-secret")

    def __init__(self, issuer):
        self.issuer = issuer

    def token(self, scope="read", **form):
        """Get an opaque access token by the client credentials grant."""
        return self._post("/token/", grant_type="client_credentials", scope=scope, **form).json()["access_token"]

    def revoke(self, token):
        """Have it end the life of a token (RFC 7009)."""
        self._post("/revoke_token/", token=token)

    def _post(self, path, **form):
        answer = requests.post(f"{self.issuer}{path}", auth=self.CLIENT, data=form, timeout=30)
        answer.raise_for_status()
        return answer


@contextmanager
def started(module, *arguments):
    """Run a module that prints its issuer identifier when it serves, and yield that."""
    command = [sys.executable, "-W", "ignore", "-m", f"tests.interop.{module}", *arguments]
    # The environment may ask for warnings as errors, which is no affair of the peer's.
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def running(alg="RS256", metadata_path="/.well-known/oauth-authorization-server"):
    """Run a server of an algorithm, with the metadata at a path."""
    with started("authlib_server", alg, metadata_path) as issuer:
        yield AuthorizationServer(issuer)


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


@pytest.fixture(scope="module")
def toolkit(tmp_path_factory):
    """django-oauth-toolkit with an empty database, for all tests of a module."""
    database = tmp_path_factory.mktemp("toolkit") / "toolkit.sqlite3"
    credentials = (":".join(pair) for pair in (ToolkitServer.API, ToolkitServer.CLIENT))
    with started("toolkit_server", str(database), *credentials) as issuer:
        yield ToolkitServer(issuer)
