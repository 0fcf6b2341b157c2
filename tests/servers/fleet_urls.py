"""Secured views that tell which process answered, an open one that tells that the server is up, and the probe."""

import os

from django.http import HttpResponse
from django.urls import path

from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.health import readiness


def _pid(request):
    return HttpResponse(str(os.getpid()))


async def _apid(request):
    return HttpResponse(str(os.getpid()))


@token_not_required
def _open(request):
    return HttpResponse("up")


urlpatterns = [
    path("open", _open),
    path("ready", readiness),
    path("secured", secure()(_pid)),
    path("asecured", secure()(_apid)),
]
