"""The middleware: every view needs a token, but for the paths and views that are exempt."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .answers import mark_secured, refuse
from .conf import get_settings
from .conf_rules import Settings
from .decorators import needs_no_token
from .errors import BearerError
from .request import aauthenticate, authenticate


class JwtBearerMiddleware:
    """Require a bearer token; native sync and async.

    The token is checked when the view is known, as `LoginRequiredMiddleware` does, so that
    `token_not_required` can exempt it. Settings: SCOPE, CLAIMS, PROTECTED_PATHS (searched for in the
    path), EXEMPT_PATHS (match from the path's beginning), REALM.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
            # Django looks at the hook to see whether to await it; a sync one would go through a thread.
            self.process_view = self._aprocess_view  # type: ignore[method-assign,assignment]

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer a request, on either side of Django's two worlds."""
        if self._is_async:
            return self.__acall__(request)
        return _finish(request, self.get_response(request))

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        return _finish(request, await self.get_response(request))

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Refuse a request to a secured view, or let it pass (None)."""
        settings = get_settings()
        if not _is_secured(request, view, settings):
            return None
        try:
            authenticate(request, settings, settings.requirements)
        except BearerError as error:
            return refuse(error)
        _pass(request)
        return None

    async def _aprocess_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        settings = get_settings()
        if not _is_secured(request, view, settings):
            return None
        try:
            await aauthenticate(request, settings, settings.requirements)
        except BearerError as error:
            return refuse(error)
        _pass(request)
        return None


def _is_secured(request: HttpRequest, view: Callable[..., Any], settings: Settings) -> bool:
    if needs_no_token(view):
        return False
    if not (settings.protected_paths or settings.exempt_paths):
        return True
    # A dot matches no line break, and "$" matches before one: seen by the patterns, it is a character as any other.
    path = request.path_info.replace("\n", "\r")
    # Each list errs to the safe side: a pattern protects wherever it is found, and exempts from "/" on only.
    if settings.protected_paths and not any(pattern.search(path) for pattern in settings.protected_paths):
        return False
    return not any(pattern.match(path) for pattern in settings.exempt_paths)


def _pass(request: HttpRequest) -> None:
    request._oauth_jwt_secured = True  # type: ignore[attr-defined]
    # No other site can make a browser send this header, so there is nothing left for CSRF checks to check.
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]


def _finish(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    return mark_secured(response) if hasattr(request, "_oauth_jwt_secured") else response
