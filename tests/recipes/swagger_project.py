"""The project of the page about Swagger UI, with two operations."""

import pytest
from django.urls import path
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.permissions import HasScope


class Books(APIView):
    """An operation that needs a scope; DRF reads its default schema class when it is imported."""

    schema = AutoSchema()
    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = (HasScope("books.read"),)

    def get(self, request) -> None:
        return Response({"sub": request.auth.subject})


class Me(Books):
    """One that needs no scope."""

    permission_classes = (IsAuthenticated,)


@pytest.fixture
def swagger_project(configure, trust, urls, settings, monkeypatch):
    """The page's project, with two operations."""
    trust()
    settings.STATIC_URL = "/static/"
    namespace = configure("swagger-ui.md", "swagger-ui")
    for name, value in namespace["SPECTACULAR_SETTINGS"].items():
        monkeypatch.setattr(spectacular_settings, name, value)
    operations = {"books": Books.as_view(), "me": Me.as_view()}
    urls(**operations)
    # Those of the pages are of DRF's own schema class, whose default was read before the settings were these.
    monkeypatch.setattr(SpectacularAPIView, "urlconf", [path(f"{name}/", view) for name, view in operations.items()])
    return namespace


def login(project):
    return project["SPECTACULAR_SETTINGS"]["APPEND_COMPONENTS"]["securitySchemes"]["bearerJwt"]
