"""The browsable API and OPTIONS: DRF tries out permissions there, which must show nowhere."""

import pytest
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.generics import RetrieveUpdateDestroyAPIView
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.permissions import HasScope

EXPIRED = 'Bearer error="invalid_token", error_description="Token has expired", scope="read"'
LACKING = (
    'Bearer error="insufficient_scope", error_description="Token is missing some required scope values", scope="read"'
)
HTML = {"Accept": "text/html"}


class BookSerializer(serializers.Serializer):
    title = serializers.CharField()


class Book(RetrieveUpdateDestroyAPIView):
    """A generic view: everybody may read, and options and changes have scopes of their own."""

    authentication_classes = (BearerJwtAuthentication, SessionAuthentication)
    permission_classes = (HasScope({"GET": "read", "OPTIONS": "read", "PUT": "write", "DELETE": "delete"}),)
    renderer_classes = (JSONRenderer, BrowsableAPIRenderer)
    parser_classes = (JSONParser,)
    serializer_class = BookSerializer

    def get_object(self):
        book = {"title": "Emma"}
        self.check_object_permissions(self.request, book)
        return book

    def perform_update(self, serializer):
        """There is no database behind it."""


@pytest.fixture
def client(serve, settings):
    """A client of the generic view; the browsable API needs templates."""
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.contrib.staticfiles"]
    settings.STATIC_URL = "/static/"
    return serve(Book)


@pytest.mark.parametrize("scope", ["read", "read write", "read write delete"])
def test_the_browsable_api_shows_what_the_token_may_do(client, issuer, signals, scope):
    """DRF asks for each method whether to offer it: none of these questions reaches the answer or the signals."""
    response = client.get("/", headers={**issuer.headers(scope), **HTML})
    page = response.content.decode()
    assert response.status_code == 200
    assert 'title="Make a GET request' in page
    assert ("Make a DELETE request" in page) == ("delete" in scope)
    assert ("Make a PUT request" in page) == ("write" in scope)
    assert "WWW-Authenticate" not in response.headers
    assert "Cache-Control" not in response.headers
    assert [name for name, _ in signals] == ["accepted"]


@pytest.mark.parametrize(
    ("token", "status", "challenge", "reasons"),
    [
        (None, 401, 'Bearer scope="read"', []),
        ({"expired": True}, 403, EXPIRED, ["expired"]),
        (
            {"scope": "write"},
            403,
            LACKING,
            ["insufficient_scope"],
        ),
    ],
)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_refusal_can_be_a_page_or_json(client, issuer, signals, token, status, challenge, reasons, accept):
    """Content negotiation is DRF's; challenge, status and signals are the same."""
    headers = {} if token is None else issuer.headers(**token)
    response = client.get("/", headers={**headers, "Accept": accept})
    assert response.status_code == status
    assert response["Content-Type"].startswith(accept)
    assert response["WWW-Authenticate"] == challenge
    assert response["Cache-Control"] == "no-store"
    assert [sent["reason"] for name, sent in signals if name == "rejected"] == reasons
    assert response["Vary"].split(", ")[:2] == ["Accept", "Authorization"]


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_options_that_are_let_in_carry_no_challenge(client, issuer, signals, accept):
    """DRF asks whether PUT would be allowed, to describe its fields; that it is not is no refusal."""
    response = client.options("/", headers={**issuer.headers("read"), "Accept": accept})
    assert response.status_code == 200
    assert "WWW-Authenticate" not in response.headers
    assert "Cache-Control" not in response.headers
    assert [name for name, _ in signals] == ["accepted"]


def test_options_describe_what_the_token_may_change(client, issuer):
    """With the scope for PUT its fields are there, without it they are not."""
    assert "actions" not in client.options("/", headers=issuer.headers("read")).json()
    assert "PUT" in client.options("/", headers=issuer.headers("read write")).json()["actions"]


@pytest.mark.parametrize(("scope", "status"), [("read", 403), ("write", 200)])
def test_a_change_through_a_generic_view_needs_its_scope(client, issuer, scope, status):
    """The object is asked for as well."""
    response = client.put("/", {"title": "Emma"}, format="json", headers=issuer.headers(scope))
    assert response.status_code == status
