"""The example's Model Context Protocol server: each tool with its scope, under WSGI and ASGI, whatever is sent."""

import json

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from testproject import mcp_server

JSON = "application/json"


def call(tool, **arguments):
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


ADD = call("add_book", title="Persuasion")


@pytest.fixture(params=[Client, AsyncClient], ids=["WSGI", "ASGI"])
def post(request, issuer):
    """POST a body with a token of these scopes, or without one for None."""
    client = request.param()
    send = async_to_sync(client.post) if isinstance(client, AsyncClient) else client.post

    def post(body, scope="books.read books.write", content_type=JSON, headers=None):
        accepted = {"Accept": f"{JSON}, text/event-stream"}
        headers = {**accepted, **(headers or {}), **({} if scope is None else issuer.headers(scope))}
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        return send("/mcp", data, content_type=content_type, headers=headers)

    return post


@pytest.fixture(autouse=True)
def titles(monkeypatch):
    """The books of this test."""
    titles = ["Emma"]
    monkeypatch.setattr(mcp_server, "BOOKS", titles)
    return titles


def test_the_tools_are_listed_with_their_arguments(post):
    """What a model needs to know of them, for any token that the server takes."""
    tools = post({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, "books.read").json()["result"]["tools"]
    arguments = {tool["name"]: list(tool["inputSchema"]["properties"]) for tool in tools}
    assert arguments == {"list_books": [], "add_book": ["title"]}
    assert arguments.keys() == mcp_server.TOOL_SCOPES.keys()


@pytest.mark.parametrize(
    ("message", "scope", "status"),
    [
        (call("list_books"), None, 401),
        (call("list_books"), "books.write", 403),
        (call("list_books"), "books.read", 200),
        (ADD, None, 401),
        (ADD, "books.read", 403),
        (ADD, "books.write", 403),
        (ADD, "books.read books.write", 200),
        (call("burn_books"), "books.read", 403),
        (call("burn_books"), "books.read books.write", 200),
        ({"jsonrpc": "2.0", "method": "notifications/initialized"}, "books.read", 202),
    ],
)
def test_a_tool_is_called_with_its_scope_only(post, titles, message, scope, status):
    """A refusal is an HTTP answer, which clients step up for; a tool that is not there is the protocol's affair."""
    assert post(message, scope).status_code == status
    assert (titles == ["Emma", "Persuasion"]) == (message is ADD and status == 200)


@pytest.mark.parametrize("scope", ["books.write", "books.read books.write"])
def test_a_broader_scope_stands_for_a_narrower_one(post, settings, scope):
    """SCOPE_IMPLIES holds for the scopes of tools as well."""
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "SCOPE_IMPLIES": {"books.write": ["books.read"]}}
    assert post(call("list_books"), scope).json()["result"]["structuredContent"] == {"result": ["Emma"]}
    assert post(ADD, scope).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not JSON",
        b"[" * 100_000,
        b"null",
        b"7",
        json.dumps([ADD]),
        json.dumps({**ADD, "params": [ADD["params"]]}),
        json.dumps(ADD).replace("1,", f"{'1' * 5000},"),
    ],
    ids=["empty", "text", "deep", "null", "number", "batch", "list of params", "long number"],
)
def test_what_is_no_message_calls_no_tool(post, titles, body):
    """The token lacks the tool's scope, so nothing that hides its name from the view may reach it."""
    assert post(body, "books.read").status_code == 400
    assert titles == ["Emma"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_the_scope_is_asked_for_in_whatever_encoding(post, encoding):
    """The view reads what the protocol's own parser may not."""
    assert post(json.dumps(ADD).encode(encoding), "books.read").status_code == 403
    assert post(json.dumps(ADD).encode(encoding)).status_code == 200


def test_of_a_name_given_twice_the_last_counts_for_both(post, titles):
    """View and protocol are given one and the same message."""
    twice = json.dumps(ADD).replace('"name"', '"name": "list_books", "name"')
    assert post(twice, "books.read").status_code == 403
    assert titles == ["Emma"]


def test_nothing_but_post_is_answered(client, issuer):
    """A server without sessions has nothing to send by itself, so nobody waits for it."""
    response = client.get("/mcp", headers=issuer.headers("books.read"))
    assert (response.status_code, response["Allow"]) == (405, "POST")


def test_a_stream_is_not_begun(post):
    """A view would wait for its end, and hold a thread: clients are told that there is none."""
    meta = {"protocolVersion": "2026-07-28", "clientInfo": {"name": "x", "version": "1"}, "clientCapabilities": {}}
    params = {
        "notifications": {"toolsListChanged": True},
        "_meta": {f"io.modelcontextprotocol/{name}": value for name, value in meta.items()},
    }
    message = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"}
    assert post(message, "books.read", headers=headers).status_code == 406


def test_a_tool_that_somebody_forgot_needs_the_broadest_scope(post, monkeypatch):
    """Who adds a tool may not think of its scope."""
    monkeypatch.setattr(mcp_server, "TOOL_SCOPES", {})
    assert post(call("list_books"), "books.read").status_code == 403
