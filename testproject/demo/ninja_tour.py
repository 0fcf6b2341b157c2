"""A part of the tour: the operations of django-ninja, where it is installed."""

from collections.abc import Iterator
from importlib.util import find_spec

from testproject.authorization_server import AuthorizationServer

from .tour import NO_TOKEN, OK, Stop, scope_and_claim

IS_INSTALLED = find_spec("ninja") is not None
LEFT_OUT = "django-ninja: left out, since it is not installed (pip install -e '.[example]')"


def ninja_stops(server: AuthorizationServer) -> Iterator[Stop | str]:
    """Yield what the other views are asked as well; without django-ninja the word that it is missing."""
    if not IS_INSTALLED:
        yield LEFT_OUT
        return
    yield "django-ninja: BearerJwt"
    yield Stop("no token", "/ninja/token", NO_TOKEN)
    yield Stop("valid token", "/ninja/token", OK, server.token())
    yield from scope_and_claim("/ninja", server)
