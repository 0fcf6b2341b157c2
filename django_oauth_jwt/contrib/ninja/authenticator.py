"""`BearerJwt`, which ninja asks for the token of a request."""

from collections.abc import Callable, Iterable
from copy import copy
from functools import wraps
from typing import Any, Final, ParamSpec

from django.http import HttpRequest, HttpResponse
from ninja.operation import Operation

from ...errors import BearerError
from ...http import RequestState, accepted_token, authorize, next_steps, set_token, state_of
from ...tokens import AccessToken, Requirements, parse_requirements
from ...upstream import Steps, run_awaiting, run_blocking

P = ParamSpec("P")

#: The attribute of a request that a `BearerJwt` was asked about, by ninja or by an authenticator of the project's.
ASKED: Final = "_oauth_jwt_asked"


class Refused(Exception):
    """A request is refused, with this response."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response


def misplaced(given: object) -> TypeError:
    """Return the error for a `BearerJwt` that was given what is no request."""
    place = "BearerJwt stands, with parentheses, as auth=BearerJwt(...) of an API, a router or an operation"
    return TypeError(f"{place}; it got a {type(given).__name__}. On a Django view stands @secure(...)")


def _with_parentheses(init: Callable[P, None]) -> Callable[P, None]:
    @wraps(init)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        for given in args[1:]:
            if isinstance(given, str | list | tuple):
                raise TypeError(f"BearerJwt takes keywords: BearerJwt(scope={given!r})")
            raise misplaced(given)
        init(*args, **kwargs)

    return call


class BearerJwt:
    """Require a bearer token, as ``auth=`` of an API, a router or an operation: ``request.auth`` is the `AccessToken`.

    >>> api = NinjaAPI(auth=BearerJwt())
    >>> @api.post("/books", auth=BearerJwt(scope="books.write"))
    ... def add_book(request: BearerRequest, title: str) -> Book: ...

    ``scope`` and ``claims`` are those of `secure`. In a list of authenticators a request without a bearer token, or
    with a foreign one (PASS_FOREIGN_TOKENS), is for the next one; one with a bad token is refused. Of several in a list
    the token has to meet one. Raises ValueError for requirements that make no sense, and TypeError where it is used as
    something else.
    """

    is_async = False  #: whether ninja awaits what it gets

    @_with_parentheses
    def __init__(self, *, scope: str | Iterable[str] = (), claims: Iterable[Any] = ()) -> None:
        self.requirements = parse_requirements(scope, claims)
        self._required = self.requirements
        self._is_last = False  # a function of the project's may ask somebody else as well

    def __call__(self, request: HttpRequest) -> Any:
        """Return the token of a request; None for one that is for the next authenticator."""
        if not hasattr(request, "META"):
            raise misplaced(request)
        setattr(request, ASKED, True)
        if "HTTP_AUTHORIZATION" not in request.META:  # ninja's TestClient has it as HTTP_Authorization
            for name in [name for name in request.META if name.startswith("HTTP_")]:
                request.META[name.upper()] = request.META[name]
        steps = self._steps(request)
        return run_awaiting(steps) if self.is_async else run_blocking(steps)

    def bound_to(self, operation: Operation, required: Requirements, *, is_last: bool) -> "BearerJwt":
        """Return an authenticator for one operation, which may require something else in its place."""
        bound = copy(self)
        # A subclass that calls this class's method gets a token from it, and is run in a thread.
        is_async = operation.is_async and type(self).__call__ is BearerJwt.__call__
        vars(bound).update(_required=required, _is_last=is_last, is_async=is_async)
        return bound

    def _steps(self, request: HttpRequest) -> Steps[AccessToken | None]:
        state = state_of(request)
        if not self._is_last and (yield from next_steps(request, state)):
            state.required_scopes += self._required.scopes  # for the challenge, if nobody else knows the request
            set_token(request, None)
            return None
        steps = authorize(request, state, self._required)
        refusal = None if steps is None else (yield from steps)
        if refusal is not None:
            raise Refused(refusal)
        token = accepted_token(request)
        return token if token and self._is_for(token, state) else None

    def _is_for(self, token: AccessToken, state: RequestState) -> bool:
        """Tell whether a token meets what this one requires, and not only what another in its list does."""
        try:
            self.requirements.check(token, state.runtime.settings.scope_implies)
        except BearerError:
            return False
        return True
