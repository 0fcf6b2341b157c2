"""What the tests of the answers share: clients of both kinds, entrances of all kinds, keys that cannot be had."""

import socket

import answers_urls
import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from rest_framework.test import APIClient

from django_oauth_jwt.signals import token_accepted, token_rejected

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
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
    settings.MIDDLEWARE = [*([MIDDLEWARE] if request.param.startswith("middleware") else []), CSRF]
    return f"/{request.param}"


@pytest.fixture(autouse=True)
def _bare_project(settings):
    """Begin with none of the example project's settings."""
    settings.OAUTH_JWT = {}
    settings.MIDDLEWARE = []


@pytest.fixture
def trust(rsa_issuer, settings):
    """Have the project trust the issuer, with more settings; undone in the order in which it was done."""

    def trust(**more):
        with rsa_issuer.installed(**more):
            trusting = settings.OAUTH_JWT
        settings.OAUTH_JWT = trusting
        return rsa_issuer

    return trust


@pytest.fixture
def unreachable_jwks_uri():
    """A JWKS URI on a port of this machine that is taken, so that nobody else can listen there, and silent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/jwks"


@pytest.fixture
def signals():
    """The names and arguments of the signals that were sent about tokens."""
    sent = []

    def on_accepted(**kwargs):
        sent.append(("accepted", kwargs))

    def on_rejected(**kwargs):
        sent.append(("rejected", kwargs))

    token_accepted.connect(on_accepted)
    token_rejected.connect(on_rejected)
    yield sent
    token_accepted.disconnect(on_accepted)
    token_rejected.disconnect(on_rejected)
