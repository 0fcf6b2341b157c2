"""The resolver's user, as middleware below ours sees it before the view is known."""

import asyncio
import gc
from weakref import ref

import pytest
from asgiref.sync import iscoroutinefunction
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse, JsonResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import path
from django.utils.decorators import sync_and_async_middleware
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.errors import InvalidToken, KeysUnavailable
from django_oauth_jwt.middleware import JwtBearerMiddleware

from .sessions import SESSION, Person

OURS = "django_oauth_jwt.middleware.JwtBearerMiddleware"


asked = []


def resolve(access_token, request):
    asked.append(access_token.subject)
    if access_token.subject == "stranger":
        return None
    if access_token.subject == "tenant":
        raise InvalidToken("wrong_tenant", "Token is for another tenant")
    if access_token.subject == "busy":
        raise KeysUnavailable(7)
    if access_token.subject == "bug":
        raise RuntimeError
    return Person(f"Mr {access_token.subject}")


def view(request):
    return JsonResponse({"user": str(getattr(request, "user", None))})


async def async_view(request):
    return JsonResponse({"user": str(await request.auser()), "same": str(request.user)})


@api_view()
@authentication_classes([BearerJwtAuthentication])
@permission_classes([AllowAny])
def drf_view(request):
    return view(request)


urlpatterns = [
    path("def/", view),
    path("async/", async_view),
    path("secured/", secure()(view)),
    path("drf/", drf_view),
    path("open/", token_not_required(view)),
    path("open/secured/", token_not_required(secure()(view))),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.usefixtures("_bare_project")]

seen = []


@sync_and_async_middleware
def audit(get_response):
    """Note who asks, before and after the view."""

    def middleware(request):
        seen.append(str(request.user))
        response = get_response(request)
        seen.append(str(request.user))
        return response

    async def async_middleware(request):
        seen.append(str(await request.auser()))
        response = await get_response(request)
        seen.append(str(await request.auser()))
        return response

    return async_middleware if iscoroutinefunction(get_response) else middleware


@pytest.fixture(autouse=True)
def _bare_project(bare_project, settings):
    settings.MIDDLEWARE = [SESSION, OURS, f"{__name__}.audit"]
    seen.clear()
    asked.clear()


@pytest.fixture
def ask(send, rsa_issuer):
    """Send the token of somebody to a view."""

    def ask(url, sub="anna", **more):
        with rsa_issuer.installed(USER_RESOLVER=resolve, **more):
            return send("get", url, headers=rsa_issuer.headers(sub=sub))

    return ask


@pytest.mark.parametrize("url", ["/def/", "/async/", "/secured/", "/drf/", "/open/secured/"])
def test_a_middleware_below_ours_sees_the_resolvers_user(ask, signals, url):
    """Before the view and after it; the resolver is asked once, and the token is accepted once."""
    assert ask(url).json()["user"] == "Mr anna"
    assert seen == ["Mr anna", "Mr anna"]
    assert asked == ["anna"]
    assert [name for name, _ in signals] == ["accepted"]


@pytest.mark.parametrize("url", ["/def/", "/async/", "/secured/", "/drf/", "/nowhere/"])
@pytest.mark.parametrize(
    ("sub", "status", "reasons"),
    [("stranger", 401, ["unknown_user"]), ("tenant", 401, ["wrong_tenant"]), ("busy", 503, [])],
)
def test_a_user_whom_the_resolver_refuses_is_anonymous_until_the_refusal(ask, signals, url, sub, status, reasons):
    """The other middleware sees no exception, and the answer is what it would be without it."""
    response = ask(url, sub, INVALID_TOKEN_STATUS=401)
    assert response.status_code == status
    assert response.get("Retry-After") == ("7" if sub == "busy" else None)
    assert seen == ["AnonymousUser", "AnonymousUser"]
    assert asked == [sub]
    assert [sent["reason"] for name, sent in signals if name == "rejected"] == reasons


@pytest.mark.parametrize("sub", ["anna", "stranger", "bug"])
def test_an_exempt_view_gets_the_user_from_before(send, rsa_issuer, settings, sub):
    """Nothing is asked about the token there: neither the resolver nor, in DRF's session login, a CSRF token."""
    settings.MIDDLEWARE = [SESSION, OURS]
    with rsa_issuer.installed(USER_RESOLVER=resolve):
        assert send("get", "/open/", headers=rsa_issuer.headers(sub=sub)).json() == {"user": "session user"}
    assert asked == []


def test_an_exempt_view_has_no_user_where_it_had_none(send, rsa_issuer, settings):
    """Without any other login."""
    settings.MIDDLEWARE = [OURS]
    with rsa_issuer.installed(USER_RESOLVER=resolve):
        assert send("get", "/open/", headers=rsa_issuer.headers()).json() == {"user": "None"}


def test_an_exempt_view_keeps_the_user_that_another_middleware_has_set_since(send, rsa_issuer, settings):
    """Django's own AuthenticationMiddleware below ours."""
    settings.MIDDLEWARE = [OURS, SESSION]
    with rsa_issuer.installed(USER_RESOLVER=resolve):
        assert send("get", "/open/", headers=rsa_issuer.headers()).json() == {"user": "session user"}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer rubbish"}])
def test_without_a_good_token_the_user_is_the_one_from_before(send, rsa_issuer, headers):
    """There is nobody to ask the resolver about."""
    with rsa_issuer.installed(USER_RESOLVER=resolve):
        send("get", "/def/", headers=headers)
    assert seen == ["session user", "session user"]
    assert asked == []


def test_a_resolver_that_is_not_read_early_is_asked_late(rsa_issuer, settings):
    """It costs nothing where no middleware wants to know, and the scope is still tried after it."""
    settings.MIDDLEWARE = [OURS]
    with rsa_issuer.installed(USER_RESOLVER=resolve, EXEMPT_PATHS=["/def/"]):
        assert Client().get("/def/", headers=rsa_issuer.headers()).json() == {"user": "None"}
    assert asked == []


def test_a_bug_in_the_resolver_is_the_projects(rsa_issuer):
    """It is raised where the user is read."""
    with rsa_issuer.installed(USER_RESOLVER=resolve), pytest.raises(RuntimeError):
        Client().get("/def/", headers=rsa_issuer.headers(sub="bug"))


def test_a_project_without_djangos_users_has_none(rsa_issuer, settings):
    """`AnonymousUser` is a model's neighbour, and cannot be imported there."""
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django.contrib.auth"]
    with rsa_issuer.installed(USER_RESOLVER=resolve):
        assert Client().get("/def/", headers=rsa_issuer.headers(sub="stranger")).status_code == 403
    assert seen == ["None", "None"]


@pytest.mark.parametrize("sub", ["anna", "stranger"])
def test_a_request_whose_user_is_known_holds_no_reference_to_itself(rsa_issuer, sub):
    """Else a flood of requests would fill the memory until the garbage is collected."""

    def get_response(request):
        assert str(request.user) in ("Mr anna", str(AnonymousUser()))
        return HttpResponse()

    request = RequestFactory().get("/", headers=rsa_issuer.headers(sub=sub))
    gone = ref(request)
    gc.collect()
    gc.disable()
    try:
        with rsa_issuer.installed(USER_RESOLVER=resolve):
            JwtBearerMiddleware(get_response)(request)
        del request
        assert gone() is None
    finally:
        gc.enable()


def test_under_asgi_the_resolver_is_asked_in_a_thread(rsa_issuer):
    """For whoever awaits `request.auser()`: it may use the database."""
    loops = []

    def resolve_and_look(access_token, request):
        try:
            loops.append(asyncio.get_running_loop())
        except RuntimeError:
            loops.append(None)
        return Person("Mr anna")

    with rsa_issuer.installed(USER_RESOLVER=resolve_and_look):
        response = asyncio.run(AsyncClient().get("/async/", headers=rsa_issuer.headers()))
    assert response.json() == {"user": "Mr anna", "same": "Mr anna"}
    assert seen == ["Mr anna", "Mr anna"]
    assert loops == [None]
