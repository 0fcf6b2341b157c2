"""WebSocket clients of an ASGI app, without a server between them, and a clock that a test moves."""

import asyncio
import time
from functools import wraps

from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator

from ..servers.faulty_server import FOREVER

#: What servers that can send an HTTP response to a refused handshake say of themselves.
CAN_RESPOND = {"websocket.http.response": {}}


def in_event_loop(test):
    """Run a test in an event loop, at whose end no task may be left."""

    async def run(arguments):
        await test(**arguments)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    @wraps(test)
    def runs(**arguments):
        asyncio.run(run(arguments))

    return runs


class PatientClient(ApplicationCommunicator):
    """A client of an app that leaves it the time it needs: on a busy machine the usual second may not be enough."""

    async def wait(self, *_):
        await super().wait(FOREVER)

    async def receive_output(self, *_):
        return await super().receive_output(FOREVER)


class Client(PatientClient, WebsocketCommunicator):
    """A client with a token in the header, with headers and subprotocols, of a server with or without extensions.

    Servers spell the names of headers in small letters; who writes a test spells them as everybody does.
    """

    def __init__(self, app, token=None, *, path="/ws/", headers=None, subprotocols=(), extensions=None, **scope):
        sent = {**({} if token is None else {"Authorization": f"Bearer {token}"}), "Host": "testserver"}
        encoded = [(name.encode(), value.encode()) for name, value in {**sent, **(headers or {})}.items()]
        super().__init__(app, path, encoded, list(subprotocols))
        self.scope |= {"scheme": "ws", "extensions": extensions, **scope}

    async def handshake(self):
        """Return what the server is told to do about the handshake."""
        await self.send_input({"type": "websocket.connect"})
        return await self.receive_output()

    async def refusal(self):
        """Return status, headers and body of the HTTP response to a refused handshake."""
        start, body = await self.handshake(), await self.receive_output()
        assert (start["type"], body["type"]) == ("websocket.http.response.start", "websocket.http.response.body")
        await self.wait()
        return start["status"], dict(start["headers"]), body["body"]

    async def close_code(self):
        """Return the code with which a handshake is refused by a server that knows no more."""
        closed = await self.handshake()
        assert closed["type"] == "websocket.close"
        await self.wait()
        return closed["code"]


class Clock:
    """The time of the process and of its event loop, which runs on and can be moved ahead."""

    def __init__(self, monkeypatch):
        self._ahead, self._time, self._monkeypatch = 0, time.time, monkeypatch
        monkeypatch.setattr(time, "time", self.now)

    def now(self):
        return self._time() + self._ahead

    def govern(self, loop):
        own = loop.time
        self._monkeypatch.setattr(loop, "time", lambda: own() + self._ahead)

    async def advance(self, seconds):
        """Let time pass, and what waits for it happen."""
        self._ahead += seconds
        await asyncio.sleep(0.001)
