"""The DRF authentication class."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from .access_token import AccessToken
from .answers import refusal_headers
from .conf import get_settings
from .errors import BearerError, KeysUnavailable, MissingToken
from .request import authenticate, user_of


class BearerRefusal(APIException):
    """A refusal as DRF's exception handlers take it: status, detail, code, and the challenge.

    No child of AuthenticationFailed, whose status and challenge a view takes from its first authenticator.
    """

    def __init__(self, error: BearerError, detail: Any = None) -> None:
        super().__init__(detail or error.description, error.error or error.reason)
        self.status_code = error.status
        headers = refusal_headers(error)
        self.auth_header = headers.get("WWW-Authenticate")
        self.wait = error.retry_after if isinstance(error, KeysUnavailable) else None
        self.bearer_error = error
        self._headers = headers

    def set_headers(self, view: Any) -> None:
        """Put the headers on the view's response, for exception handlers that make one of their own."""
        getattr(view, "headers", {}).update(self._headers)


class BearerJwtAuthentication(BaseAuthentication):
    """Authenticate by a JWT bearer token: ``request.auth`` is the `AccessToken`.

    A request without a bearer token passes to the next authenticator; one with a bad token is refused,
    whatever the permissions.
    """

    def authenticate(self, request: Request) -> tuple[Any, AccessToken] | None:
        """Return the token's user and the token, None for a request that brings no bearer token."""
        view = (request.parser_context or {}).get("view")
        _answer_for_all_authenticators(view)
        try:
            token = authenticate(request._request, get_settings())
        except MissingToken as error:
            if error.reason in ("no_authorization", "other_scheme"):
                return None
            raise self._refusal(error, view) from error
        except BearerError as error:
            raise self._refusal(error, view) from error
        return user_of(request._request, token), token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a request that brings no token."""
        return refusal_headers(MissingToken())["WWW-Authenticate"]

    def _refusal(self, error: BearerError, view: Any) -> BearerRefusal:
        refusal = BearerRefusal(error)
        refusal.set_headers(view)
        return refusal


def _answer_for_all_authenticators(view: Any) -> None:
    """Let an unauthenticated request be challenged for a token even where ours is not the first authenticator.

    A view asks its first authenticator alone, and answers 403 where that one has no challenge.
    """
    if not hasattr(view, "headers") or isinstance(view.get_authenticate_header, _AllChallenges):
        return
    view.get_authenticate_header = _AllChallenges(view.get_authenticate_header)
    vary = view.headers.get("Vary")
    view.headers["Vary"] = f"{vary}, Authorization" if vary else "Authorization"


class _AllChallenges:
    def __init__(self, own: Any) -> None:
        self._own = own

    def __call__(self, request: Request) -> str:
        bearer = BearerJwtAuthentication().authenticate_header(request)
        first = self._own(request)
        return bearer if not first or first.startswith("Bearer") else f"{bearer}, {first}"
