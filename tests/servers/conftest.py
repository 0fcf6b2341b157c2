"""Servers of several workers, as the tests of this folder start them."""

import pytest

from .faulty_server import FOREVER
from .real_servers import fleet


@pytest.fixture
def start(auth_server, valkey, tmp_path):
    """Start a server whose workers share the Valkey server; settings as in OAUTH_JWT."""

    def start(kind, **settings):
        options = {"ISSUER": auth_server.origin, "JWKS_URI": auth_server.uri, "HTTP_TIMEOUT": FOREVER, **settings}
        return fleet(kind, tmp_path, cache_uri=valkey.uri, **options)

    return start
