"""What the tests of the answers share: clients of both kinds, entrances of all kinds, keys that cannot be had."""

import socket

import answers_urls
import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from rest_framework.test import APIClient

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"
ENTRANCES = [str(pattern.pattern) for pattern in answers_urls.urlpatterns]


def _send_sync(method, path, **kwargs):
    client = (APIClient if path.startswith("/drf") else Client)(enforce_csrf_checks=True)
    return getattr(client, method)(path, **kwargs)


def _send_async(method, path, **kwargs):
    client = AsyncClient(enforce_csrf_checks=True)
    return async_to_sync(getattr(client, method))(path, **kwargs)


@pytest.fixture(params=[_send_sync, _send_async], ids=["WSGI", "ASGI"])
def send(request):
    """Send a request through the whole stack, of WSGI and of ASGI: ``send("get", path, headers=...)``."""
    return request.param


@pytest.fixture(params=ENTRANCES)
def entrance(request, settings):
    """The path of a view that needs scopes and a role; secured in the way that the path says."""
    settings.ROOT_URLCONF = answers_urls
    settings.MIDDLEWARE = [MIDDLEWARE] if request.param.startswith("middleware") else []
    return f"/{request.param}"


@pytest.fixture
def unreachable_jwks_uri():
    """A JWKS URI on a port of this machine that is taken, so that nobody else can listen there, and silent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/jwks"
