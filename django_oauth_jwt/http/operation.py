"""The scopes that the requested operation requires, from settings, decorators and permissions together; its realm.

The challenge names all of them at once (RFC 6750 section 3): a client that learns of one at a time asks the user again
and again.
"""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPMethod
from itertools import chain, count
from types import MappingProxyType
from typing import Any, Final

from django.http import HttpRequest

from ..tokens import AccessToken
from .state import RequestState

View = Callable[..., Any]
#: Returns the scopes that a view will require of a request; the token is the one that it brings, if that is a good one.
#: It must not run the project's code: the request is refused already.
ScopeFinder = Callable[[View, HttpRequest, AccessToken | None], tuple[str, ...]]

#: How the attributes begin that tell what a decorated view requires. Each has a name of its own: decorators copy the
#: attributes of what they decorate, and one name would stand for the last of several.
_REQUIRED: Final = "oauth_jwt_requires "
#: The attributes of an object, and of a class; not `Mapping`, which takes several times as long to tell.
_NAMESPACES: Final = (dict, MappingProxyType)
#: A client may send any word as the method, such as the name of another attribute of the class.
_METHODS: Final = frozenset(method.lower() for method in HTTPMethod)
#: What is noted later decorates what was noted before. The order of the attributes does not tell: Django's
#: `method_decorator` copies those of a list of decorators from the last to the first.
_notes: Final = count()
_finders: Final[list[ScopeFinder]] = []


def find_scopes_with(finder: ScopeFinder) -> None:
    """Have a framework's views asked for their scopes, too."""
    _finders.append(finder)


def note_scopes(secured: object, scopes: tuple[str, ...], realm: str | None = None) -> None:
    """Note what a decorated view, or an operation, requires, beside what was noted on the view that it decorates.

    ``realm`` is None where it has no realm of its own.
    """
    vars(secured)[f"{_REQUIRED}{scopes} {realm}"] = next(_notes), scopes, realm


def scopes_of_operation(request: HttpRequest, state: RequestState) -> tuple[str, ...]:
    """Return the scopes that were required of the request so far, and those that its view will require."""
    scopes = [*scopes_of_decorators(request, state)]
    if request.resolver_match is not None:
        for finder in _finders:
            scopes += finder(request.resolver_match.func, request, state.good_token)
    return tuple(dict.fromkeys(scopes))


def scopes_of_decorators(request: HttpRequest, state: RequestState) -> tuple[str, ...]:
    """Return the scopes that were required of the request so far, and those of the decorators of view and handler."""
    noted = chain.from_iterable(scopes for _, scopes, _ in _noted_for(request))
    return tuple(dict.fromkeys((*state.required_scopes, *noted)))


def realm_of_operation(request: HttpRequest) -> str | None:
    """Return the realm that a decorator has given to the requested view or handler; None where none has."""
    return next((realm for _, _, realm in _noted_for(request) if realm is not None), None)


def operation_of(view: View, request: HttpRequest) -> Any:
    """Return which operation of a view answers a request, where its framework has several in one view; else None.

    Such a view has ``oauth_jwt_operation``, a function of the request.
    """
    find = _attributes(view).get("oauth_jwt_operation")
    return None if find is None else find(request)


def _handler_of(view: View, request: HttpRequest) -> Any:
    """Return the method of a view's class that answers a request, None where there is none; for HEAD that is `get`.

    Django and DRF make ``head`` of ``get`` where a class has none of its own, and not in the class. DRF's view sets
    have ``actions``, the names of their methods by HTTP method.
    """
    view_class, actions, method = class_of(view), _attributes(view).get("actions"), str(request.method).lower()
    if view_class is None or method not in _METHODS:
        return None
    methods = [method, "get"] if method == "head" else [method]
    names = [actions.get(name, name) for name in methods] if isinstance(actions, dict) else methods
    found = (getattr(view_class, name, None) for name in names if isinstance(name, str))
    return next((handler for handler in found if handler is not None), None)


def class_of(view: View) -> type | None:
    """Return the class that a view was made of by ``as_view``, Django's or DRF's; None for any other."""
    found = _attributes(view).get("view_class", _attributes(view).get("cls"))
    return found if isinstance(found, type) else None


def _noted_for(request: HttpRequest) -> Iterator[tuple[int, tuple[str, ...], str | None]]:
    """Iterate over what each decorator of the requested view and its handler has noted, the outermost first."""
    if request.resolver_match is not None:
        view = request.resolver_match.func
        operation = operation_of(view, request)
        for decorated in (view, _handler_of(view, request) if operation is None else operation):
            noted = (note for name, note in _attributes(decorated).items() if name.startswith(_REQUIRED))
            yield from sorted(noted, reverse=True)


def _attributes(view: object) -> Mapping[str, Any]:
    """Return a view's own attributes; a view that answers to any name, such as a mock, has none of ours."""
    found = getattr(view, "__dict__", None)
    return found if isinstance(found, _NAMESPACES) else {}
