"""Views behind each entrance, all with the same requirements: scopes read and write, and the role admin."""

from django.http import JsonResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.permissions import HasClaim, HasScope

SCOPE = ["read", "write"]
CLAIMS = [{"name": "role", "value": "admin"}]
secured = secure(scope=SCOPE, claims=CLAIMS)


def sync_view(request):
    """Answer with the claims."""
    return JsonResponse(request.claims)


async def async_view(request):
    """Do the same as a coroutine function."""
    return JsonResponse(request.claims)


class SyncClass(View):
    """A class with sync handlers."""

    def get(self, request):
        return JsonResponse(request.claims)

    post = get


class AsyncClass(View):
    """A class with async handlers."""

    async def get(self, request):
        return JsonResponse(request.claims)

    post = get


@method_decorator(secured, name="dispatch")
class SecuredSyncClass(SyncClass):
    """Secured as a whole."""


@method_decorator(secured, name="dispatch")
class SecuredAsyncClass(AsyncClass):
    """Secured as a whole."""


class DrfClass(APIView):
    """The same by DRF's means."""

    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = (IsAuthenticated, HasScope(*SCOPE), HasClaim("role", "admin"))

    def get(self, request):
        return Response(request.claims)

    post = get


@api_view(["GET", "POST"])
@authentication_classes([BearerJwtAuthentication])
@permission_classes([HasScope, HasClaim])
def drf_function(request):
    """Take the requirements from the view."""
    return Response(request.claims)


drf_function.cls.required_scopes = "read write"
drf_function.cls.required_claims = CLAIMS

urlpatterns = [
    path("middleware/def", sync_view),
    path("middleware/async", async_view),
    path("middleware/class", SyncClass.as_view()),
    path("middleware/async-class", AsyncClass.as_view()),
    path("decorator/def", secured(sync_view)),
    path("decorator/async", secured(async_view)),
    path("decorator/class", SecuredSyncClass.as_view()),
    path("decorator/async-class", SecuredAsyncClass.as_view()),
    path("drf/class", DrfClass.as_view()),
    path("drf/function", drf_function),
]
