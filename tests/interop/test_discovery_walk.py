"""The way of a Model Context Protocol client from a refusal to an answer, over real HTTP.

It knows the API's URL and its own credentials, nothing else: the refusal leads to the protected resource
metadata (RFC 9728), that to the authorization server's metadata (RFC 8414), that to a token.
"""

import re

import pytest
import requests
from django.http import JsonResponse
from django.urls import include, path

from django_oauth_jwt.decorators import secure
from testproject.demo.servers import ApiServer

AUDIENCE = "https://api.example.com"

urlpatterns = [
    path("", include("django_oauth_jwt.urls")),
    path("mcp", secure(scope=["tools"])(lambda request: JsonResponse({"client": request.access_token.client_id}))),
]


def get(url, **headers):
    return requests.get(url, headers=headers, timeout=10)


@pytest.fixture
def api_url():
    """The project, served over HTTP."""
    with ApiServer() as server:
        yield server.origin


@pytest.mark.urls(__name__)
def test_a_client_finds_its_way_from_the_refusal_to_an_answer(start_server, settings, api_url):
    """Each step is told by the answer before it, and the last is let in."""
    server = start_server("ES256")
    resource = f"{api_url}/mcp"
    settings.OAUTH_JWT = {
        "ISSUER": server.issuer,
        "AUDIENCE": AUDIENCE,
        "RESOURCE_METADATA": {"resource": resource, "scopes_supported": ["tools"]},
    }
    refusal = get(resource)
    assert refusal.status_code == 401
    metadata_url = re.search(r'resource_metadata="([^"]+)"', refusal.headers["WWW-Authenticate"])[1]

    metadata = get(metadata_url).json()
    assert metadata["resource"] == resource
    (issuer,) = metadata["authorization_servers"]

    server_metadata = get(f"{issuer}/.well-known/oauth-authorization-server").json()
    assert server_metadata["issuer"] == issuer
    token = server.token(" ".join(metadata["scopes_supported"]), server_metadata["token_endpoint"])

    answer = get(resource, Authorization=f"Bearer {token}")
    assert (answer.status_code, answer.json()) == (200, {"client": "batch-job"})
