"""The decorators: a token for one view, with scopes and claims, or none for one view."""

from collections.abc import Callable, Iterable
from functools import partial, wraps
from inspect import unwrap
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .http import authorization_steps, is_header_text, mark_secured, state_of
from .jwks import KeyService
from .tokens import Requirements, parse_claims, parse_scopes
from .upstream import Steps, run_awaiting, run_blocking

View = TypeVar("View", bound=Callable[..., Any])


def secure(
    *,
    scope: str | Iterable[str] = (),
    claims: Iterable[Any] = (),
    realm: str | None = None,
    jwks_service: KeyService | None = None,
) -> Callable[[View], View]:
    """Require a bearer token of a view, sync or async, function or (with `method_decorator`) class.

    ``scope``: scopes that must all be granted, as a list or a space-separated string. ``claims``: a list of
    names or of ``{"name": ..., "value": ...}``. ``realm``: the challenge's, instead of the setting's.
    ``jwks_service``: where the keys are, instead of the settings'; where it has an ``issuer``, the token must be
    of that one. The view is called with ``request.claims`` and ``request.access_token``, and is exempt from CSRF
    checks, since browsers never send the header by themselves. Raises ValueError for requirements that make no
    sense.
    """
    if realm is not None and not is_header_text(realm):
        raise ValueError(f"realm {realm!r} must be printable ASCII")
    requirements = Requirements(parse_scopes(scope), parse_claims(claims))

    def steps(request: HttpRequest) -> Steps[HttpResponseBase | None]:
        _require_request(request)
        return authorization_steps(request, state_of(request), requirements, realm=realm, jwks_service=jwks_service)

    def decorate(view: View) -> View:
        async def acall(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            refusal = await run_awaiting(steps(request))
            return refusal or mark_secured(await view(request, *args, **kwargs))

        def call(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            refusal = run_blocking(steps(request))
            return refusal or mark_secured(view(request, *args, **kwargs))

        secured: Any = wraps(view)(acall if _is_async(view) else call)
        secured.csrf_exempt = True
        return secured  # type: ignore[no-any-return]  # it is called as the view is

    return decorate


def token_not_required(view: View) -> View:
    """Exempt a view from `JwtBearerMiddleware`; on a class by `method_decorator`, with ``name="dispatch"``.

    The view that was given stays secured, wherever else it is used. Raises TypeError for a class.
    """
    if isinstance(view, type):
        raise TypeError('token_not_required on a class: @method_decorator(token_not_required, name="dispatch")')

    def call(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    exempt: Any = wraps(view)(markcoroutinefunction(call) if iscoroutinefunction(view) else call)
    exempt.oauth_jwt_token_required = False
    return exempt  # type: ignore[no-any-return]  # it is called as the view is


def needs_no_token(view: Callable[..., Any]) -> bool:
    """Tell whether a view is exempt from the middleware."""
    return not getattr(view, "oauth_jwt_token_required", True)


def _require_request(request: object) -> None:
    if not hasattr(request, "META"):
        kind = type(request).__name__
        raise TypeError(f"secure got a {kind} for a request; a method wants @method_decorator(secure(...))")


def _is_async(view: Callable[..., Any]) -> bool:
    if iscoroutinefunction(view):
        return True
    # The `dispatch` of a class with async handlers is a plain method that returns a coroutine. What
    # `method_decorator` hands over is a partial of it, and other decorators may have wrapped that.
    method = unwrap(view, stop=lambda wrapper: isinstance(wrapper, partial))
    owner = getattr(getattr(method, "func", method), "__self__", None)
    return bool(getattr(owner, "view_is_async", False))
