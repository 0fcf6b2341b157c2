"""The DRF authentication class."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.request import Request

from .conf import get_settings
from .errors import BearerError, KeysUnavailable, MissingToken
from .http import RequestToken, authenticate, refusal_headers, reject, status_of
from .tokens import AccessToken
from .users import TokenUser


class BearerRefusal(APIException):
    """A refusal as DRF's exception handlers take it: status, detail, code, and the challenge.

    No child of AuthenticationFailed, whose status and challenge a view takes from its first authenticator.
    """

    def __init__(self, error: BearerError, detail: Any = None, *, is_reported: bool = True) -> None:
        super().__init__(detail or error.description, error.error or error.reason)
        self.status_code = status_of(error)
        self.headers = refusal_headers(error)
        self.auth_header = self.headers.get("WWW-Authenticate")
        self.wait = error.retry_after if isinstance(error, KeysUnavailable) else None
        self.bearer_error = error
        self.is_reported = is_reported


class BearerJwtAuthentication(BaseAuthentication):
    """Authenticate by a JWT bearer token: ``request.auth`` is the `AccessToken`.

    A request without a bearer token passes to the next authenticator; one with a bad token is refused,
    whatever the permissions.
    """

    def authenticate(self, request: Request) -> tuple[Any, AccessToken] | None:
        """Return the token's user and the token, None for a request that brings no bearer token."""
        watch_answers((request.parser_context or {}).get("view"))
        try:
            accepted = authenticate(request._request, get_settings())
        except MissingToken as error:
            if error.reason in ("no_authorization", "other_scheme"):
                return None
            raise BearerRefusal(error) from error
        except BearerError as error:
            raise BearerRefusal(error) from error
        return _user_of(accepted), accepted.verified()

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a request that brings no token."""
        return refusal_headers(MissingToken())["WWW-Authenticate"]


def _user_of(accepted: RequestToken) -> Any:
    """Return the user of an accepted token: the resolver's, or a `TokenUser`."""
    if accepted.user is None:
        accepted.user = TokenUser(accepted.verified())
    return accepted.user


def watch_answers(view: Any) -> None:
    """Have a view challenge for a token, and put the headers of a refusal on its answer, whoever makes it."""
    if hasattr(view, "headers") and not hasattr(view, "_oauth_jwt"):
        view._oauth_jwt = _Answers(view)


class _Answers:
    """Stands in for some methods of one view, since DRF lets an authenticator say too little about its answers.

    A view asks its first authenticator alone for a challenge, and answers 403 where that one has none; it
    leaves it to its exception handler whether a refusal's headers are sent. What is raised is not yet an
    answer, as views and renderers also try out what would be allowed; what is handled is.
    ``asked_object`` is the object that permissions are being asked about, in a tuple; () where there is none.
    """

    def __init__(self, view: Any) -> None:
        self._view = view
        self._get_authenticate_header = view.get_authenticate_header
        self._handle_exception = view.handle_exception
        self._check_object_permissions = view.check_object_permissions
        self.asked_object: tuple[Any, ...] = ()
        view.check_object_permissions = self.check_object_permissions
        view.get_authenticate_header = self.get_authenticate_header
        view.handle_exception = self.handle_exception
        vary = view.headers.get("Vary")
        view.headers["Vary"] = f"{vary}, Authorization" if vary else "Authorization"

    def get_authenticate_header(self, request: Request) -> str:
        """Challenge for a token, and for what the first authenticator asks for."""
        bearer = BearerJwtAuthentication().authenticate_header(request)
        first = self._get_authenticate_header(request)
        return bearer if not first or first.startswith("Bearer") else f"{bearer}, {first}"

    def check_object_permissions(self, request: Request, obj: Any) -> None:
        """Do what the view does, but remember the object in question."""
        self.asked_object = (obj,)
        try:
            self._check_object_permissions(request, obj)
        finally:
            self.asked_object = ()

    def handle_exception(self, exc: Exception) -> Any:
        """Set the headers of a refusal, then do what the view does."""
        if isinstance(exc, BearerRefusal):
            self._view.headers.update(exc.headers)
            if not exc.is_reported:
                reject(self._view.request._request, exc.bearer_error)
        elif isinstance(exc, NotAuthenticated):
            challenge = self.get_authenticate_header(self._view.request)
            self._view.headers.update(refusal_headers(MissingToken()), **{"WWW-Authenticate": challenge})
        return self._handle_exception(exc)
