"""The ASGI middleware: a connection is passed to the app with an accepted token, or refused."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.core.exceptions import DisallowedHost
from django.db import close_old_connections

from ...conf import Settings
from ...errors import BearerError
from ...http import NONCE_HEADER, acceptance_steps, get_access_token, refusal_steps, state_of
from ...issuers import issuer_of_verified
from ...tokens import AccessToken, parse_requirements
from ...upstream import run_awaiting, unix_time
from .connection import Connection, Receive, Send
from .handshake import Handshake, InvalidHandshake, parse_origins, read_handshake

Scope = dict[str, Any]
App = Callable[[Scope, Receive, Send], Awaitable[Any]]

#: In seconds: longer than any process runs, and a number that the event loop can count to.
_FOREVER: Final = 1e9


class BearerJwtMiddleware:
    """Require a bearer token of each WebSocket connection to an ASGI app; other connections are passed through.

    >>> ProtocolTypeRouter({"http": django_app, "websocket": BearerJwtMiddleware(URLRouter(routes), scope="chat")})

    The token stands in the Authorization header or, for scripts in browsers, after the subprotocol ``bearer``. The app
    finds ``access_token``, ``claims`` and ``user`` in its scope, and no token anywhere else. A bad token is refused in
    the handshake, and the connection is closed (4401) when its token expires. A BearerError that the app raises
    refuses or closes it, too. ``scope`` and ``claims`` are those of `secure`; the settings SCOPE and CLAIMS are for
    HTTP. ``origins``: the values of the Origin header that are let in, such as ``https://app.example.com``; None does
    not check them. Raises ValueError for requirements that make no sense, TypeError for what is no app.
    """

    def __init__(
        self,
        app: App,
        *,
        scope: str | Iterable[str] = (),
        claims: Iterable[Any] = (),
        origins: Iterable[str] | None = None,
    ) -> None:
        if isinstance(app, type) or not callable(app):
            name = getattr(app, "__name__", repr(app))
            raise TypeError(f"BearerJwtMiddleware stands around an ASGI app, such as {name}.as_asgi(); got {name}")
        self._app = app
        self._requirements = parse_requirements(scope, claims)
        self._origins = None if origins is None else parse_origins(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        handshake = read_handshake(scope)
        scope = handshake.scope  # error reports show the variables of this frame, and the server's scope has the token
        can_respond = "websocket.http.response" in (scope.get("extensions") or ())
        connection = Connection(receive, send, protocol=handshake.protocol, can_respond=can_respond)
        try:
            seconds_left = await self._authorize(handshake, connection)
            async with connection.lasting(seconds_left):
                await self._app(scope, connection.receive, connection.send)
        except BearerError as error:
            refusal = await run_awaiting(refusal_steps(handshake.request, error.with_traceback(None)))
            await connection.refuse(error, refusal)

    async def _authorize(self, handshake: Handshake, connection: Connection) -> float | None:
        """Accept the token and give the app what it reads; return for how many seconds, None for ever."""
        request = handshake.request
        if self._origins is not None and request.META.get("HTTP_ORIGIN") not in self._origins:
            raise BearerError("wrong_origin", "Connections from this origin are not accepted")
        if handshake.has_two_tokens:
            raise InvalidHandshake("two_tokens", "Token is sent in more than one place")
        state = state_of(request)
        # A resolver may use the database. Django does so at each HTTP request, Channels before each handler.
        await sync_to_async(close_old_connections)()
        try:
            await run_awaiting(acceptance_steps(request, state, self._requirements))
        except DisallowedHost:  # a proof is for a URL with a host
            raise InvalidHandshake("wrong_host", "Host is not one of this server") from None
        token = get_access_token(request)
        claims = vars(request)["claims"]  # of the request's own
        handshake.scope.update(access_token=token, claims=claims, user=request.user)
        if state.dpop_nonce:
            connection.add_header(NONCE_HEADER, state.dpop_nonce)
        return _seconds_left(token, state.runtime.settings)


def _seconds_left(token: AccessToken, settings: Settings) -> float | None:
    exp = token.claims.get("exp")
    if exp is None:
        return None
    now = unix_time() - issuer_of_verified(token, settings).leeway
    seconds: float = min(exp, now + _FOREVER) - now
    return seconds
