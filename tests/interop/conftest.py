"""An authorization server that nobody here wrote, as a process."""

import subprocess
import sys
from pathlib import Path

import pytest
import requests

SERVER = Path(__file__).with_name("authlib_server.py")


class AuthorizationServer:
    """A client's view of the running server."""

    def __init__(self, issuer):
        self.issuer = issuer

    def token(self, scope="read", endpoint=None):
        """Get an access token by the client credentials grant (RFC 6749 section 4.4)."""
        answer = requests.post(
            endpoint or f"{self.issuer}/token",
            auth=("batch-job", "batch-secret"),
            data={"grant_type": "client_credentials", "scope": scope},
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json()["access_token"]

    def rotate(self):
        """Have it sign with a new key from now on."""
        requests.post(f"{self.issuer}/rotate", timeout=10).raise_for_status()

    def fetches(self):
        """Tell how often its JWKS was fetched."""
        return requests.get(f"{self.issuer}/fetches", timeout=10).json()["jwks"]


@pytest.fixture
def start_server():
    """Start servers for a test: of an algorithm, with the metadata at a path."""
    processes = []

    def start(alg="RS256", metadata_path="/.well-known/oauth-authorization-server"):
        command = [sys.executable, "-W", "ignore", str(SERVER), alg, metadata_path]
        # The environment may ask for warnings as errors, which is no affair of the peer's.
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        processes.append(process)
        return AuthorizationServer(process.stdout.readline().strip())

    yield start
    for process in processes:
        process.terminate()
        process.communicate()
