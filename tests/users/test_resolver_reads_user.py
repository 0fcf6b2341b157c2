"""A resolver that reads `request.user`, itself or by what it calls: it sees who was there before."""

import asyncio
import threading

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path
from django.utils.decorators import sync_and_async_middleware
from ninja import NinjaAPI
from rest_framework.decorators import api_view, authentication_classes

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.contrib.ninja import BearerJwt
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.middleware import JwtBearerMiddleware

from .sessions import SESSION, Person

OURS = "django_oauth_jwt.middleware.JwtBearerMiddleware"
#: What each of the requests here brought along for the resolver: the users that it saw, and those that were kept.
seen, kept = [], []


def resolve(access_token, request):
    seen.extend([str(request.user), str(async_to_sync(request.auser)()), *map(str, kept)])
    return Person(f"Mr {access_token.subject}")


def view(request):
    return HttpResponse(f"{request.user}")


async def async_view(request):
    return HttpResponse(f"{await request.auser()}")


api = NinjaAPI(urls_namespace=__name__, auth=BearerJwt())


@api.get("/sync/")
def operation(request):
    return str(request.user)


@api.get("/async/")
async def async_operation(request):
    return str(await request.auser())


@api_view()
@authentication_classes([BearerJwtAuthentication])
def drf_view(request):
    return view(request)


urlpatterns = [
    path("def/", view),
    path("async/", async_view),
    path("secured/", secure()(view)),
    path("secured/async/", secure()(async_view)),
    path("drf/", drf_view),
    path("ninja/", api.urls),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.usefixtures("_bare_project")]


@sync_and_async_middleware
def keep(get_response):
    """Keep the user of the request for what comes, without a question who it is, as audit logs do."""

    def middleware(request):
        kept.append(request.user)
        return get_response(request)

    async def async_middleware(request):
        return await middleware(request)

    return async_middleware if iscoroutinefunction(get_response) else middleware


@pytest.fixture(autouse=True)
def _bare_project(bare_project):
    seen.clear()
    kept.clear()


@pytest.mark.parametrize("url", ["/secured/", "/secured/async/", "/drf/", "/ninja/sync/", "/ninja/async/"])
def test_it_sees_who_was_there_before(send, rsa_issuer, settings, url):
    """At each entry point, sync and async; the view gets the resolver's user, for whom it is asked once."""
    settings.MIDDLEWARE = [SESSION]
    with rsa_issuer.installed(USER_RESOLVER=resolve):
        response = send("get", url, headers=rsa_issuer.headers(sub="anna"))
    assert response.content.strip(b'"') == b"Mr anna"
    assert seen == ["session user"] * 2


@pytest.mark.parametrize("url", ["/def/", "/async/", "/secured/", "/secured/async/", "/drf/", "/ninja/async/"])
def test_a_user_that_was_kept_is_the_resolvers_in_the_end(send, rsa_issuer, settings, url):
    """Behind the middleware: the resolver saw who was there before, and nobody else does."""
    settings.MIDDLEWARE = [SESSION, OURS, f"{__name__}.keep"]
    with rsa_issuer.installed(USER_RESOLVER=resolve):
        response = send("get", url, headers=rsa_issuer.headers(sub="anna"))
    assert response.content.strip(b'"') == b"Mr anna"
    assert seen == ["session user"] * 3
    assert [str(user) for user in kept] == ["Mr anna"]


@pytest.mark.parametrize("read", [lambda request: request.user, lambda request: async_to_sync(request.auser)()])
def test_it_is_so_whoever_asks_first(rsa_issuer, read):
    """A middleware below ours that reads the user before the view is known."""

    def get_response(request):
        kept.append(request.user)
        assert str(read(request)) == str(request.user) == "Mr anna"
        return HttpResponse()

    request = RequestFactory().get("/", headers=rsa_issuer.headers(sub="anna"))
    request.user = Person("session user")
    with rsa_issuer.installed(USER_RESOLVER=resolve):
        assert JwtBearerMiddleware(get_response)(request).status_code == 200
    assert seen == ["session user"] * 3
    assert [str(user) for user in kept] == ["Mr anna"]


@pytest.mark.parametrize("middleware", [[], [OURS]])
def test_where_nobody_was_there_it_sees_nobody(send, rsa_issuer, settings, middleware):
    """Django's anonymous user, without any other login."""
    settings.MIDDLEWARE = middleware
    with rsa_issuer.installed(USER_RESOLVER=resolve):
        assert send("get", "/secured/", headers=rsa_issuer.headers(sub="anna")).content == b"Mr anna"
    assert seen == [str(AnonymousUser())] * 2


def test_a_user_from_before_without_auser_is_seen_by_it(rsa_issuer):
    """As tests set it on a request of their own."""
    request = RequestFactory().get("/", headers=rsa_issuer.headers(sub="anna"))
    request.user = Person("set by a test")
    with rsa_issuer.installed(USER_RESOLVER=resolve):
        assert secure()(view)(request).content == b"Mr anna"
    assert seen == ["set by a test"] * 2


def respond(rsa_issuer, resolver, get_response):
    """Have a request of a session, which brings a token, answered under ASGI."""
    request = RequestFactory().get("/", headers=rsa_issuer.headers(sub="anna"))
    request.user = Person("session user")

    async def response():
        return await JwtBearerMiddleware(get_response)(request)

    with rsa_issuer.installed(USER_RESOLVER=resolver):
        assert asyncio.run(response()).status_code == 200


def test_another_task_of_the_request_sees_the_tokens_user_even_then(rsa_issuer):
    """It waits for the resolver, and never acts for the session's user."""
    is_asked, may_end = threading.Event(), threading.Event()

    def resolve_slowly(access_token, request):
        is_asked.set()
        assert may_end.wait(10)
        return resolve(access_token, request)

    async def get_response(request):
        first = asyncio.create_task(request.auser())
        assert await asyncio.to_thread(is_asked.wait, 10)
        second = asyncio.create_task(request.auser())
        await asyncio.sleep(0)
        may_end.set()
        assert [str(user) for user in await asyncio.gather(first, second)] == ["Mr anna"] * 2
        return HttpResponse()

    respond(rsa_issuer, resolve_slowly, get_response)
    assert seen == ["session user"] * 2


@pytest.mark.parametrize("first", ["user", "auser"])
def test_nor_does_another_thread_when_the_resolver_has_read_it(rsa_issuer, first):
    """What the resolver sees is for itself alone, whoever asked for the user first."""
    has_read, may_end = threading.Event(), threading.Event()

    def resolve_slowly(access_token, request):
        user = resolve(access_token, request)
        has_read.set()
        assert may_end.wait(10)
        return user

    async def get_response(request):
        reading = asyncio.to_thread(lambda: str(request.user)) if first == "user" else request.auser()
        reading = asyncio.ensure_future(reading)
        assert await asyncio.to_thread(has_read.wait, 10)
        read_beside = asyncio.create_task(asyncio.to_thread(lambda: str(request.user)))
        await asyncio.sleep(0)
        may_end.set()
        assert [str(await each) for each in (reading, read_beside)] == ["Mr anna"] * 2
        return HttpResponse()

    respond(rsa_issuer, resolve_slowly, get_response)
    assert set(seen) == {"session user"}
