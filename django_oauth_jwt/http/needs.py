"""What the steps of a request cannot get by themselves: a user, and that a signal is sent."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.dispatch import Signal
from django.http import HttpRequest

from ..errors import InvalidToken
from ..tokens import AccessToken

Resolver = Callable[[AccessToken, HttpRequest], Any]


class User:
    """The need for the user whom the project's own resolver finds for a token; InvalidToken for a token of nobody."""

    __slots__ = ("_request", "_resolver", "_token")

    def __init__(self, resolver: Resolver, token: AccessToken, request: HttpRequest) -> None:
        self._resolver = resolver
        self._token = token
        self._request = request

    def get(self) -> Any:
        """Ask the resolver."""
        user = self._resolver(self._token, self._request)
        # What is false, or Django's anonymous user, is nobody as well.
        if not user or not getattr(user, "is_authenticated", True):
            raise InvalidToken("unknown_user")
        return user

    async def aget(self) -> Any:
        """Do as `get` does, in a thread: a resolver may use the database."""
        return await sync_to_async(self.get)()


class Sent:
    """The need that a signal of a request is sent, to receivers of both kinds."""

    __slots__ = ("_named", "_request", "_signal")

    def __init__(self, signal: Signal, request: HttpRequest, **named: Any) -> None:
        self._signal = signal
        self._request = request
        self._named = named

    def get(self) -> None:
        """Send it."""
        self._signal.send_robust(type(self._request), request=self._request, **self._named)

    async def aget(self) -> None:
        """Do as `get` does, without blocking the event loop."""
        await self._signal.asend_robust(type(self._request), request=self._request, **self._named)
