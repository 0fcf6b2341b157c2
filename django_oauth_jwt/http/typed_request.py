"""The token of a request as type checkers see it: a type to annotate a view with, and a function for any request."""

from typing import Any, Protocol

from django.http import HttpRequest

from ..errors import MissingToken
from ..tokens import AccessToken


class BearerRequest(HttpRequest):
    """A request with an accepted token, to annotate a view with.

    >>> @secure()
    ... def whoami(request: BearerRequest) -> HttpResponse:
    ...     return HttpResponse(request.access_token.subject)

    It is for type checkers alone: the request that a view gets is Django's own, with these attributes set.
    """

    claims: dict[str, Any]
    access_token: AccessToken


class WrappedRequest(Protocol):
    """Django REST framework's ``Request`` for type checkers: it has all attributes of the one that it wraps."""

    _request: Any


def get_access_token(request: HttpRequest | WrappedRequest) -> AccessToken:
    """Return the access token of a request, Django's or Django REST framework's.

    It is ``request.auth`` where that is one, else ``request.access_token``. Raises MissingToken where neither is
    there, as in a view that needs no token.
    """
    for name in ("auth", "access_token"):
        token = getattr(request, name, None)
        if isinstance(token, AccessToken):
            return token
    raise MissingToken
