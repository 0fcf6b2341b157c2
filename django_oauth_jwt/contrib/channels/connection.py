"""One WebSocket connection between the server and the app (ASGI), until its token expires."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from django.http import HttpResponse

from ...errors import BearerError, InvalidToken, KeysUnavailable

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: RFC 6455 section 7.4.2: 4000 to 4999 are for the two ends to agree on. These are the status of HTTP, plus 4000.
_PRIVATE_CODES: Final = 4000
_INVALID_TOKEN: Final = 4401
#: "Try again later", of IANA's registry of close codes.
_TRY_AGAIN_LATER: Final = 1013

#: What the app sends last: a close frame, or the response to a handshake that it refuses itself.
_ENDS: Final = ("websocket.close", "websocket.http.response.start")


class TokenExpired(OSError):
    """The app sends on a connection that is closed (ASGI has an OSError for that): its token has expired."""


class Connection:
    """What the app receives and sends. When the token has expired the client is sent away, and no message gets through.

    ``protocol`` is the subprotocol that is accepted where the app accepts none, None for none. ``can_respond`` tells
    whether the server sends an HTTP response to a refused handshake (ASGI's extension ``websocket.http.response``).
    """

    def __init__(self, receive: Receive, send: Send, *, protocol: str | None, can_respond: bool) -> None:
        self._receive = receive
        self._send = send
        self._protocol = protocol
        self._can_respond = can_respond
        self._accept_headers: list[tuple[bytes, bytes]] = []
        self._deadline: float | None = None  # by the clock of the event loop
        self._is_accepted = False
        self._is_closed = False
        self._has_expired = False

    def add_header(self, name: str, value: str) -> None:
        """Have the response to the handshake carry a header, if the app accepts it."""
        self._accept_headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))

    @asynccontextmanager
    async def lasting(self, seconds: float | None) -> AsyncIterator[None]:
        """Close the connection after this time, whatever the app does then; None leaves it open."""
        if seconds is None:
            yield
            return
        self._deadline = asyncio.get_running_loop().time() + seconds
        expiry = asyncio.create_task(self._expire_after(seconds))
        try:
            with suppress(TokenExpired):  # the app sent something, and was told that it is too late
                yield
        except asyncio.CancelledError:  # a server that stops does not wait for a client that reads nothing
            expiry.cancel()
            raise
        finally:
            if not self._has_expired:
                expiry.cancel()
            await asyncio.gather(expiry, return_exceptions=True)

    async def receive(self) -> Message:
        """Return the next message of the client; that it was disconnected, once the token has expired."""
        if not self._has_expired:
            try:
                async with asyncio.timeout_at(self._deadline):
                    message = await self._receive()
            except TimeoutError:
                await self._expire()
            else:
                self._is_closed |= message["type"] == "websocket.disconnect"
                return message
        await asyncio.sleep(0)  # an app that asks all the same, again and again, must not stop the event loop
        return {"type": "websocket.disconnect", "code": _INVALID_TOKEN}

    async def send(self, message: Message) -> None:
        """Pass on a message of the app; raise TokenExpired where that is too late."""
        if self._has_expired:
            await asyncio.sleep(0)  # as above
            raise TokenExpired
        if message["type"] == "websocket.accept":
            self._is_accepted = True
            headers = [*(message.get("headers") or ()), *self._accept_headers]
            message = {**message, "subprotocol": message.get("subprotocol") or self._protocol, "headers": headers}
        self._is_closed |= message["type"] in _ENDS
        await self._send(message)

    async def refuse(self, error: BearerError, response: HttpResponse) -> None:
        """Refuse the handshake with a response, or close the connection, unless it is closed already."""
        if self._is_closed or self._has_expired:
            return
        if self._is_accepted or not self._can_respond:
            await self._close(close_code(error), error.error)
            return
        response.headers["Content-Length"] = str(len(response.content))
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
        await self._send({"type": "websocket.http.response.start", "status": response.status_code, "headers": headers})
        await self._send({"type": "websocket.http.response.body", "body": response.content})

    async def _expire_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._expire()

    async def _expire(self) -> None:
        if not self._has_expired:
            self._has_expired = True
            if not self._is_closed:
                with suppress(OSError):  # the client may have gone a moment ago
                    await self._close(_INVALID_TOKEN, InvalidToken.error)

    async def _close(self, code: int, reason: str | None) -> None:
        await self._send({"type": "websocket.close", "code": code, "reason": reason or ""})


def close_code(error: BearerError) -> int:
    """Return the code with which a connection is closed for a refusal: 4401 where another token may help."""
    if isinstance(error, KeysUnavailable):
        return _TRY_AGAIN_LATER
    # The status of these is a setting, and the client's code must not depend on it.
    return _INVALID_TOKEN if isinstance(error, InvalidToken) else _PRIVATE_CODES + error.status
