"""``request.user`` and ``request.auser``: the resolver's user, for views and for the middleware before them."""

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

    __slots__ = ("_before", "_need", "_user")

    def __init__(self, request: HttpRequest, need: User) -> None:
        before: dict[str, Any] = {name: vars(request)[name] for name in _ATTRIBUTES if name in vars(request)}
        self._before, self._need = before, need
        self._user = _Lazy(need, before)
        _set(request, self._user, self.auser)

    def get(self) -> Any:
        """Get the need for the user."""
        return self._need.get()

    async def aget(self) -> Any:
        """Do as `get` does, without blocking the event loop."""
        return await self._need.aget()

    async def auser(self) -> Any:
        """Stand for Django's ``request.auser``."""
        if self._need.is_being_asked():
            before = self._before.get("auser")
            return _user_before(self._before) if before is None else await before()
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


class _Lazy(SimpleLazyObject):  # type: ignore[type-arg]  # it has none at run time
    """The user, found at first use; for the resolver, and for nobody else meanwhile, the user from before."""

    def __init__(self, need: User, before: dict[str, Any]) -> None:
        self.__dict__.update(_need=need, _before=before)
        super().__init__(lambda: _user_of(need))

    @property
    def _wrapped(self) -> Any:
        # Django keeps there whom it has found, and would give it to other threads and tasks of the request as well.
        found = self.__dict__
        return _user_before(found["_before"]) if found["_need"].is_being_asked() else found["_wrapped"]


def set_user(request: HttpRequest, user: Any) -> None:
    """Give a request its user."""

    async def auser() -> Any:
        return user

    _set(request, user, auser)


def _set(request: HttpRequest, user: Any, auser: Any) -> None:
    request.user = user
    # Else it is the session's, and an async view would act for somebody else than a sync one.
    request.auser = auser


def _user_before(before: dict[str, Any]) -> Any:
    return before["user"] if "user" in before else anonymous_user()


def _user_of(need: User) -> Any:
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
