"""What the steps of a request cannot get by themselves: a user, and that a signal is sent."""

from collections.abc import Callable
from contextvars import ContextVar
from copy import copy
from inspect import isawaitable
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.dispatch import Signal
from django.http import HttpRequest

from ..errors import BearerError, InvalidToken
from ..signals import NEVER_WAITS
from ..tokens import AccessToken

Resolver = Callable[[AccessToken, HttpRequest], Any]

#: The users for whom a resolver is being asked by this thread or task, whatever it calls meanwhile.
_being_asked: Final[ContextVar[tuple["User", ...]]] = ContextVar("django_oauth_jwt_being_asked", default=())


class User:
    """The need for the user whom the project's own resolver finds for a token; it is asked once.

    InvalidToken for a token of nobody, or the BearerError that the resolver raises.
    """

    __slots__ = ("_arguments", "_outcome", "_resolver")

    def __init__(self, resolver: Resolver, token: AccessToken, request: HttpRequest) -> None:
        self._resolver = resolver
        self._arguments: tuple[AccessToken, HttpRequest] | None = (token, request)
        self._outcome: Any = None

    def get(self) -> Any:
        """Ask the resolver, unless that was done before."""
        if self._arguments is not None:
            self._outcome = self._ask(*self._arguments)
            self._arguments = None  # the request holds what this is for
        if isinstance(self._outcome, BearerError):
            raise copy(self._outcome)  # what is raised gets a traceback, and that one would hold the request
        return self._outcome

    def is_being_asked(self) -> bool:
        """Tell whether it is the resolver, or what it calls, who wants to know."""
        return self in _being_asked.get()

    async def aget(self) -> Any:
        """Do as `get` does, in a thread: a resolver may use the database."""
        return await sync_to_async(self.get)() if self._arguments is not None else self.get()

    def _ask(self, token: AccessToken, request: HttpRequest) -> Any:
        before = _being_asked.set((*_being_asked.get(), self))
        try:
            user = self._resolver(token, request)
        except BearerError as error:
            return error.with_traceback(None)
        except StopIteration as error:  # it would end the steps, and a future cannot hold it
            raise RuntimeError("USER_RESOLVER raised StopIteration") from error
        finally:
            _being_asked.reset(before)
        if isawaitable(user) or isinstance(user, tuple):  # true in Python, whether or not there is a user in it
            raise TypeError(f"USER_RESOLVER must return a user or None, not a {type(user).__name__}")
        # What is false, or Django's anonymous user, is nobody as well.
        is_somebody = user and getattr(user, "is_authenticated", True)
        return user if is_somebody else InvalidToken("unknown_user")


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
        if self._never_waits():
            self.get()
        else:
            await self._signal.asend_robust(type(self._request), request=self._request, **self._named)

    def _never_waits(self) -> bool:
        # What Django itself asks when it sends: the sync receivers and the async ones.
        receivers, async_receivers = self._signal._live_receivers(type(self._request))  # noqa: SLF001
        return not async_receivers and all(getattr(receiver, NEVER_WAITS, False) for receiver in receivers)
