"""The manual's Model Context Protocol server does what its page says, with nothing set that the page does not set."""

import json
import re

import pytest

from .manual_text import PAGES, table

PAGE = "docs/guides/mcp.md"
RESOURCE = "https://books.example.com/mcp"
LIST, ADD = {"name": "list_books"}, {"name": "add_book", "arguments": {"title": "Persuasion"}}


@pytest.fixture
def server(project, as_issuer):
    """The project of the two snippets."""
    module = project.module("books.mcp_server", "mcp-server")
    project.configure("mcp-settings")
    project.urls.urlpatterns += project.defined("urlpatterns")
    with as_issuer.installed():
        yield module


@pytest.fixture
def ask(server, client, as_issuer):
    """Call a tool with a token of these scopes for the resource, or without one for None; return the answer."""

    def ask(params, scope, **more):
        headers = {} if scope is None else as_issuer.headers(scope, **{"aud": RESOURCE, **more})
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return client.post("/mcp", json.dumps(message), "application/json", headers={**headers, "Accept": "*/*"})

    return ask


@pytest.mark.parametrize("scope", ["books.read books.write", "books.write"])
def test_a_token_with_the_scope_calls_the_tool(ask, server, scope):
    """The broader scope alone is enough, as SCOPE_IMPLIES says."""
    assert ask(ADD, scope).json()["result"]["content"][0]["text"] == "Added Persuasion"
    assert ask(LIST, scope).json()["result"]["structuredContent"] == {"result": server.BOOKS}
    assert server.BOOKS == ["Emma", "Persuasion"]


def test_a_client_sees_what_the_table_says(ask, client):
    """Each row's challenge is the beginning of what an answer has."""
    answers = [ask(LIST, None), ask(LIST, "books.read", expired=True), ask(ADD, "books.read")]
    statuses, shown, _ = zip(*table(PAGE), strict=True)
    assert tuple(str(answer.status_code) for answer in answers) == statuses
    metadata_uri = re.search(r'resource_metadata="(.*)"', answers[0]["WWW-Authenticate"])[1]
    no_token, expired, lacking = (answer["WWW-Authenticate"].replace(metadata_uri, "...") for answer in answers)
    assert shown[0] == f"`{no_token}`"
    for challenge, cell in ((expired, shown[1]), (lacking, shown[2])):
        for parameter in re.findall(r'\w+="[^"]*"', cell):
            assert parameter in challenge
    assert expired.endswith(no_token.removeprefix("Bearer "))
    document = client.get(metadata_uri.removeprefix("https://books.example.com")).json()
    assert document["resource"] == RESOURCE
    assert document["authorization_servers"] == ["https://as.example.com"]


def test_the_audience_is_the_resource(ask):
    """Nothing else has to be set for that: a token for the host's other API is refused."""
    assert ask(LIST, "books.read", aud="https://books.example.com").status_code == 401


def test_what_is_no_json_is_no_message(server, client, as_issuer):
    """It reaches no tool."""
    headers = as_issuer.headers("books.read", aud=RESOURCE)
    assert client.post("/mcp", "[" * 100_000, "application/json", headers=headers).status_code == 400
    assert client.get("/mcp", headers=headers).status_code == 405


def test_the_page_names_the_example_and_its_test():
    """Who wants to see it run finds both."""
    assert "`testproject/mcp_server.py`" in PAGES[PAGE]
    assert "`tests/interop/test_mcp_client.py`" in PAGES[PAGE]
