"""A view behind each entrance. Each answers with the subject of the token, null where there is none."""

from django.http import JsonResponse
from django.urls import path
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure


def view(request):
    return JsonResponse({"sub": request.claims["sub"]})


async def async_view(request):
    return JsonResponse({"sub": request.claims["sub"]})


class OpenView(APIView):
    """Whoever has no token is let in; whoever has a bad one is not."""

    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = (AllowAny,)

    def get(self, request):
        return Response({"sub": request.auth and request.auth.subject})


class ClosedView(OpenView):
    """Only with a token."""

    permission_classes = (IsAuthenticated,)


urlpatterns = [
    path("middleware", view),
    path("middleware-async", async_view),
    path("decorator", secure()(view)),
    path("decorator-async", secure()(async_view)),
    path("drf-open", OpenView.as_view()),
    path("drf-closed", ClosedView.as_view()),
]
