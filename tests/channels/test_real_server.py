"""The example project on uvicorn, and the client of the package `websockets`: what goes over the wire."""

import json
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from testproject.asgi import application

from ..interop.uvicorn_server import served

pytestmark = pytest.mark.real_servers


@pytest.fixture(scope="module")
def url():
    """The URL of the example's consumer."""
    with served(application, ws="auto") as origin:
        yield origin.replace("http", "ws") + "/ws/echo"


def refused(url, headers):
    """Return the response to a handshake that is refused."""
    with pytest.raises(InvalidStatus) as refusal, connect(url, additional_headers=headers):
        pass
    return refusal.value.response


def test_a_bad_token_is_refused_in_the_handshake(url, issuer):
    """With the answer of any other request: status, challenge and a body that says why."""
    response = refused(url, {})
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Bearer scope="read"')
    response = refused(url, issuer.headers("write"))
    assert (response.status_code, json.loads(response.body)["error"]) == (403, "insufficient_scope")
    assert response.headers["WWW-Authenticate"].startswith('Bearer error="insufficient_scope"')


@pytest.mark.parametrize("place", ["header", "subprotocols"])
def test_a_good_token_is_accepted(url, issuer, place):
    """In the header, or as browsers send it."""
    token = issuer.token("read", sub="anna")
    by = {"header": {"additional_headers": {"Authorization": f"Bearer {token}"}}, "subprotocols": {}}[place]
    offered = ["bearer", token] if place == "subprotocols" else None
    with connect(url, subprotocols=offered, **by) as socket:
        assert socket.subprotocol == (None if offered is None else "bearer")
        assert token not in repr(socket.response.headers)
        assert json.loads(socket.recv()) == {"subject": "anna"}
        socket.send('"hello"')
        assert socket.recv() == '"hello"'


def test_the_connection_is_closed_when_the_token_expires(url, trust):
    """The client is told why by the code."""
    token = trust(LEEWAY=0).token("read", exp=time.time() + 0.5)
    with connect(url, subprotocols=["bearer", token]) as socket:
        socket.recv()
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=30)
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4401, "invalid_token")
