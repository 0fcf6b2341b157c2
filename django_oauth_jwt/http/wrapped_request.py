"""Django REST framework's request: it wraps Django's, passes on what it has not itself, and has a user of its own."""

from typing import Any

from django.http import HttpRequest, JsonResponse

from ..upstream import Steps
from .state import state_of


def unwrapped(request: Any) -> Any:
    """Return the `HttpRequest` in the request that a view was given.

    What we know is kept there, so that it is the same for all entry points, receivers and middleware.
    """
    return getattr(request, "_request", request)


def with_user_for(
    request: Any, django_request: HttpRequest, steps: Steps[JsonResponse | None] | None
) -> Steps[JsonResponse | None]:
    """Do these steps, which find the user of the `HttpRequest`, and give that user to the request of the view, too.

    There are none where the token was accepted before. DRF has made its user nobody since, in both requests, unless an
    authenticator has found one, a project's own perhaps: then that user stays, whenever the token was accepted.
    """
    refusal = None if steps is None else (yield from steps)
    known = state_of(django_request).token
    if refusal is None and known is not None and known.user is not None:
        is_authenticated = getattr(request, "successful_authenticator", None) is not None
        request.user = request.user if is_authenticated else known.user
    return refusal
