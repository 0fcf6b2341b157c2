"""What the tests of django-ninja share: an API of their own for each, in a project without settings."""

import uuid

import pytest
from django.urls import path
from ninja import NinjaAPI

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"


@pytest.fixture(autouse=True)
def _bare_project(bare_project):
    """Every test here begins so."""


@pytest.fixture
def serve(settings):
    """Serve an API below /api/, and other views at the path of their name: ``serve(api, view=view)``."""

    def serve(api, **views):
        patterns = [path(name, view) for name, view in views.items()]
        settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [path("api/", api.urls), *patterns]})

    return serve


@pytest.fixture
def new_api():
    """Make an API; each has a namespace of its own."""

    def new_api(**kwargs):
        return NinjaAPI(urls_namespace=str(uuid.uuid4()), **kwargs)

    return new_api
