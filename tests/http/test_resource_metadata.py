"""Protected resource metadata (RFC 9728)."""

import pytest
from django.test import Client
from django.urls import include, path

from django_oauth_jwt.decorators import secure

urlpatterns = [
    path("", include("django_oauth_jwt.urls")),
    path("books/", secure()(lambda request: None)),
]
pytestmark = pytest.mark.urls(__name__)

ROOT = {"resource": "https://api.example.com"}
WITH_PATH = {"resource": "https://api.example.com/v2/?tenant=1", "scopes_supported": ["read"]}


def test_the_document_names_the_trusted_issuers(rsa_issuer):
    """A client learns from the metadata whom to ask for a token, with nothing but the resource configured."""
    with rsa_issuer.installed(RESOURCE_METADATA=ROOT):
        response = Client().get("/.well-known/oauth-protected-resource")
    assert response.json() == {
        "resource": "https://api.example.com",
        "authorization_servers": ["https://issuer.test"],
        "bearer_methods_supported": ["header"],
    }


def test_what_the_setting_says_stands(rsa_issuer):
    """Members of the setting are served as they are, and win over those that are known."""
    metadata = {**ROOT, "authorization_servers": ["https://other.example.com"], "resource_name": "Books"}
    with rsa_issuer.installed(RESOURCE_METADATA=metadata):
        served = Client().get("/.well-known/oauth-protected-resource").json()
    assert served["authorization_servers"] == ["https://other.example.com"]
    assert served["resource_name"] == "Books"


@pytest.mark.parametrize(
    ("metadata", "path", "status"),
    [
        (ROOT, "", 200),
        (ROOT, "/", 200),
        (ROOT, "/v2", 404),
        (WITH_PATH, "/v2", 200),
        (WITH_PATH, "/v2/", 200),
        (WITH_PATH, "", 200),
        (WITH_PATH, "/", 200),
        (WITH_PATH, "/v", 404),
        (WITH_PATH, "/v2/x", 404),
        (None, "", 404),
    ],
)
def test_the_document_is_at_the_resources_own_path(rsa_issuer, metadata, path, status):
    """Section 3.1: the well-known URL carries the resource's path, or none, where MCP clients ask as well."""
    with rsa_issuer.installed(RESOURCE_METADATA=metadata):
        response = Client().get(f"/.well-known/oauth-protected-resource{path}")
    assert response.status_code == status
    assert status == 404 or response.json()["resource"] == metadata["resource"]


def test_the_middleware_lets_everybody_read_it(rsa_issuer, settings):
    """Whoever has no token yet must be able to learn where to get one."""
    settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    with rsa_issuer.installed(RESOURCE_METADATA=ROOT):
        assert Client().get("/.well-known/oauth-protected-resource").status_code == 200


@pytest.mark.parametrize(
    ("metadata", "uri"),
    [
        (ROOT, "https://api.example.com/.well-known/oauth-protected-resource"),
        (WITH_PATH, "https://api.example.com/.well-known/oauth-protected-resource/v2?tenant=1"),
    ],
)
def test_the_challenge_says_where_the_document_is(rsa_issuer, metadata, uri):
    """Section 5.1: the 401 leads to the metadata."""
    with rsa_issuer.installed(RESOURCE_METADATA=metadata):
        challenge = Client().get("/books/")["WWW-Authenticate"]
    assert challenge == f'Bearer resource_metadata="{uri}"'
