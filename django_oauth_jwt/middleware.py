"""The middleware: every view needs a token, but for the paths and views that are exempt."""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .conf import Settings, get_settings
from .decorators import needs_no_token
from .errors import BearerError
from .http import aauthenticate, authenticate, averify_request, mark_secured, refuse, verify_request


class JwtBearerMiddleware:
    """Require a bearer token; native sync and async.

    The token is verified at once, for whoever comes next in the chain. Whether the request is refused is decided
    when the view is known, as `LoginRequiredMiddleware` does, so that `token_not_required` can exempt it. An answer
    that came from no view (another middleware's, or for a URL that leads nowhere) needs a token as well. Settings:
    SCOPE, CLAIMS, PROTECTED_PATHS, EXEMPT_PATHS, REALM.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
            if type(self).process_view is JwtBearerMiddleware.process_view:  # not a subclass's own, which must be heard
                # Django looks at the hook to see whether to await it; a sync one would go through a thread.
                self.process_view = self._aprocess_view  # type: ignore[method-assign,assignment]

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer a request; return a coroutine under ASGI."""
        if self._is_async:
            return self.__acall__(request)
        settings = get_settings()
        if not _is_secured(request, settings):
            return self.get_response(request)  # type: ignore[no-any-return]  # whatever Django has there
        verify_request(request, settings)  # whether that decides anything is known when the view is
        response: HttpResponseBase = self.get_response(request)
        if _verdict_of(request) is _Verdict.UNDECIDED:
            response = _refusal(request, settings) or response
        return _finish(request, response)

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        settings = get_settings()
        if not _is_secured(request, settings):
            return await self.get_response(request)  # type: ignore[no-any-return]  # as above
        await averify_request(request, settings)
        response: HttpResponseBase = await self.get_response(request)
        if _verdict_of(request) is _Verdict.UNDECIDED:
            response = await _arefusal(request, settings) or response
        return _finish(request, response)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Refuse a request to a secured view, or let it pass (None)."""
        settings = get_settings()
        return _refusal(request, settings) if _needs_token(request, view, settings) else None

    async def _aprocess_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        settings = get_settings()
        return await _arefusal(request, settings) if _needs_token(request, view, settings) else None


class _Verdict(Enum):
    """Whether a request needs a token, as far as that is known."""

    UNDECIDED = "its path does, its view is not known yet"
    EXEMPT = "its path or its view does not"
    SECURED = "it does"


def _verdict_of(request: HttpRequest) -> _Verdict | None:
    return getattr(request, "_oauth_jwt_verdict", None)


def _is_secured(request: HttpRequest, settings: Settings) -> bool:
    """Tell whether the path of a request is secured, and note it."""
    is_secured = settings.secures_path(request.path_info)
    request._oauth_jwt_verdict = (  # type: ignore[attr-defined]
        _Verdict.UNDECIDED if is_secured else _Verdict.EXEMPT
    )
    return is_secured


def _needs_token(request: HttpRequest, view: Callable[..., Any], settings: Settings) -> bool:
    """Tell whether a request to this view needs a token, and note it for when the answer is there."""
    # The path is looked at again, since another middleware may have changed it.
    exempt = needs_no_token(view) or not settings.secures_path(request.path_info)
    request._oauth_jwt_verdict = _Verdict.EXEMPT if exempt else _Verdict.SECURED  # type: ignore[attr-defined]
    return not exempt


def _refusal(request: HttpRequest, settings: Settings) -> HttpResponseBase | None:
    """Return the refusal of a request, None where its token is good."""
    try:
        authenticate(request, settings, settings.requirements)
    except BearerError as error:
        return refuse(error)
    _exempt_from_csrf_checks(request)
    return None


async def _arefusal(request: HttpRequest, settings: Settings) -> HttpResponseBase | None:
    try:
        await aauthenticate(request, settings, settings.requirements)
    except BearerError as error:
        return refuse(error)
    _exempt_from_csrf_checks(request)
    return None


def _exempt_from_csrf_checks(request: HttpRequest) -> None:
    # No other site can make a browser send this header, so there is nothing left for CSRF checks to check.
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]


def _finish(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    return response if _verdict_of(request) is _Verdict.EXEMPT else mark_secured(response)
