"""Invalid settings: what needs no token answers, and nothing else does."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.urls import path
from django.utils.decorators import sync_and_async_middleware

from django_oauth_jwt.decorators import token_not_required
from django_oauth_jwt.health import readiness

from .test_middleware import OURS, open_async_view, open_view

RUN = []


def secured(request):
    RUN.append(request.path)
    return HttpResponse()


async def async_secured(request):
    return secured(request)


@token_not_required
def failing(request):
    raise ImproperlyConfigured("of the view's own")


def answering(get_response):
    """Make a middleware that answers by itself."""
    return lambda request: HttpResponse("from no view")


@sync_and_async_middleware
def answering_for_views(get_response):
    """Make a middleware that answers before our middleware knows the view."""

    def middleware(request):
        return get_response(request)

    def process_view(request, view, args, kwargs):
        return HttpResponse("from no view")

    middleware.process_view = process_view
    return middleware


urlpatterns = [
    path("ready", readiness),
    path("open", open_view),
    path("open-async", open_async_view),
    path("secured", secured),
    path("async-secured", async_secured),
    path("failing", failing),
]
pytestmark = pytest.mark.urls(__name__)
HEADERS = [{}, {"Authorization": "Bearer rubbish"}]


@pytest.fixture(autouse=True)
def _invalid(bare_project, settings):
    settings.MIDDLEWARE = [OURS]
    settings.OAUTH_JWT = {"ISUER": "https://as.test"}
    RUN.clear()


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_a_view_that_needs_no_token_answers(send, headers):
    """So a probe is told what is the matter, and an optional token is none."""
    response = send("get", "/ready", headers=headers)
    assert (response.status_code, response.json()["state"]) == (503, "misconfigured")
    for url in ("/open", "/open-async"):
        assert send("get", url, headers=headers).json()["has_claims"] is False


@pytest.mark.parametrize("url", ["/secured", "/async-secured", "/nowhere", "/failing"])
@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_every_other_path_raises_and_runs_no_view(send, url, headers):
    """A URL that leads nowhere does so, too: whether its path needs a token is not known."""
    with pytest.raises(ImproperlyConfigured, match="of the view's own" if url == "/failing" else "ISUER"):
        send("get", url, headers=headers)
    assert RUN == []


@pytest.mark.parametrize("middleware", [[OURS, f"{__name__}.answering"], [f"{__name__}.answering_for_views", OURS]])
@pytest.mark.parametrize("url", ["/secured", "/open", "/nowhere"])
def test_an_answer_of_another_middleware_raises(send, settings, middleware, url):
    """Nobody has seen whether the view needs a token."""
    settings.MIDDLEWARE = middleware
    with pytest.raises(ImproperlyConfigured, match="ISUER"):
        send("get", url)
