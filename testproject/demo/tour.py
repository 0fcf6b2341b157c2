"""The tour: requests of all kinds, in an order that matters, each with the answer that it should get."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from testproject.authorization_server import AuthorizationServer


@dataclass(frozen=True)
class Answer:
    """An answer: its status, its challenge, and how often the JWKS was fetched and the token asked about for it."""

    status: int
    challenge: str | None = None
    fetches: int = 0
    introspections: int = 0


OK = Answer(200)
NO_TOKEN = Answer(401, "Bearer")
NO_SCOPE = Answer(
    403,
    'Bearer error="insufficient_scope", error_description="Token is missing some required scope values", scope="read"',
)


def invalid(description: str) -> Answer:
    """Return the answer to a token that is not good, with what is wrong with it."""
    return Answer(403, f'Bearer error="invalid_token", error_description="{description}"')


NO_CLAIM = invalid("Token is missing some required claims")
EXPIRED = invalid("Token has expired")


@dataclass(frozen=True)
class Stop:
    """One request of the tour: a GET, or a POST of a message; ``headers`` where a bearer token is not all of them."""

    what: str
    path: str
    expected: Answer
    token: str | None = field(default=None, repr=False)
    message: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def stops(server: AuthorizationServer, rotate: Callable[[], object]) -> Iterator[Stop | str]:
    """Yield the requests, each to be sent before the next is taken, and headings among them."""
    issuer = server.issuer
    yield "Plain Django: the decorator `secure`"
    yield Stop("no token, open view", "/open", OK)
    yield Stop("no token", "/secured/token", NO_TOKEN)
    forged = replace(invalid("signature verification failed"), fetches=1)
    yield Stop("forged token (the first: keys fetched)", "/secured/token", forged, issuer.token(forged=True))
    yield Stop("expired token", "/secured/token", EXPIRED, issuer.token(expired=True))
    yield Stop("valid token", "/secured/token", OK, server.token())
    yield from scope_and_claim("/secured", server)
    yield "Django REST Framework: BearerJwtAuthentication, HasScope, HasClaim"
    yield Stop("no token", "/api/token", NO_TOKEN)
    yield Stop("expired token", "/api/token", EXPIRED, issuer.token(expired=True))
    yield Stop("valid token", "/api/token", OK, server.token())
    yield from scope_and_claim("/api", server)
    yield "Async view"
    yield Stop("no token", "/secured/async", NO_TOKEN)
    yield Stop("valid token", "/secured/async", OK, server.token())
    old = server.token()
    rotate()
    yield "The authorization server has rotated its keys: one fetch, whoever asks"
    yield Stop("token of the old key", "/secured/token", OK, old)
    yield Stop("token of the new key", "/secured/token", replace(OK, fetches=1), server.token())
    yield Stop("token of the new key, again", "/api/token", OK, server.token())
    unknown = invalid("Token is signed with an unknown key")
    yield Stop("token of a made-up key", "/secured/token", unknown, issuer.token(rotated=True))


def scope_and_claim(root: str, server: AuthorizationServer) -> Iterator[Stop]:
    """Yield the requests to the two views below a path that require a scope and a claim."""
    yield Stop("token without the scope", f"{root}/scope", NO_SCOPE, server.token("write"))
    yield Stop("token with the scope", f"{root}/scope", OK, server.token("read write"))
    yield Stop("token with another claim value", f"{root}/claim", NO_CLAIM, server.token(role="guest"))
    yield Stop("token with the claim value", f"{root}/claim", OK, server.token(role="admin"))


def visit(stop: Stop, origin: str, server: AuthorizationServer, session: requests.Session) -> Answer:
    """Send a stop's request and return the answer."""
    fetches, introspections = server.jwks_fetches, server.introspections
    headers = stop.headers if stop.token is None else {"Authorization": f"Bearer {stop.token}"}
    method = "GET" if stop.message is None else "POST"
    response = session.request(method, f"{origin}{stop.path}", headers=headers, json=stop.message, timeout=30)
    challenge = response.headers.get("WWW-Authenticate")
    counts = server.jwks_fetches - fetches, server.introspections - introspections
    return Answer(response.status_code, challenge, *counts)
