"""What ninja's operations do beyond ninja: an answer gets our headers, the schema our scopes, the middleware a word.

The methods that do so take the place of ninja's own, which they call, at the end of this module.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import AsyncOperation, Operation, PathView

from ...decorators import needs_no_token
from ...errors import BearerError, MissingToken
from ...http import (
    mark_secured,
    note_scopes,
    refusal_headers,
    refusal_steps,
    scopes_of_operation,
    set_token,
    state_of,
    undo_changes,
)
from ...tokens import FLAT, AccessToken, Requirements, ScopeHierarchy
from ...upstream import run_awaiting, run_blocking
from ..openapi import definition_of, token_schemes, with_implied
from .authenticator import ASKED, BearerJwt, Refused, misplaced

_run, _arun = Operation.run, AsyncOperation.run
_get_view, _operation_security = PathView.get_view, OpenAPISchema.operation_security


@dataclass(frozen=True)
class _AnyOf(Requirements):
    """Requirements in whose place others do as well; a refusal speaks of the first."""

    others: tuple[Requirements, ...] = ()

    def check(self, access_token: AccessToken, hierarchy: ScopeHierarchy = FLAT) -> None:
        for other in self.others:
            with suppress(BearerError):
                return other.check(access_token, hierarchy)
        return super().check(access_token, hierarchy)


def _ways(callbacks: Sequence[Any]) -> list[Requirements]:
    return [one.requirements for one in callbacks if isinstance(one, BearerJwt)]


def _bind(operation: Operation) -> None:
    """Tell the authenticators of an operation of each other, and note what it requires."""
    callbacks = operation.auth_callbacks
    if BearerJwt in callbacks:
        raise misplaced(BearerJwt)
    ways = _ways(callbacks)
    if ways:
        first, *others = ways
        required = _AnyOf(first.scopes, first.claims, tuple(others)) if others else first
        operation.auth_callbacks = [
            one.bound_to(operation, required, is_last=one is callbacks[-1]) if isinstance(one, BearerJwt) else one
            for one in callbacks
        ]
        note_scopes(operation, first.scopes)
    vars(operation)["oauth_jwt_token_required"] = not needs_no_token(operation.view_func)
    handlers: dict[Any, Any] = operation.api._exception_handlers  # noqa: SLF001  # the project's own come first
    handlers.setdefault(Refused, _response_of)
    handlers.setdefault(BearerError, _raise)


def _response_of(request: HttpRequest, refused: Refused) -> HttpResponse:
    return refused.response


def _raise(request: HttpRequest, error: BearerError) -> HttpResponse:
    raise error


def get_view(path_view: PathView) -> Any:
    """Return the view of a path, which tells the middleware what its operations require."""

    def find(request: HttpRequest) -> Operation | None:
        return next((one for one in path_view.operations if request.method in one.methods), None)

    for operation in path_view.operations:
        _bind(operation)
    view: Any = _get_view(path_view)
    view.oauth_jwt_operation = find
    return view


def run(operation: Operation, request: HttpRequest, **values: Any) -> HttpResponseBase:
    """Answer a request, inside whatever decorates the operation: a cache must know that responses vary by token."""
    _begin(operation, request)
    try:
        return _finished(operation, request, _run(operation, request, **values))
    except BearerError as error:
        undo_changes()
        return run_blocking(refusal_steps(request, error.with_traceback(None)))


async def arun(operation: AsyncOperation, request: HttpRequest, **values: Any) -> HttpResponseBase:
    """Do as `run` does."""
    _begin(operation, request)
    try:
        return _finished(operation, request, await _arun(operation, request, **values))
    except BearerError as error:
        return await run_awaiting(refusal_steps(request, error.with_traceback(None)))


def _begin(operation: Operation, request: HttpRequest) -> None:
    """Give the request what an operation reads: another authenticator may know it before a `BearerJwt` is asked."""
    if _ways(operation.auth_callbacks) and "access_token" not in vars(request):
        set_token(request, None)


def _finished(operation: Operation, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return an answer with the headers of a secured one."""
    if not (hasattr(request, ASKED) or _ways(operation.auth_callbacks)):
        return response
    state = state_of(request)
    theirs = response.headers.get("WWW-Authenticate", "")
    is_ninjas = response.status_code == MissingToken.status and not theirs.startswith(("Bearer", "DPoP"))
    if is_ninjas and getattr(request, "auth", None) is None:  # no authenticator knew the request
        scopes = scopes_of_operation(request, state)
        headers = refusal_headers(MissingToken(), state.runtime.settings, request=request, scopes=scopes)
        headers["WWW-Authenticate"] += f", {theirs}" if theirs else ""
        for name, value in headers.items():
            response.headers[name] = value
    return mark_secured(response, state)


def operation_security(schema: OpenAPISchema, operation: Operation) -> list[dict[str, Any]] | None:
    """Return the alternatives of an operation: for each way in its scopes, which OpenAPI 3.1 lets an HTTP scheme have.

    `BearerJwt` has no ``openapi_security_schema``, so ninja itself lists the other authenticators alone.
    """
    others, ways = _operation_security(schema, operation), _ways(operation.auth_callbacks)
    if not ways:
        return others
    schemes = token_schemes()
    schema.securitySchemes.update({name: definition_of(name) for name in schemes})
    ours = [{name: [*scopes]} for scopes in with_implied(way.scopes for way in ways) for name in schemes]
    return [*ours, *(others or [])]


Operation.run = run  # type: ignore[method-assign,assignment]
AsyncOperation.run = arun  # type: ignore[method-assign,assignment]
PathView.get_view = get_view  # type: ignore[method-assign,assignment]
OpenAPISchema.operation_security = operation_security  # type: ignore[method-assign,assignment]
