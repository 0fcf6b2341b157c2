"""The middleware: every view needs a token, except the paths and views that are exempt."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .decorators import needs_no_token
from .errors import BearerError
from .http import (
    Protection,
    RequestState,
    RequestToken,
    View,
    authorize,
    mark_secured,
    operation_of,
    refusal_steps,
    set_token,
    state_of,
    token_or_steps,
)
from .tokens import refuse_request
from .upstream import Steps, run_awaiting, run_blocking

__all__ = ["JwtBearerMiddleware"]


class JwtBearerMiddleware:
    """Require a bearer token; native sync and async.

    The token is verified at once, for what comes next in the chain. Whether the request is refused is decided
    when the view is known, as `LoginRequiredMiddleware` does, so that `token_not_required` can exempt it. An answer
    that came from no view (another middleware's, or for a URL that leads nowhere) needs a token as well. Settings:
    SCOPE, CLAIMS, PROTECTED_PATHS, EXEMPT_PATHS, REALM.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        refuse_request(type(self), get_response)
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
            if type(self).process_view is JwtBearerMiddleware.process_view:  # keep a subclass's own method
                # Django looks at the hook to see whether to await it; a sync one would go through a thread.
                self.process_view = self._aprocess_view  # type: ignore[method-assign,assignment]

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer a request; return a coroutine under ASGI."""
        if self._is_async:
            return self.__acall__(request)
        state = state_of(request)
        steps = _begin(request, state)
        if steps is not None:
            run_blocking(steps)
        response: HttpResponseBase = self.get_response(request)
        steps = _decide_without_view(request, state)
        if steps is not None:
            refusal = run_blocking(steps)
            response = refusal or response
        return _finish(state, response)

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        state = state_of(request)
        steps = _begin(request, state)
        if steps is not None:
            await run_awaiting(steps)
        response: HttpResponseBase = await self.get_response(request)
        steps = _decide_without_view(request, state)
        if steps is not None:
            refusal = await run_awaiting(steps)
            response = refusal or response
        return _finish(state, response)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answer a BearerError that a view raised; any other error is the project's (None)."""
        return run_blocking(refusal_steps(request, exception)) if isinstance(exception, BearerError) else None

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Refuse a request to a secured view, or let it pass (None)."""
        steps = _decide(request, view)
        return None if steps is None else run_blocking(steps)

    async def _aprocess_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        steps = _decide(request, view)
        return None if steps is None else await run_awaiting(steps)


def _begin(request: HttpRequest, state: RequestState) -> Steps[Any] | None:
    """Note whether the path is secured, and what its token is worth; return the steps that this takes, if any.

    Whether the token decides anything is known when the view is.
    """
    if not state.runtime.settings.secures_path(request.path_info):
        state.protection = Protection.PATH_EXEMPT
        set_token(request, None)  # an exempt view reads the same attributes, whichever path it has
        return None
    state.protection = Protection.UNDECIDED
    found = token_or_steps(request, state)
    return None if isinstance(found, RequestToken) else found


def _decide(request: HttpRequest, view: View) -> Steps[HttpResponseBase | None] | None:
    """Note whether a request to this view needs a token; return the steps to its refusal, None where it may pass."""
    state = state_of(request)
    # The path is checked again, since another middleware may have changed it.
    is_exempt = needs_no_token(view) or needs_no_token(operation_of(view, request))
    if is_exempt or not state.runtime.settings.secures_path(request.path_info):
        state.protection = Protection.EXEMPT
        if state.token is not None and state.token.lazy_user is not None:
            state.token.lazy_user.withdraw(request)  # nobody asks whether the token is one of nobody
        return None
    state.protection = Protection.SECURED
    return _authorization(request, state)


def _decide_without_view(request: HttpRequest, state: RequestState) -> Steps[HttpResponseBase | None] | None:
    """Note whether an answer that came from no view needs a token; return the steps to the refusal, None for none.

    A path that another middleware has changed needs one if it needed one before, or does now.
    """
    is_undecided = state.protection is Protection.UNDECIDED
    was_exempt = state.protection is Protection.PATH_EXEMPT
    if is_undecided or (was_exempt and state.runtime.settings.secures_path(request.path_info)):
        state.protection = Protection.SECURED
        return _authorization(request, state)
    return None


def _authorization(request: HttpRequest, state: RequestState) -> Steps[HttpResponseBase | None] | None:
    steps = authorize(request, state, state.runtime.settings.requirements)
    if steps is not None:
        return _without_csrf_checks(request, steps)
    _exempt_from_csrf_checks(request)
    return None


def _without_csrf_checks(request: HttpRequest, steps: Steps[HttpResponseBase | None]) -> Steps[HttpResponseBase | None]:
    refusal = yield from steps
    if refusal is None:
        _exempt_from_csrf_checks(request)
    return refusal


def _exempt_from_csrf_checks(request: HttpRequest) -> None:
    # No other site can make a browser send the token, so there is nothing left for CSRF checks to check.
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]


def _finish(state: RequestState, response: HttpResponseBase) -> HttpResponseBase:
    is_for_all = state.protection is not Protection.SECURED and state.good_token is None
    return response if is_for_all else mark_secured(response, state)
