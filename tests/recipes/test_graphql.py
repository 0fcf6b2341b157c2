"""GraphQL views behind `secure`: Strawberry's, sync and async, and graphene-django's."""

import json

import pytest

from django_oauth_jwt.errors import InsufficientScope

from .pages import FOLDER, as_module

pytestmark = pytest.mark.recipes

PAGES = {"strawberry": "strawberry.md", "graphene": "graphene.md"}
#: By the name of a test: the snippet, and what is changed in it.
VIEWS = {
    "strawberry": ("strawberry",),
    "strawberry-async": ("strawberry", "GraphQLView", "AsyncGraphQLView"),
    "graphene": ("graphene",),
}
READ, ALL = "books.read", "books.read books.sales"
MESSAGE = InsufficientScope().description
EXTENSIONS = {"code": "insufficient_scope", "scope": "books.sales"}


@pytest.fixture(params=VIEWS)
def recipe(request, monkeypatch, trust, settings, urls):
    """The project of one page: its view at /graphql/."""
    settings.MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
    trust()
    name, *change = VIEWS[request.param]
    module = as_module(monkeypatch, PAGES[name], name, *change)
    urls(graphql=module.graphql)
    return module


@pytest.fixture
def ask(recipe, rsa_issuer, send):
    """Send a query with a token of these scopes, or without one, over WSGI and ASGI; return the answer."""

    def ask(query, scope=None, **claims):
        headers = None if scope is None else rsa_issuer.headers(scope, **claims)
        return send("post", "/graphql/", data={"query": query}, content_type="application/json", headers=headers)

    return ask


def test_a_request_without_a_good_token_is_answered_as_any_other(ask):
    """Before GraphQL sees it: status, challenge, and no data."""
    missing, expired, poor = ask("{ me }"), ask("{ me }", READ, expired=True), ask("{ me }", "other")
    assert [response.status_code for response in (missing, expired, poor)] == [401, 403, 403]
    assert missing["WWW-Authenticate"] == f'Bearer scope="{READ}"'
    assert poor.json()["error"] == "insufficient_scope"


def test_a_resolver_reads_the_token(ask):
    """No CSRF token is needed beside it."""
    response = ask("{ me sales }", ALL, sub="anna")
    assert (response.status_code, response.json()) == (200, {"data": {"me": "anna", "sales": 7}})
    assert "Authorization" in response["Vary"]


def test_a_field_without_its_scope_is_an_error_of_graphqls(ask):
    """Not a 500, and the other fields are answered."""
    response = ask("{ me sales }", READ, sub="anna")
    assert response.status_code == 200
    answer = response.json()
    assert answer["data"] == {"me": "anna", "sales": None}
    (error,) = answer["errors"]
    assert (error["message"], error["path"], error["extensions"]) == (MESSAGE, ["sales"], EXTENSIONS)


def test_a_field_that_nobody_asks_for_needs_no_scope(ask):
    """Its permission is asked with it."""
    assert "errors" not in ask("{ me }", READ).json()


def test_the_pages_show_the_answer_that_comes(ask, recipe):
    """But for the places in the query, which the pages leave out."""
    page = (FOLDER / PAGES[recipe.__name__.removeprefix("recipe_")]).read_text()
    shown = json.loads(page.partition("```json\n")[2].partition("```")[0])
    answer = ask("{ me sales }", READ, sub="anna").json()
    assert shown["errors"][0].pop("...") == "..."
    assert answer["errors"][0].pop("locations")
    assert shown == answer


def test_a_refusal_that_a_resolver_raises_is_an_error_too(ask, recipe, monkeypatch):
    """With its description, and without its detail."""

    def refuse(*args, **kwargs):
        raise InsufficientScope(["x"], detail="for the project alone")

    monkeypatch.setattr(recipe, "get_access_token", refuse)
    response = ask("{ me }", READ)
    assert response.status_code == 200
    assert response.json()["errors"][0]["message"] == MESSAGE
    assert "for the project" not in response.content.decode()
