"""Which scopes the operation takes that a request is for, whoever requires them.

The challenge names all of them at once (RFC 6750 section 3): a client that learns of one at a time asks the user again
and again.
"""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest

from ..tokens import AccessToken
from .state import RequestState

View = Callable[..., Any]
#: Returns the scopes that a view will require of a request; the token is the one that it brings, if that is a good one.
ScopeFinder = Callable[[View, HttpRequest, AccessToken | None], tuple[str, ...]]

_SCOPES: Final = "oauth_jwt_scopes"
_finders: Final[list[ScopeFinder]] = []


def find_scopes_with(finder: ScopeFinder) -> None:
    """Have a framework's views asked for their scopes, too."""
    _finders.append(finder)


def note_scopes(secured: Any, view: View, scopes: tuple[str, ...]) -> None:
    """Note what a decorated view requires: these scopes, and those of the view that it decorates."""
    setattr(secured, _SCOPES, (*scopes, *getattr(view, _SCOPES, ())))


def scopes_of_operation(request: HttpRequest, state: RequestState) -> tuple[str, ...]:
    """Return the scopes that were required of the request so far, and those that its view will require."""
    scopes = [*state.required_scopes]
    if request.resolver_match is not None:
        view = request.resolver_match.func
        scopes += getattr(view, _SCOPES, ())
        for finder in _finders:
            scopes += finder(view, request, state.good_token)
    return tuple(dict.fromkeys(scopes))
