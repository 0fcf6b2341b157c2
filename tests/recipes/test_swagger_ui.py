"""Swagger UI with a login: what the page is told, and what the schema says in both versions of OpenAPI."""

import json
import re

import pytest
from django.contrib.staticfiles import finders
from drf_spectacular.settings import spectacular_settings
from openapi_spec_validator import validate

from .pages import FOLDER
from .swagger_project import login, swagger_project

__all__ = ["swagger_project"]

PAGE = (FOLDER / "swagger-ui.md").read_text()
pytestmark = pytest.mark.recipes


@pytest.fixture
def schema(swagger_project, client):
    """Make the schema as the page gets it, in a version of OpenAPI; it is valid."""

    def schema(version):
        spectacular_settings.OAS_VERSION = version  # which `swagger_project` puts back
        schema = client.get("/schema/", headers={"Accept": "application/json"}).json()
        validate(schema)
        return schema

    return schema


@pytest.mark.usefixtures("swagger_project")
def test_the_page_logs_in_with_pkce(client):
    """The configuration reaches Swagger UI."""
    page = client.get("/docs/").content.decode()
    shown = json.loads(re.search(r"ui\.initOAuth\((.*?)\);", page, re.DOTALL)[1])
    assert shown == {"clientId": "books-docs", "usePkceWithAuthorizationCodeGrant": True}


@pytest.mark.usefixtures("swagger_project")
def test_the_files_are_the_projects_own(client):
    """Neither the page nor the one that the login comes back to is of another origin."""
    page, back = client.get("/docs/").content.decode(), client.get("/docs/oauth2-redirect.html", {"code": "c"})
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(files) >= 3
    url, query = back["Location"].split("?")
    assert query == "code=c"
    for file in (*files, url):
        assert finders.find(file.removeprefix("/static/")), file


def test_in_3_1_each_operation_wants_the_login_with_its_scopes(schema, swagger_project):
    """One scheme, which is the page's."""
    found = schema(swagger_project["SPECTACULAR_SETTINGS"]["OAS_VERSION"])
    assert found["openapi"] == "3.1.1"
    assert found["paths"]["/books/"]["get"]["security"] == [{"bearerJwt": ["books.read"]}]
    assert found["paths"]["/me/"]["get"]["security"] == [{"bearerJwt": []}]
    assert found["components"]["securitySchemes"] == {"bearerJwt": login(swagger_project)}


def test_in_3_0_another_scheme_lists_the_scopes(schema, swagger_project):
    """The login is wanted all the same."""
    found = schema("3.0.3")
    assert found["paths"]["/books/"]["get"]["security"] == [{"bearerJwt": [], "oauth2": ["books.read"]}]
    assert found["paths"]["/me/"]["get"]["security"] == [{"bearerJwt": []}]
    schemes = found["components"]["securitySchemes"]
    assert schemes["bearerJwt"] == login(swagger_project)
    assert schemes["oauth2"]["type"] == "openIdConnect"


def test_the_page_needs_no_token_behind_the_middleware(swagger_project, settings, client, trust):
    """With the exemption that the recipe names; the operations still do."""
    settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    trust(EXEMPT_PATHS=[re.search(r'add `"([^"]*)"` to `EXEMPT_PATHS`', " ".join(PAGE.split()))[1]])
    for url in ("/docs/", "/schema/", "/docs/oauth2-redirect.html"):
        assert client.get(url).status_code < 400
    assert client.get("/books/").status_code == 401
