"""Walks of the official Model Context Protocol client to the tools of the example's server, over real HTTP.

The client knows the server's URL and nothing else. The authorization server is Authlib's.
"""

import asyncio

import pytest

from django_oauth_jwt.verification import verify_token
from testproject import mcp_server
from testproject.asgi import application

from .mcp_agent import Agent
from .uvicorn_server import served

pytestmark = pytest.mark.real_servers

DISCOVERED = ["GET /.well-known/oauth-protected-resource/mcp 200", "GET /.well-known/oauth-authorization-server 200"]
REGISTERED = ["POST /register 201"]
AUTHORIZED = ["GET /authorize 302", "POST /token 200"]
LACKING = 'error="insufficient_scope", error_description="Token is missing some required scope values", '
EXPIRED = 'error="invalid_token", error_description="Token has expired", '


@pytest.fixture(scope="module")
def origin():
    """The example project on uvicorn."""
    with served(application) as origin:
        yield origin


@pytest.fixture
def authorization_server(shared_server, settings, origin, monkeypatch):
    """The server that the example trusts, with tokens that live for an hour; the books are the test's own."""
    shared_server.set_lifetime(3600)
    settings.OAUTH_JWT = {
        "ISSUER": shared_server.issuer,
        "TOKEN_TYPES": ["at+jwt"],
        "RESOURCE_METADATA": mcp_server.resource_metadata(origin),
    }
    monkeypatch.setattr(mcp_server, "BOOKS", ["Emma"])
    return shared_server


@pytest.fixture
def agent(authorization_server, origin):
    """A client that has never heard of this server."""
    return Agent(f"{origin}/mcp")


def lines(exchanges):
    return [str(exchange) for exchange in exchanges]


def challenge(origin, scope, error=""):
    metadata = f"{origin}/.well-known/oauth-protected-resource/mcp"
    return f'Bearer {error}scope="{scope}", resource_metadata="{metadata}"'


async def list_books(client):
    answer = await client.call_tool("list_books", {})
    return answer.structured_content["result"]


async def add_book(client):
    answer = await client.call_tool("add_book", {"title": "Persuasion"})
    return answer.content[0].text


def connect(agent, *calls, mode="auto"):
    """Start a client, do these calls, and return what they returned."""

    async def run():
        async with agent.connected(mode) as client:
            return [await call(client) for call in calls]

    return asyncio.run(run())


@pytest.mark.parametrize(("mode", "hello"), [("auto", "server/discover"), ("legacy", "initialize")])
def test_the_url_alone_leads_a_client_to_a_tool(agent, origin, mode, hello):
    """From 401 over the metadata of both servers, registration and PKCE to the answer, in old and new protocol."""
    assert connect(agent, list_books, mode=mode) == [["Emma"]]
    exchanges = agent.take()
    walk = [f"POST /mcp 401 {hello}", *DISCOVERED, *REGISTERED, *AUTHORIZED, f"POST /mcp 200 {hello}"]
    assert lines(exchanges)[: len(walk)] == walk
    assert "POST /mcp 200 tools/call" in lines(exchanges)[len(walk) :]
    refusal, *steps = exchanges[: len(walk) - 1]
    assert refusal.challenge == challenge(origin, "books.read")
    assert [step.authorization for step in (refusal, *steps)] == [None] * len(walk[:-1])
    assert {answer.authorization for answer in exchanges[len(walk) - 1 :]} == {f"Bearer {agent.tokens.access_token}"}


def test_the_token_is_for_this_server_and_the_scope_that_it_asked_for(agent, origin):
    """RFC 8707: the resource of the metadata is in both requests, and so in `aud`, which nobody had to configure."""
    connect(agent, list_books)
    authorization, token = [one for one in agent.take() if one.url.path in ("/authorize", "/token")]
    assert authorization.sent["scope"] == "books.read"
    assert authorization.sent["code_challenge_method"] == "S256"
    assert authorization.sent["resource"] == token.sent["resource"] == f"{origin}/mcp"
    claims = verify_token(agent.tokens.access_token).claims
    assert (claims["aud"], claims["scope"], claims["sub"]) == (f"{origin}/mcp", "books.read", "anna")


def test_a_client_steps_up_once_to_the_scope_of_another_tool(agent, origin):
    """The challenge has the scopes of view and tool, so one step is enough, and both tools can be called after it."""
    calls = [list_books, add_book, list_books, add_book]
    added = "Added 'Persuasion'."
    assert connect(agent, *calls) == [["Emma"], added, ["Emma", "Persuasion"], added]
    exchanges = agent.take()
    (refusal,) = [one for one in exchanges if one.status == 403]
    stepped_up = exchanges[exchanges.index(refusal) :]
    assert refusal.challenge == challenge(origin, "books.read books.write", LACKING)
    assert lines(stepped_up)[:4] == ["POST /mcp 403 tools/call", *AUTHORIZED, "POST /mcp 200 tools/call"]
    assert stepped_up[1].sent["scope"] == "books.read books.write"
    assert stepped_up[3].sent == refusal.sent
    assert lines(exchanges).count(AUTHORIZED[0]) == 2


def test_a_client_that_starts_with_too_narrow_a_token_steps_up(agent, origin):
    """It has found no metadata yet: the challenge of the 403 leads there, too."""
    connect(agent)
    agent.take()
    assert connect(agent, add_book) == ["Added 'Persuasion'."]
    hello, *exchanges = agent.take()
    assert hello.status == 200
    walk = ["POST /mcp 403 tools/call", *DISCOVERED, *AUTHORIZED, "POST /mcp 200 tools/call"]
    assert lines(exchanges)[: len(walk)] == walk
    assert exchanges[0].challenge == challenge(origin, "books.read books.write", LACKING)


def test_a_client_with_a_stale_token_gets_a_new_one(agent, authorization_server, origin):
    """It cannot know that the token of its storage has expired. 401 tells it so, with the way to another."""
    connect(agent)
    authorization_server.set_lifetime(-3600)
    stale = authorization_server.token("books.read", resource=f"{origin}/mcp")
    authorization_server.set_lifetime(3600)
    agent.tokens.access_token = stale
    agent.take()
    assert connect(agent, list_books) == [["Emma"]]
    refusal, *exchanges = agent.take()
    assert refusal.authorization == f"Bearer {stale}"
    assert (refusal.status, refusal.challenge) == (401, challenge(origin, "books.read", EXPIRED))
    assert lines(exchanges)[:5] == [*DISCOVERED, *AUTHORIZED, "POST /mcp 200 server/discover"]
    assert exchanges[4].authorization == f"Bearer {agent.tokens.access_token}" != refusal.authorization


def test_a_client_renews_the_token_that_it_knows_to_be_over(agent, authorization_server, origin):
    """The refresh token gets another for the same resource and scope, before any request is refused."""

    async def let_tokens_live(client):
        authorization_server.set_lifetime(3600)
        agent.take()

    authorization_server.set_lifetime(-1)  # over by the client's clock, and within the leeway of ours
    assert connect(agent, let_tokens_live, list_books) == [None, ["Emma"]]
    renewal, answer, *_ = exchanges = agent.take()
    assert lines(exchanges)[:2] == ["POST /token 200", "POST /mcp 200 tools/call"]
    assert (renewal.sent["grant_type"], renewal.sent["resource"]) == ("refresh_token", f"{origin}/mcp")
    assert answer.authorization == f"Bearer {agent.tokens.access_token}"
    assert verify_token(agent.tokens.access_token).scopes == {"books.read"}
