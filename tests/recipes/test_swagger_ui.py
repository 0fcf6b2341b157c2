"""Swagger UI with a login: what the page is told, and what the schema says in both versions of OpenAPI."""

import json
import re

import pytest
from django.contrib.staticfiles import finders
from django.urls import path
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.views import SpectacularAPIView
from openapi_spec_validator import validate
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.permissions import HasScope

from .pages import FOLDER

PAGE = (FOLDER / "swagger-ui.md").read_text()
pytestmark = pytest.mark.recipes


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
def project(configure, trust, urls, settings, monkeypatch):
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


@pytest.fixture
def schema(project, client):
    """Make the schema as the page gets it, in a version of OpenAPI; it is valid."""

    def schema(version):
        spectacular_settings.OAS_VERSION = version  # which `project` puts back
        schema = client.get("/schema/", headers={"Accept": "application/json"}).json()
        validate(schema)
        return schema

    return schema


@pytest.mark.usefixtures("project")
def test_the_page_logs_in_with_pkce(client):
    """The configuration reaches Swagger UI."""
    page = client.get("/docs/").content.decode()
    shown = json.loads(re.search(r"ui\.initOAuth\((.*?)\);", page, re.DOTALL)[1])
    assert shown == {"clientId": "books-docs", "usePkceWithAuthorizationCodeGrant": True}


@pytest.mark.usefixtures("project")
def test_the_files_are_the_projects_own(client):
    """Neither the page nor the one that the login comes back to is of another origin."""
    page, back = client.get("/docs/").content.decode(), client.get("/docs/oauth2-redirect.html", {"code": "c"})
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(files) >= 3
    url, query = back["Location"].split("?")
    assert query == "code=c"
    for file in (*files, url):
        assert finders.find(file.removeprefix("/static/")), file


def test_in_3_1_each_operation_wants_the_login_with_its_scopes(schema, project):
    """One scheme, which is the page's."""
    found = schema(project["SPECTACULAR_SETTINGS"]["OAS_VERSION"])
    assert found["openapi"] == "3.1.1"
    assert found["paths"]["/books/"]["get"]["security"] == [{"bearerJwt": ["books.read"]}]
    assert found["paths"]["/me/"]["get"]["security"] == [{"bearerJwt": []}]
    assert found["components"]["securitySchemes"] == {"bearerJwt": login(project)}


def test_in_3_0_another_scheme_lists_the_scopes(schema, project):
    """The login is wanted all the same."""
    found = schema("3.0.3")
    assert found["paths"]["/books/"]["get"]["security"] == [{"bearerJwt": [], "oauth2": ["books.read"]}]
    assert found["paths"]["/me/"]["get"]["security"] == [{"bearerJwt": []}]
    schemes = found["components"]["securitySchemes"]
    assert schemes["bearerJwt"] == login(project)
    assert schemes["oauth2"]["type"] == "openIdConnect"


def login(project):
    return project["SPECTACULAR_SETTINGS"]["APPEND_COMPONENTS"]["securitySchemes"]["bearerJwt"]


def test_the_page_needs_no_token_behind_the_middleware(project, settings, client, trust):
    """With the exemption that the recipe names; the operations still do."""
    settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    trust(EXEMPT_PATHS=[re.search(r'add `"([^"]*)"` to `EXEMPT_PATHS`', " ".join(PAGE.split()))[1]])
    for url in ("/docs/", "/schema/", "/docs/oauth2-redirect.html"):
        assert client.get(url).status_code < 400
    assert client.get("/books/").status_code == 401
