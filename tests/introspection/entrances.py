"""Every way into the project for a token, each with what becomes of it there."""

from asgiref.sync import async_to_sync
from django.http import JsonResponse
from django.test import AsyncClient, Client
from django.urls import path
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.errors import BearerError
from django_oauth_jwt.permissions import HasScope
from django_oauth_jwt.verification import averify_token, verify_token

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"


def view(request):
    return JsonResponse(request.claims)


async def async_view(request):
    return JsonResponse(request.claims)


class ApiView(APIView):
    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = (HasScope("read"),)

    def get(self, request):
        return Response(request.auth.new_claims())


urlpatterns = [
    path("middleware", view),
    path("decorator", secure(scope="read")(view)),
    path("decorator-async", secure(scope="read")(async_view)),
    path("drf", ApiView.as_view()),
]


def _over_http(at, get=None):
    def send(token, **headers):
        headers = {"Authorization": f"Bearer {token}", **headers}
        response = (get or Client().get)(at, headers=headers)
        return response.status_code, response.json() if response.status_code == 200 else None

    return send


def _by_function(verify):
    def ask(token):
        try:
            return 200, verify(token).new_claims()
        except BearerError as error:
            return error.status, None

    return ask


def _get_async(at, **kwargs):
    return async_to_sync(AsyncClient().get)(at, **kwargs)


#: By name: what takes a token and returns the status, and the claims where it is 200.
ENTRANCES = {
    "middleware": _over_http("/middleware"),
    "middleware, async": _over_http("/middleware", _get_async),
    "decorator": _over_http("/decorator"),
    "decorator, async": _over_http("/decorator-async", _get_async),
    "DRF": _over_http("/drf", APIClient().get),
    "verify_token": _by_function(verify_token),
    # In the test's own thread, as requests are: what is asked in the database sees what the test has put there.
    "averify_token": _by_function(async_to_sync(averify_token)),
}
