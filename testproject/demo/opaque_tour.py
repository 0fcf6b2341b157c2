"""A part of the tour: opaque tokens, of which only the authorization server can say something (RFC 7662)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from testproject.authorization_server import AuthorizationServer

from .tour import NO_SCOPE, OK, Answer, Stop, invalid

HEADING = "Opaque tokens: the authorization server is asked about each, and what it says is remembered for a minute"
INACTIVE: Final = invalid("Token is not active")


def opaque_stops(server: AuthorizationServer, revoke: Callable[[str], object]) -> Iterator[Stop | str]:
    """Yield requests with opaque tokens; ``revoke`` makes one inactive."""
    token, narrow, revoked = (server.token(scope, kind="opaque") for scope in ("read", "write", "read"))
    yield HEADING
    yield Stop("opaque token", "/secured/scope", _asked(OK), token)
    yield Stop("the same again, remembered", "/api/scope", OK, token)
    revoke(token)
    yield Stop("the same, revoked, but still remembered", "/secured/scope", OK, token)
    yield Stop("opaque token without the scope", "/secured/scope", _asked(NO_SCOPE), narrow)
    revoke(revoked)
    yield Stop("opaque token, revoked before it was used", "/secured/token", _asked(INACTIVE), revoked)
    yield Stop("the same again, remembered", "/api/token", INACTIVE, revoked)
    yield Stop("made-up token", "/secured/async", _asked(INACTIVE), "made-up")


def _asked(answer: Answer) -> Answer:
    return replace(answer, introspections=1)
