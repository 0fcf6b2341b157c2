"""Protected resource metadata (RFC 9728)."""

import re

import pytest
from django.test import Client, RequestFactory
from django.urls import include, path

from django_oauth_jwt.decorators import secure
from django_oauth_jwt.http import protected_resource_metadata

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


@pytest.mark.parametrize(
    ("path", "others"),
    [
        ("/%C3%A9", ["/%c3%a9", "/%C3%A9/", "/\u00e9"]),
        ("/%C3%A9/", ["/%C3%A9", "/\u00e9/"]),
        ("/b%C3%BCcher/v%201/", ["/b%C3%BCcher/v%201"]),
        ("/a%2Fb", ["/a/b", "/a%2fb"]),
        ("/a%2F", ["/a", "/a/"]),
        ("/100%25", ["/100%25/"]),
        ("/100%2525", []),
        ("/caf%E9", []),
        ("/%FF/%C3%A9/", ["/%FF/%C3%A9"]),
        ("/a%3Fb%23c", []),
        ("/%41pi", ["/Api", "/A%70i"]),
        ("/v2/", ["/v2"]),
        ("/v2//", ["/v2", "/v2/"]),
        ("/a;b=c/d", []),
        ("/a+b", []),
        ("/~x", ["/%7Ex"]),
        ("//", ["", "/"]),
    ],
)
def test_the_advertised_document_answers(send, rsa_issuer, path, others):
    """The URL in the challenge is one that answers, however the path of the resource is encoded, slash or not."""
    with rsa_issuer.installed(RESOURCE_METADATA={"resource": f"https://testserver{path}"}):
        challenge = send("get", "/books/")["WWW-Authenticate"]
        advertised = re.fullmatch('Bearer resource_metadata="https://testserver(.*)"', challenge)[1]
        well_known = "/.well-known/oauth-protected-resource"
        for url in (advertised, f"{well_known}{path}", *(f"{well_known}{other}" for other in others)):
            response = send("get", url)
            assert (url, response.status_code) == (url, 200)
            assert response.json()["resource"] == f"https://testserver{path}"


@pytest.mark.parametrize(
    ("path", "other"),
    [("/%C3%A9", "/%C3%A8"), ("/%C3%A9", "/%25C3%25A9"), ("/100%25", "/100"), ("/100%25", "/100%2525"), ("/a", "/A")],
)
def test_another_resource_is_not_this_one(send, rsa_issuer, path, other):
    """What is decoded is decoded once."""
    with rsa_issuer.installed(RESOURCE_METADATA={"resource": f"https://testserver{path}"}):
        assert send("get", f"/.well-known/oauth-protected-resource{other}").status_code == 404


@pytest.mark.parametrize("seen", ["caf%E9", "caf\ufffd"], ids=["WSGI", "ASGI"])
def test_a_path_that_is_no_utf_8_is_found_as_each_server_decodes_it(rsa_issuer, seen):
    """Django's WSGI handler leaves the byte encoded; uvicorn puts the replacement character in its place."""
    with rsa_issuer.installed(RESOURCE_METADATA={"resource": "https://testserver/caf%E9"}):
        response = protected_resource_metadata(RequestFactory().get("/"), f"/{seen}")
    assert response.status_code == 200


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
