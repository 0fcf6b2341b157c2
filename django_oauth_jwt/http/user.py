"""``request.user`` and ``request.auser``: the resolver's user, for views and for the middleware before them."""

from collections.abc import Callable
from typing import Any, Final

from django.apps import apps
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from ..errors import BearerError
from .needs import User

_ATTRIBUTES: Final = ("user", "auser")


class LazyUser:
    """Gives a request the user of its token, for whom the resolver is not asked before somebody reads it.

    A token that the resolver refuses is one of an anonymous user until the request is refused. The resolver itself, and
    what it calls, sees who was there before: a history of the database wants to know who makes the new user.
    """

    __slots__ = ("_before", "_find", "_need", "_user")

    def __init__(self, request: HttpRequest, need: User) -> None:
        before: dict[str, Any] = {name: vars(request)[name] for name in _ATTRIBUTES if name in vars(request)}
        self._before, self._need = before, need
        self._find: Callable[[], Any] = lambda: _user_of(need, before)  # without `self`, which holds it
        self._user = SimpleLazyObject(self._find)
        _set(request, self._user, self.auser)

    def get(self) -> Any:
        """Get the need for the user."""
        try:
            return self._need.get()
        finally:
            self._forget()

    async def aget(self) -> Any:
        """Do as `get` does, without blocking the event loop."""
        try:
            return await self._need.aget()
        finally:
            self._forget()

    async def auser(self) -> Any:
        """Stand for Django's ``request.auser``."""
        if self._need.is_being_asked():
            before = self._before.get("auser")
            return self._find() if before is None else await before()
        try:
            return await self.aget()
        except BearerError:
            return anonymous_user()

    def withdraw(self, request: HttpRequest) -> None:
        """Give back the user from before, unless another middleware has set its own since."""
        if vars(request).get("user") is self._user:
            for name in _ATTRIBUTES:
                vars(request).pop(name, None)
            vars(request).update(self._before)

    def _forget(self) -> None:
        # Whom the resolver saw: others may have kept the lazy user.
        SimpleLazyObject.__init__(self._user, self._find)


def set_user(request: HttpRequest, user: Any) -> None:
    """Give a request its user."""

    async def auser() -> Any:
        return user

    _set(request, user, auser)


def _set(request: HttpRequest, user: Any, auser: Any) -> None:
    request.user = user
    # Else it is the session's, and an async view would act for somebody else than a sync one.
    request.auser = auser


def _user_of(need: User, before: dict[str, Any]) -> Any:
    if need.is_being_asked():
        return before["user"] if "user" in before else anonymous_user()
    try:
        return need.get()
    except BearerError:
        return anonymous_user()


def anonymous_user() -> Any:
    """Return Django's anonymous user; None in a project without `django.contrib.auth`."""
    if not apps.is_installed("django.contrib.auth"):
        return None
    from django.contrib.auth.models import AnonymousUser  # noqa: PLC0415  # cannot be imported before all apps are

    return AnonymousUser()
