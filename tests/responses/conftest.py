"""What the tests of the responses share: entrances of all kinds."""

import pytest

from . import urls

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
ENTRANCES = [str(pattern.pattern) for pattern in urls.urlpatterns]


@pytest.fixture(params=ENTRANCES)
def entrance(request, settings):
    """The path of a view that needs scopes and a role; secured in the way that the path says."""
    settings.ROOT_URLCONF = urls
    settings.MIDDLEWARE = [*([MIDDLEWARE] if request.param.startswith("middleware") else []), CSRF]
    return f"/{request.param}"


@pytest.fixture(autouse=True)
def _bare_project(bare_project):
    """Every test here begins so."""
