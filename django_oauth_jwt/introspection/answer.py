"""What an authorization server answers about a token (RFC 7662 section 2.2); nothing in it is verified yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from ..jws import loads_object, no_object
from ..upstream import FetchFailed, NoAnswer, Posted

JWT: Final = "application/jwt"
#: The answer about a token, signed (RFC 9701 section 5).
SIGNED_ANSWER: Final = "application/token-introspection+jwt"
#: How a 400 says the same of credentials that stood in the form (RFC 6749 section 5.2).
_CLIENT_ERRORS: Final = ("invalid_client", "unauthorized_client")
#: Nobody is answered here, whatever the token. A 403, a 500 or a 502 may be due to the one token that was asked about,
#: which anybody can make up: a firewall refuses it, or a server stumbles over it.
_CANNOT_ANSWER: Final = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.GONE,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


class CredentialsRefused(FetchFailed):
    """The server does not accept us: an error of the project's settings, or of the server's."""


class Forbidden(NoAnswer):
    """The server does not accept us, as some say it, or a firewall before it does not accept this one token."""


@dataclass(frozen=True)
class Inactive:
    """The token is not active: it never was one, has expired, or was revoked."""


@dataclass(frozen=True)
class ActiveClaims:
    """The token is active, and these are its claims."""

    claims: Mapping[str, Any]


@dataclass(frozen=True)
class JwtAnswer:
    """A JWT: the access token itself, or a signed answer about it; its type tells which.

    ``is_declared`` tells whether the server has called it a signed answer, so that it can be nothing else.
    """

    encoded: bytes = field(repr=False)
    is_declared: bool = False


Answer = Inactive | ActiveClaims | JwtAnswer


def read_answer(posted: Posted, *, wants_jwt: bool) -> Answer:
    """Return what the server has answered; raise FetchFailed for what is no answer."""
    if posted.status == HTTPStatus.NO_CONTENT and wants_jwt:
        return Inactive()  # there is no JWT to give for such a token
    _check_status(posted)
    if posted.media_type == SIGNED_ANSWER or (posted.media_type == JWT and wants_jwt):
        return JwtAnswer(posted.body.strip(), is_declared=posted.media_type == SIGNED_ANSWER)
    try:
        members = loads_object(posted.body)
    except ValueError as error:
        raise NoAnswer(no_object(error)) from error
    answer = answer_of(members)
    if wants_jwt and isinstance(answer, ActiveClaims):
        raise NoAnswer("JSON where a JWT was asked for")
    return answer


def answer_of(members: Mapping[str, Any]) -> Inactive | ActiveClaims:
    """Return what the members of an answer say; raise NoAnswer where ``active`` is neither true nor false."""
    active = members.get("active")
    if not isinstance(active, bool):
        raise NoAnswer("active is neither true nor false")
    return ActiveClaims(members) if active else Inactive()


def _check_status(posted: Posted) -> None:
    if posted.status == HTTPStatus.OK:
        return
    error_type = str(posted.status)
    reason = f"status {error_type}"
    if posted.status == HTTPStatus.UNAUTHORIZED or _error_of(posted) in _CLIENT_ERRORS:
        reason = f"{reason}: the credentials in INTROSPECTION are not accepted"
        raise CredentialsRefused(reason, error_type=error_type)
    if posted.status == HTTPStatus.FORBIDDEN:
        reason = f"{reason}: the credentials in INTROSPECTION are not accepted, or this one token is not"
        raise Forbidden(reason, posted.retry_after, error_type=error_type)
    failure = FetchFailed if posted.status in _CANNOT_ANSWER else NoAnswer
    raise failure(reason, posted.retry_after, error_type=error_type)


def _error_of(posted: Posted) -> Any:
    """Return the code of an OAuth error, None where there is none."""
    if posted.status != HTTPStatus.BAD_REQUEST:
        return None
    try:
        return loads_object(posted.body).get("error")
    except ValueError:
        return None
