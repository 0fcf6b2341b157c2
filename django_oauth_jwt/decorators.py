"""The decorators: a token for one view, with scopes and claims, or none for one view."""

from collections.abc import Callable, Iterable
from functools import partial, wraps
from importlib import import_module
from inspect import unwrap
from types import CodeType
from typing import Any, Final, ParamSpec, TypeVar

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .conf import require_key_service
from .errors import BearerError
from .http import (
    authorize,
    is_header_text,
    mark_secured,
    note_scopes,
    refusal_steps,
    state_of,
    undo_changes,
    unwrapped,
    with_user_for,
)
from .jwks import KeyService
from .tokens import IF_NINJA, INSTEAD, parse_requirements
from .upstream import Steps, run_awaiting, run_blocking

__all__ = ["secure", "token_not_required"]

P = ParamSpec("P")
T = TypeVar("T")
View = TypeVar("View", bound=Callable[..., Any])
#: Those that lead to the refusal of a request; None where it may pass.
_StepsOf = Callable[[HttpRequest], Steps[HttpResponseBase | None] | None]

#: django-ninja calls these functions with each operation that it makes of a function; decorators hand them on.
_OF_NINJA: Final = "_ninja_contribute_to_operation"

#: The methods of a class that answer one HTTP method each: the middleware asks the class, which has them called.
_HANDLERS: Final = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "trace"})
#: The methods of DRF's view sets that do so. A function in a class may have such a name and be a view itself.
_ACTIONS: Final = frozenset({"list", "create", "retrieve", "update", "partial_update", "destroy"})


def _with_parentheses(decorator: Callable[P, T]) -> Callable[P, T]:
    @wraps(decorator)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        if args and callable(args[0]):
            raise TypeError("secure stands with parentheses: @secure(), or secure()(view)")
        if args and hasattr(args[0], "META"):
            raise TypeError(f"secure makes a decorator for views, and takes no request: {IF_NINJA}")
        if args:
            raise TypeError(f"secure takes keywords: secure(scope={args[0]!r})")
        return decorator(*args, **kwargs)

    return call


def _without_parentheses(decorator: Callable[P, T]) -> Callable[P, T]:
    @wraps(decorator)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        if not args and not kwargs:
            raise TypeError("token_not_required stands without parentheses: @token_not_required")
        return decorator(*args, **kwargs)

    return call


@_with_parentheses
def secure(
    *,
    scope: str | Iterable[str] = (),
    claims: Iterable[Any] = (),
    realm: str | None = None,
    jwks_service: KeyService | None = None,
) -> Callable[[View], View]:
    """Require a bearer token of a view, sync or async, function or (with `method_decorator`) class.

    ``scope``: scopes that must all be granted, as a list or a space-separated string. ``claims``: a list of
    names or of ``{"name": ..., "value": ...}``. ``realm``: the challenge's, instead of the setting's; also that of the
    middleware and of DRF where they refuse a request for this view. ``jwks_service``: where the keys are, instead of
    the settings'; where it has an ``issuer``, the token must be of that one. The view is called with
    ``request.claims`` and ``request.access_token``, and is exempt from CSRF checks, since browsers never send the
    header by themselves. A BearerError that the view raises is answered like our own. Raises ValueError for
    requirements that make no sense, TypeError where it stands without its parentheses or on what is no view, or for a
    ``jwks_service`` that is none.
    """
    if realm is not None and not (isinstance(realm, str) and is_header_text(realm)):
        raise ValueError(f"realm {realm!r} must be a string of printable ASCII")
    if jwks_service is not None:
        require_key_service(jwks_service)
    requirements = parse_requirements(scope, claims)

    def steps(request: HttpRequest) -> Steps[HttpResponseBase | None] | None:
        _require_request(request)
        inner = unwrapped(request)
        needed = authorize(inner, state_of(inner), requirements, realm=realm, jwks_service=jwks_service)
        return needed if inner is request else with_user_for(request, inner, needed)

    def decorate(view: View) -> View:
        _require_view("secure(...)", view)
        secured = _secured(view, steps, realm)
        note_scopes(secured, requirements.scopes, realm)
        return secured

    return decorate


def _secured(view: View, steps: _StepsOf, realm: str | None) -> View:
    """Return the view behind the steps that authorize a request."""

    async def acall(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            needed = steps(request)
            refusal = None if needed is None else await run_awaiting(needed)
            return refusal or _secured_response(request, view, await view(request, *args, **kwargs))
        except BearerError as error:
            return await run_awaiting(refusal_steps(unwrapped(request), error, realm=realm))

    def call(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            needed = steps(request)
            refusal = None if needed is None else run_blocking(needed)
            return refusal or _secured_response(request, view, view(request, *args, **kwargs))
        except BearerError as error:
            undo_changes()
            return run_blocking(refusal_steps(unwrapped(request), error, realm=realm))

    secured: Any = wraps(view)(acall if _is_async(view) else call)
    secured.csrf_exempt = True
    setattr(secured, _OF_NINJA, [_refuse_operation])
    return secured  # type: ignore[no-any-return]  # it is called as the view is


@_without_parentheses
def token_not_required(view: View) -> View:
    """Exempt a view from `JwtBearerMiddleware`; on a class by `method_decorator`, with ``name="dispatch"``.

    On a function of DRF it stands above ``@api_view``, on an operation of django-ninja below ``@api.get(...)``. The
    view that was given stays secured, wherever else it is used. Raises TypeError where it stands with parentheses, or
    on what is no view.
    """
    _require_view("token_not_required", view)
    _refuse_handler(view)

    def have_ninja_tell(operation: object) -> None:
        import_module("django_oauth_jwt.contrib.ninja")  # the middleware meets the view of all operations of a path

    def call(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    exempt: Any = wraps(view)(markcoroutinefunction(call) if iscoroutinefunction(view) else call)
    exempt.oauth_jwt_token_required = False
    setattr(exempt, _OF_NINJA, [*getattr(view, _OF_NINJA, ()), have_ninja_tell])
    return exempt  # type: ignore[no-any-return]  # it is called as the view is


def needs_no_token(view: object) -> bool:
    """Tell whether a view, or an operation of one, is exempt from the middleware."""
    return not getattr(view, "oauth_jwt_token_required", True)


def _require_view(decorator: str, view: object) -> None:
    if isinstance(view, type):
        remedy = f'@method_decorator({decorator}, name="dispatch")'
        if hasattr(view, "authentication_classes") and decorator.startswith("secure"):
            remedy = f"BearerJwtAuthentication in authentication_classes, HasScope in permission_classes, or {remedy}"
        raise TypeError(f"{decorator} stands on views, {view.__name__} is a class: {remedy}")
    if getattr(view, "__name__", "") == "as_view":
        raise TypeError(f"{decorator} stands on views: write as_view() with its parentheses")
    if not callable(view):
        remedy = IF_NINJA if hasattr(view, "META") else f"{decorator}(view)"
        raise TypeError(f"{decorator} stands on views, got a {type(view).__name__}: {remedy}")
    if "_ninja_operation" in getattr(view, "__dict__", ()):
        remedy = INSTEAD if decorator.startswith("secure") else f"{decorator} stands below it"
        raise TypeError(f"{decorator} above an operation of django-ninja changes nothing: {remedy}")


def _refuse_operation(operation: Any) -> None:
    name = operation.view_func.__qualname__
    raise TypeError(f"secure stands on Django's views, {name} is an operation of django-ninja: {INSTEAD}")


def _refuse_handler(view: Callable[..., Any]) -> None:
    owner, _, name = getattr(view, "__qualname__", "").rpartition(".")
    is_action = hasattr(view, "mapping") or (name in _ACTIONS and _takes_self(view))  # `@action` gives it a mapping
    is_handler = name in _HANDLERS or is_action
    if is_handler and owner and not owner.endswith("<locals>") and not _is_bound(view):
        remedy = '@method_decorator(token_not_required, name="dispatch")'
        raise TypeError(f"token_not_required on one method of a class changes nothing: {remedy} on {owner}")


def _is_bound(view: Callable[..., Any]) -> bool:
    """Tell whether a view is a method of one object, or wraps such a method: the URLconf calls it by itself."""
    return hasattr(unwrap(view), "__self__")


def _takes_self(view: Callable[..., Any]) -> bool:
    code = getattr(unwrap(view), "__code__", None)
    return isinstance(code, CodeType) and code.co_varnames[:1] == ("self",)


def _require_request(request: object) -> None:
    if not hasattr(request, "META"):
        kind = type(request).__name__
        raise TypeError(f"secure got a {kind} for a request; a method wants @method_decorator(secure(...))")


def _secured_response(request: HttpRequest, view: Callable[..., Any], returned: Any) -> HttpResponseBase:
    if isinstance(returned, HttpResponseBase):
        return mark_secured(returned, state_of(unwrapped(request)))
    name = getattr(view, "__qualname__", repr(view))
    kind = type(returned).__name__
    raise TypeError(f"secure stands on views that return an HttpResponse; {name} returned a {kind}")


def _is_async(view: Callable[..., Any]) -> bool:
    if iscoroutinefunction(view):
        return True
    # The `dispatch` of a class with async handlers is a plain method that returns a coroutine. What
    # `method_decorator` hands over is a partial of it, and other decorators may have wrapped that.
    method = unwrap(view, stop=lambda wrapper: isinstance(wrapper, partial))
    owner = getattr(getattr(method, "func", method), "__self__", None)
    return bool(getattr(owner, "view_is_async", False))
