"""The step-up permission, the OpenAPI schema and the commands do what the manual says."""

import time
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.urls import path

from django_oauth_jwt.testing import TokenIssuer

from .manual_text import is_excerpt, marked_blocks

NOW = 1_800_000_000


def test_step_up(project, as_issuer, call):
    """A token of a weak or old log-in is challenged with what is required."""
    project.configure("settings", "drf-settings")
    project.route(pay=project.module("books.payment", "step-up").Payment.as_view())
    with as_issuer.installed():
        refusal = call("/pay/", "pay", "post", acr="password")
        assert refusal.status_code == 401
        assert 'acr_values="gold mfa", max_age="300"' in refusal["WWW-Authenticate"]
        assert call("/pay/", "pay", "post", acr="mfa", auth_time=int(time.time())).status_code == 201


def test_openapi(project, as_issuer):
    """The settings of the snippet are all that the schema of the DRF views takes."""
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415  # not before its settings are there
    from drf_spectacular.openapi import AutoSchema  # noqa: PLC0415

    project.configure("settings", "drf-settings", "openapi")
    assert project.defined("REST_FRAMEWORK")["DEFAULT_SCHEMA_CLASS"] == f"{AutoSchema.__module__}.AutoSchema"
    views = project.module("books.views", "drf-views")
    views.Books.schema = AutoSchema()
    with as_issuer.installed(), override_settings(INSTALLED_APPS=project.defined("INSTALLED_APPS")):
        schema = SchemaGenerator(patterns=[path("books/", views.Books.as_view())]).get_schema(public=True)
    (way,) = schema["paths"]["/books/"]["get"]["security"]
    assert way == {"bearerJwt": [], "oauth2": ["books.read"]}


@pytest.mark.usefixtures("project")
def test_explain_token_prints_what_the_manual_shows(monkeypatch):
    """The excerpt is of the command as it is now."""
    monkeypatch.setattr("time.time", lambda: NOW)
    output = StringIO()
    issuer = TokenIssuer("https://as.example.com")
    with issuer.installed(AUDIENCE="https://books.example.com"):
        token = issuer.token(expired=True, aud="https://else.example.com")
        monkeypatch.setattr("sys.stdin", StringIO(f"{token}\n"))
        call_command("explain_token", "-", stdout=output)
    _, command, excerpt = marked_blocks("output")["explain"].rpartition(
        '$ echo "$TOKEN" | python manage.py explain_token -\n'
    )
    assert command
    assert is_excerpt(excerpt, output.getvalue())
