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

    A token that the resolver refuses is one of an anonymous user until the request is refused.
    """

    __slots__ = ("_before", "_user")

    def __init__(self, request: HttpRequest, need: User) -> None:
        self._before: dict[str, Any] = {name: vars(request)[name] for name in _ATTRIBUTES if name in vars(request)}
        self._user = SimpleLazyObject(lambda: _user_or_anonymous(need))

        async def auser() -> Any:
            try:
                return await need.aget()
            except BearerError:
                return anonymous_user()

        _set(request, self._user, auser)

    def withdraw(self, request: HttpRequest) -> None:
        """Give back the user from before, unless another middleware has set its own since."""
        if vars(request).get("user") is self._user:
            for name in _ATTRIBUTES:
                vars(request).pop(name, None)
            vars(request).update(self._before)


def set_user(request: HttpRequest, user: Any) -> None:
    """Give a request its user."""

    async def auser() -> Any:
        return user

    _set(request, user, auser)


def _set(request: HttpRequest, user: Any, auser: Any) -> None:
    request.user = user
    # Else it is the session's, and an async view would act for somebody else than a sync one.
    request.auser = auser


def _user_or_anonymous(need: User) -> Any:
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
