"""Who a token speaks for: the project's own resolver decides. The one that is shipped has tests/accounts."""

import asyncio

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, JsonResponse
from django.test import AsyncClient, Client
from django.urls import path
from django.utils.functional import SimpleLazyObject
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import IsAuthenticated

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.testing import TokenIssuer


def view(request):
    user = getattr(request, "user", None)
    return JsonResponse({"user": str(user), "type": type(user).__name__})


async def async_view(request):
    return view(request)


@permission_required("read")
async def awaits_its_user(request):
    user = await request.auser()
    return JsonResponse({"user": str(user), "type": type(user).__name__})


@api_view()
@authentication_classes([BearerJwtAuthentication])
@permission_classes([IsAuthenticated])
def drf_view(request):
    return view(request)


urlpatterns = [
    path("def/", secure()(view)),
    path("async/", secure()(async_view)),
    path("drf/", drf_view),
    path("plain/", view),
    path("who/", secure()(awaits_its_user)),
    path("plain/who/", awaits_its_user),
]
pytestmark = pytest.mark.urls(__name__)

asked = []


class Person:
    is_authenticated = True
    is_active = True

    def __init__(self, name):
        self.name = name

    def __str__(self):
        return self.name

    async def ahas_perms(self, permissions):
        return self.name.startswith("Mr")


#: What a resolver may return for a token of nobody, by the token's subject.
NOBODY = {"stranger": None, "anonymous": AnonymousUser(), "false": False, "lazy": SimpleLazyObject(lambda: None)}


def resolve(access_token, request):
    """Know everybody but those."""
    asked.append((access_token, request))
    subject = access_token.subject
    return NOBODY[subject] if subject in NOBODY else Person(f"Mr {subject}")


RESOLVE = f"{__name__}.resolve"


@pytest.fixture(params=["def", "async", "drf", "middleware", "drf and middleware"])
def url(request, settings):
    """A secured view of each kind."""
    if "middleware" in request.param:
        settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    return {"middleware": "/plain/", "drf and middleware": "/drf/"}.get(request.param, f"/{request.param}/")


def test_the_resolvers_user_is_the_requests(send, rsa_issuer, url):
    """It is asked once per request, with the verified token and Django's request."""
    asked.clear()
    with rsa_issuer.installed(USER_RESOLVER=RESOLVE):
        response = send("get", url, headers=rsa_issuer.headers(sub="x"))
    assert response.json() == {"user": "Mr x", "type": "Person"}
    ((access_token, request),) = asked
    assert access_token.subject == "x"
    assert isinstance(request, HttpRequest)


@pytest.mark.parametrize("entrance", ["/who/", "/plain/who/"])
def test_the_users_async_twin_is_the_same_user(rsa_issuer, settings, entrance):
    """An async view that awaits `request.auser()`, as Django's own decorators do, sees no session's user instead."""
    if "plain" in entrance:
        settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    settings.MIDDLEWARE += [f"{__name__}.a_user_of_its_own"]
    with rsa_issuer.installed(USER_RESOLVER=RESOLVE):
        response = asyncio.run(AsyncClient().get(entrance, headers=rsa_issuer.headers(sub="x")))
    assert response.json() == {"user": "Mr x", "type": "Person"}


@pytest.mark.parametrize("sub", NOBODY)
def test_a_token_of_nobody_is_refused(send, rsa_issuer, url, signals, sub):
    """A resolver that returns nobody refuses the token; the view is not reached as an anonymous user."""
    with rsa_issuer.installed(USER_RESOLVER=RESOLVE, INVALID_TOKEN_STATUS=401):
        response = send("get", url, headers=rsa_issuer.headers(sub=sub))
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == (
        'Bearer error="invalid_token", error_description="Token belongs to no user"'
    )
    assert [(name, sent["reason"]) for name, sent in signals] == [("rejected", "unknown_user")]


@pytest.mark.parametrize("url", ["/def/", "/async/"])
def test_without_a_resolver_the_requests_user_is_left_alone(send, issuer, settings, url):
    """Beside a session login, `request.user` stays what the project made it."""
    settings.MIDDLEWARE = [f"{__name__}.a_user_of_its_own"]
    assert send("get", url, headers=issuer.headers()).json() == {"user": "session user", "type": "Person"}


def a_user_of_its_own(get_response):
    """Stand for Django's AuthenticationMiddleware."""

    def middleware(request):
        request.user = Person("session user")
        request.auser = None
        return get_response(request)

    return middleware


def test_in_drf_the_user_without_a_resolver_is_a_token_user(send, issuer):
    """No database is asked, and `IsAuthenticated` lets it in."""
    assert send("get", "/drf/", headers=issuer.headers()).json() == {"user": "user-1", "type": "TokenUser"}


PARTNER = "https://partner.test"


@pytest.fixture
def partner(rsa_issuer):
    """A key service of an issuer that the settings do not list, with the same key."""
    return TokenIssuer(PARTNER, key=rsa_issuer.keys[0])


@pytest.fixture
def partners_url(settings, partner, request):
    """Views with the partner's keys, sync and async, below the middleware and without it."""
    secured = secure(jwks_service=partner)
    patterns = [
        path("own/", secure()(view)),
        path("def/", token_not_required(secured(view))),
        path("async/", token_not_required(secured(async_view))),
    ]
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": patterns})


@pytest.mark.usefixtures("partners_url")
@pytest.mark.parametrize("middleware", [[], ["django_oauth_jwt.middleware.JwtBearerMiddleware"]])
@pytest.mark.parametrize("url", ["/def/", "/async/"])
@pytest.mark.parametrize(("sub", "status"), [("x", 200), ("stranger", 403)])
def test_the_resolver_is_asked_about_the_tokens_of_a_views_own_keys(
    send, rsa_issuer, partner, settings, middleware, url, sub, status
):
    """The settings' resolver knows whom it refuses, whichever keys a view has."""
    settings.MIDDLEWARE = middleware
    asked.clear()
    with rsa_issuer.installed(USER_RESOLVER=RESOLVE):
        response = send("get", url, headers=partner.headers(sub=sub))
    assert response.status_code == status
    assert [(token.subject, token.issuer) for token, _ in asked] == [(sub, PARTNER)]
    if status == 200:
        assert response.json() == {"user": "Mr x", "type": "Person"}


@pytest.mark.usefixtures("partners_url")
def test_a_resolver_of_another_issuer_is_not_asked(rsa_issuer, partner, settings):
    """It stands in the entry of an issuer that did not issue this token."""
    asked.clear()
    settings.OAUTH_JWT = {"ISSUERS": {rsa_issuer.issuer: {"JWKS_SERVICE": rsa_issuer, "USER_RESOLVER": RESOLVE}}}
    assert Client().get("/def/", headers=partner.headers()).status_code == 200
    assert asked == []


async def _nobody(access_token, request):
    return None


def _coroutine(access_token, request):
    coroutine = _nobody(access_token, request)
    coroutine.close()
    return coroutine


def _next(access_token, request):
    return next(user for user in ())


@pytest.mark.parametrize(
    ("resolver", "error"),
    [
        (_coroutine, "must return a user or None, not a coroutine"),
        (lambda access_token, request: (None, False), "must return a user or None, not a tuple"),
        (_next, "USER_RESOLVER raised StopIteration"),
    ],
    ids=["coroutine", "what get_or_create returns", "StopIteration"],
)
@pytest.mark.parametrize("send", [Client, AsyncClient])
def test_a_resolver_that_returns_what_is_no_user_lets_nobody_in(rsa_issuer, settings, resolver, error, send):
    """Each of these is true, or hangs an event loop; the developer is told which it is."""
    settings.ROOT_URLCONF = "tests.servers.fleet_urls"
    get, path_ = (Client().get, "/secured") if send is Client else (async_to_sync(AsyncClient().get), "/asecured")
    with rsa_issuer.installed(USER_RESOLVER=resolver), pytest.raises((TypeError, RuntimeError), match=error):
        get(path_, headers=rsa_issuer.headers())
