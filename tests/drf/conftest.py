"""What the tests of the DRF classes share: a view made of its attributes, served at the root."""

import pytest
from django.urls import path
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication


class Endpoint(APIView):
    """A view that answers every method with who was let in."""

    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = (AllowAny,)

    def get(self, request):
        return Response({"user": str(request.user), "has_token": request.auth is not None})

    post = put = patch = delete = get


class Yes(BasePermission):
    """Somebody else's permission, which always agrees."""


class No(BasePermission):
    """Somebody else's permission, which never agrees."""

    message = "Somebody else says no"

    def has_permission(self, request, view):
        return False


@pytest.fixture(autouse=True)
def _bare_project(bare_project):
    """Every test here begins so."""


@pytest.fixture
def yes():
    return Yes


@pytest.fixture
def no():
    return No


@pytest.fixture
def serve(settings):
    """Serve a view of these attributes, or the given one, at the root, and return a client for it."""

    def serve(view=None, **attributes):
        view = view or type("TestView", (Endpoint,), attributes)
        view = view.as_view() if isinstance(view, type) else view
        settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [path("", view)]})
        return APIClient()

    return serve
