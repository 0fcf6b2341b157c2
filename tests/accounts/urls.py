"""Views that say who was let in: by the decorator, by the middleware alone, and in Django REST framework."""

from django.http import JsonResponse
from django.urls import path
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import IsAuthenticated

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure


def who(request):
    user = request.user
    return JsonResponse({"pk": user.pk, "name": user.get_username(), "email": user.email})


async def awho(request):
    user = await request.auser()
    return JsonResponse({"pk": user.pk, "name": user.get_username(), "email": user.email})


@api_view()
@authentication_classes([BearerJwtAuthentication])
@permission_classes([IsAuthenticated])
def drf_who(request):
    return who(request)


urlpatterns = [
    path("who/", secure()(who)),
    path("async/", secure()(awho)),
    path("drf/", drf_who),
    path("plain/", who),
]
