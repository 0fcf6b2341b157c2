"""The views that are asked for while figures are taken."""

from django.http import HttpResponse
from django.urls import path
from rest_framework.decorators import api_view, authentication_classes

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.testing import TokenIssuer

own_issuer = TokenIssuer("https://own.example.com", alg="ES256")


@secure(scope="read")
def view(request):
    reason = request.GET.get("raise")
    if reason:
        raise InvalidToken(reason, "The project does not like it")
    return HttpResponse()


@secure(scope="read")
async def async_view(request):
    return HttpResponse()


@secure(jwks_service=own_issuer)
def own_keys(request):
    return HttpResponse()


def open_view(request):
    """One that the middleware exempts, and that has a refusal all the same."""
    raise InvalidToken("wrong_tenant", "There is none")


@api_view()
@authentication_classes([BearerJwtAuthentication])
def drf_view(request):
    return HttpResponse()


urlpatterns = [
    path("view/", view),
    path("async/", async_view),
    path("own-keys/", own_keys),
    path("open/", open_view),
    path("drf/", drf_view),
]
