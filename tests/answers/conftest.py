"""What the tests of the answers share: clients of both kinds and entrances of all kinds."""

import answers_urls
import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from rest_framework.test import APIClient

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
