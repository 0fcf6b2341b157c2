"""The demo's two servers: the authorization server, and the example project, which is pointed at it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import requests
from django.conf import settings
from django.test import override_settings

from testproject.authorization_server import AuthorizationServer
from testproject.loopback import LoggingHandler, LoopbackServer, bound
from testproject.wsgi import application

LOGGERS = ("testproject", "django_oauth_jwt")


class _Handler(LoggingHandler, WSGIRequestHandler):
    pass


class ApiServer(LoopbackServer, WSGIServer):
    """Serves the example project."""

    handler = _Handler

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.set_app(application)


@contextmanager
def running(port: int, note: Callable[[str], object]) -> Iterator[tuple[AuthorizationServer, ApiServer]]:
    """Run both while the context lasts, the authorization server on the port after ``port``.

    Each takes a free port, with a note, where its own is not to be had; port 0 is any free one.
    """
    with ExitStack() as stack:
        stack.enter_context(_without_djangos_log())
        authorization_server = stack.enter_context(bound(AuthorizationServer, port + 1 if port else 0, note))
        stack.enter_context(override_settings(OAUTH_JWT=_trusting(authorization_server)))
        yield authorization_server, stack.enter_context(bound(ApiServer, port, note))


@contextmanager
def mcp_resource(origin: str) -> Iterator[None]:
    """Tell the clients of the Model Context Protocol server where to get a token, while the context lasts.

    From then on every token must be for that server, which those of the rest of the tour are not.
    """
    from testproject.mcp_server import resource_metadata  # noqa: PLC0415  # it needs a package that may be absent

    with override_settings(OAUTH_JWT={**settings.OAUTH_JWT, "RESOURCE_METADATA": resource_metadata(origin)}):
        yield


@contextmanager
def page_resource(origin: str) -> Iterator[None]:
    """Have protected resource metadata for the page to show, while the context lasts.

    From then on every token must be for this resource, and one that is not good is answered 401.
    """
    metadata = {"resource": origin, "scopes_supported": ["read"]}
    with override_settings(OAUTH_JWT={**settings.OAUTH_JWT, "RESOURCE_METADATA": metadata}):
        yield


def direct_session() -> requests.Session:
    """Return a session that uses neither the proxy nor the passwords of the user's environment."""
    session = requests.Session()
    session.trust_env = False
    return session


def show_log() -> None:
    """Log requests, and why tokens are refused, to stderr from now on."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.addHandler(logging.StreamHandler())
        logger.setLevel(logging.INFO)
        logger.propagate = False  # the package `mcp` gives the root logger a handler: lines would be shown twice


def _trusting(server: AuthorizationServer) -> dict[str, Any]:
    where = {"JWKS_URI": server.jwks_uri, "ISSUER": server.issuer.issuer}
    added = {"INTROSPECTION": settings.INTROSPECTION, "HTTP_SESSION": direct_session}
    return {**added, **settings.OAUTH_JWT, **where}


@contextmanager
def _without_djangos_log() -> Iterator[None]:
    """Keep Django from logging each refusal: the tour shows them."""
    logger = logging.getLogger("django.request")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
