"""`get_access_token`: the typed token of a request, whichever entry point accepted it."""

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.errors import MissingToken
from django_oauth_jwt.http import get_access_token
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.verification import verify_token

OTHER = TokenIssuer(alg="ES256")
MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"


class Foreign(BaseAuthentication):
    """Somebody else's authenticator, whose `request.auth` is no token of ours."""

    def authenticate(self, request):
        return object(), "a key of its own"


class Api(APIView):
    authentication_classes = (BearerJwtAuthentication,)

    def get(self, request):
        return Response(get_access_token(request).subject)


class OthersApi(Api):
    authentication_classes = (Foreign,)


def view(request):
    """Say whose token it is."""
    return HttpResponse(f'"{get_access_token(request).subject}"')


urlpatterns = [
    path("secured/", secure()(view)),
    path("own-keys/", token_not_required(secure(jwks_service=OTHER)(view))),
    path("plain/", view),
    path("api/", Api.as_view()),
    path("others-api/", OthersApi.as_view()),
]
pytestmark = pytest.mark.urls(__name__)


@pytest.mark.parametrize(
    ("url", "middleware"),
    [("secured", False), ("plain", True), ("secured", True), ("api", False), ("api", True), ("others-api", True)],
)
def test_the_accepted_token_is_returned(rsa_issuer, settings, url, middleware):
    """Of the decorator, the middleware, and DRF; also where DRF's own user came by another authenticator."""
    settings.MIDDLEWARE = [MIDDLEWARE] if middleware else []
    with rsa_issuer.installed():
        response = Client().get(f"/{url}/", headers=rsa_issuer.headers(sub="anna"))
    assert (response.status_code, response.content) == (200, b'"anna"')


def test_a_token_of_a_views_own_keys_is_one(rsa_issuer, settings):
    """Its keys are not the settings', and the view means that token all the same."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    with rsa_issuer.installed():
        assert Client().get("/own-keys/", headers=OTHER.headers(sub="partner")).content == b'"partner"'


def test_a_token_that_rest_framework_was_given_is_returned(rsa_issuer):
    """By an authenticator of the project's own, or by `force_authenticate` in its tests."""
    request = Request(RequestFactory().get("/"))
    with rsa_issuer.installed():
        request.auth = verify_token(rsa_issuer.token())
    assert get_access_token(request) is request.auth


@pytest.mark.parametrize("wrap", [lambda request: request, Request], ids=["Django", "DRF"])
@pytest.mark.parametrize("attributes", [{}, {"access_token": None}, {"auth": "no token"}])
def test_without_a_token_it_raises(wrap, attributes):
    """MissingToken, never an AttributeError or None: the type says that there is one."""
    request = RequestFactory().get("/")
    vars(request).update(attributes)
    with pytest.raises(MissingToken):
        get_access_token(wrap(request))


def test_a_rest_framework_view_without_a_token_answers_with_the_challenge(rsa_issuer):
    """What the function raises is a refusal like any other."""
    with rsa_issuer.installed():
        response = Client().get("/api/")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
