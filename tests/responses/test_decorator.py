"""The decorator: what it can stand on, key services per view, and that it needs no middleware."""

import asyncio
from functools import partial

import pytest
from django.http import JsonResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET
from rest_framework.views import APIView

from django_oauth_jwt.decorators import needs_no_token, secure, token_not_required
from django_oauth_jwt.jwks import get_jwks_service
from django_oauth_jwt.testing import SigningKey, TokenIssuer

# The other issuer signs with a key of another name, as another authorization server would.
OTHER = TokenIssuer(key=SigningKey.generate("ES256", "other-key"))


def view(request, **kwargs):
    """Say who came."""
    return JsonResponse({"sub": request.claims["sub"], **kwargs})


async def async_view(request, **kwargs):
    return view(request, **kwargs)


class AsyncMethod(View):
    @method_decorator(secure(scope="read"))
    async def get(self, request):
        return view(request)


class SyncMethod(View):
    @method_decorator(secure(scope="read"))
    def get(self, request):
        return view(request)

    def post(self, request):
        return JsonResponse({})


class AsyncDispatch(View):
    @method_decorator([secure(scope="read"), csrf_exempt])
    def dispatch(self, request, *args, **kwargs):
        return super().dispatch(request, *args, **kwargs)

    async def get(self, request, number):
        return view(request, number=number)


class Inherited(AsyncDispatch):
    """A child of a secured class is secured."""


urlpatterns = [
    path("sync-method/", SyncMethod.as_view()),
    path("async-method/", AsyncMethod.as_view()),
    path("async-dispatch/<int:number>/", AsyncDispatch.as_view()),
    path("inherited/<int:number>/", Inherited.as_view()),
    path("as-view/<int:number>/", secure(scope="read")(AsyncDispatch.as_view())),
    path("stacked/", require_GET(secure(scope="read")(secure(claims=["role"])(view)))),
    path("others-keys/", secure(jwks_service=OTHER)(view)),
    path("others-keys/async/", secure(jwks_service=OTHER)(async_view)),
    path("both-keys/", secure()(secure(jwks_service=OTHER)(view))),
    path("args/<slug:name>/", secure()(view)),
    path("args/async/<slug:name>/", secure()(async_view)),
    path("partial/", secure()(partial(view, name="x"))),
    path("partial/async/", secure()(partial(async_view, name="x"))),
]
pytestmark = pytest.mark.urls(__name__)


@pytest.mark.parametrize("url", ["sync-method", "async-method", "async-dispatch/5", "inherited/5", "as-view/5"])
def test_methods_and_classes_can_be_secured(send, issuer, url):
    """One handler, a dispatch with other decorators around it, a child class, or what `as_view` returns."""
    url = f"/{url}/"
    assert send("get", url).status_code == 401
    assert send("get", url, headers=issuer.headers("other")).status_code == 403
    response = send("get", url, headers=issuer.headers("read"))
    assert response.status_code == 200
    assert response["Vary"] == "Authorization"


def test_a_handler_beside_a_secured_one_is_free(send, issuer, settings):
    """Only what is decorated is secured, and the class as a whole stays subject to CSRF checks."""
    assert send("post", "/sync-method/").status_code == 200
    settings.MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
    assert send("post", "/sync-method/").status_code == 403


@pytest.mark.parametrize("url", ["/args/a/", "/sync-method/"])
def test_a_sync_client_works_inside_an_event_loop(issuer, url):
    """Async tests and notebooks use Django's sync client: a running loop does not make a view async."""

    async def answer_within_a_loop():
        return Client().get(url, headers=issuer.headers("read"))

    assert asyncio.run(answer_within_a_loop()).json()["sub"] == "user-1"


@pytest.mark.parametrize("url", ["/args/x/", "/args/async/x/", "/partial/", "/partial/async/"])
def test_the_arguments_of_the_url_reach_the_view(send, issuer, url):
    """The decorator adds nothing and takes nothing, neither of the URL's nor of a `functools.partial`."""
    assert send("get", url, headers=issuer.headers()).json() == {"sub": "user-1", "name": "x"}


def test_the_decorated_view_keeps_its_name():
    """Admin documentation, error pages and logs show the view, not the decorator."""
    secured = secure()(view)
    assert (secured.__name__, secured.__doc__, secured.__wrapped__) == ("view", view.__doc__, view)


@pytest.mark.parametrize(
    ("claims", "status"), [({"scope": "read"}, 403), ({"role": "x"}, 403), ({"scope": "read", "role": "x"}, 200)]
)
def test_decorators_add_up_and_verify_once(send, issuer, signals, claims, status):
    """Each of two decorators has its say, on one verification."""
    assert send("get", "/stacked/", headers=issuer.headers(**claims)).status_code == status
    assert [name for name, _ in signals].count("accepted") == 1


@pytest.mark.parametrize("url", ["/others-keys/", "/others-keys/async/"])
def test_a_view_can_have_a_key_service_of_its_own(send, issuer, url):
    """A token of the project's keys is nothing to it, and the other way round."""
    assert send("get", url, headers=OTHER.headers()).status_code == 200
    assert send("get", url, headers=issuer.headers()).status_code == 403
    assert send("get", "/args/a/", headers=OTHER.headers()).status_code == 403
    # What one key service let in is not remembered for the other.
    assert send("get", url, headers=issuer.headers()).status_code == 403


@pytest.mark.parametrize("url", ["/others-keys/", "/others-keys/async/", "/both-keys/"])
def test_another_key_service_verifies_anew(send, issuer, settings, signals, url):
    """A token that the middleware accepted by the project's keys is not accepted by a view's own on that account."""
    settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    response = send("get", url, headers=issuer.headers())
    assert response.status_code == 403
    assert response.json()["error"] == "invalid_token"
    assert [name for name, _ in signals] == ["accepted", "rejected"]


@pytest.mark.parametrize("own", [view, async_view])
def test_a_view_of_another_issuer_is_exempt_from_the_middleware(send, issuer, settings, own):
    """The middleware knows the settings' keys alone: with the exemption, the view's own decide."""
    settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    exempt = token_not_required(secure(jwks_service=OTHER)(own))
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [path("", exempt)]})
    assert send("get", "/").status_code == 401
    assert send("get", "/", headers=issuer.headers()).status_code == 403
    assert send("get", "/", headers=OTHER.headers(sub="partner")).json() == {"sub": "partner"}


def test_a_view_with_the_same_keys_by_hand_is_let_in_after_the_middleware(send, issuer, settings, signals):
    """The verification is done again, since nothing says that both services hold the same keys."""
    settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    service = get_jwks_service()
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [path("", secure(jwks_service=service)(view))]})
    assert send("get", "/", headers=issuer.headers()).status_code == 200
    assert [name for name, _ in signals] == ["accepted", "accepted"]


def test_a_key_service_by_hand_needs_no_keys_in_the_settings(send, settings):
    """`secure(jwks_service=...)` is the model's own way: the settings may be empty."""
    settings.OAUTH_JWT = {}
    assert send("get", "/others-keys/").status_code == 401
    assert send("get", "/others-keys/", headers=OTHER.headers()).status_code == 200


@pytest.mark.parametrize("view_class", [View, APIView])
def test_a_method_without_method_decorator_says_what_is_wrong(view_class):
    """Where the request should be there is the view: nothing is let in, and the remedy is named."""

    class Forgotten(view_class):
        @secure()
        def get(self, request):
            raise AssertionError

    with pytest.raises(TypeError, match=r"got a Forgotten for a request.*method_decorator"):
        Forgotten.as_view()(RequestFactory().get("/"))


def test_an_exempt_view_is_another_one():
    """The view itself stays secured where it is used without the exemption, be it Django's own."""
    exempt = token_not_required(view)
    assert (needs_no_token(exempt), needs_no_token(view)) == (True, False)
    assert (exempt.__name__, exempt.__wrapped__) == ("view", view)

    class Exempt(View):
        dispatch = token_not_required(View.dispatch)

    assert needs_no_token(Exempt.as_view())
    assert not needs_no_token(SyncMethod.as_view())


def test_a_class_is_not_exempt_without_method_decorator():
    """It would be secured as before, without a word."""
    with pytest.raises(TypeError, match="method_decorator"):
        token_not_required(SyncMethod)


def test_requests_at_the_same_time_have_their_own_claims(issuer):
    """Nothing of one request is seen in another that is under way."""

    async def subjects():
        requests = [AsyncClient().get("/args/async/x/", headers=issuer.headers(sub=f"user-{n}")) for n in range(20)]
        return [response.json()["sub"] for response in await asyncio.gather(*requests)]

    assert asyncio.run(subjects()) == [f"user-{n}" for n in range(20)]
