"""Where a token may stand in a handshake, what the app sees of it, and what is accepted with it."""

import pytest
from django.contrib.auth.models import AnonymousUser

from django_oauth_jwt.contrib.channels import BearerJwtMiddleware
from django_oauth_jwt.testing import ProofKey
from django_oauth_jwt.users import TokenUser

from .apps import App
from .clients import CAN_RESPOND, Client, in_event_loop

URL = "http://testserver/ws/"


async def connected(client):
    """Return the message that accepts a connection, which ends then."""
    accepted = await client.handshake()
    assert accepted["type"] == "websocket.accept", accepted
    await client.disconnect()
    return accepted


@in_event_loop
async def test_the_app_finds_the_token_of_the_header_in_its_scope(issuer):
    """Its claims are a dict of the connection's own."""
    app, token = App(), issuer.token("chat", sub="anna")
    accepted = await connected(Client(BearerJwtMiddleware(app), token))
    assert accepted["subprotocol"] is None
    assert (app.scope["access_token"].encoded, app.scope["claims"]["sub"]) == (token, "anna")
    app.scope["claims"]["sub"] = "bob"
    assert app.scope["access_token"].subject == "anna"


@pytest.mark.parametrize(
    ("offered", "seen"),
    [
        (["bearer", "TOKEN"], ["bearer"]),
        (["bearer", "TOKEN", "chat.v1"], ["bearer", "chat.v1"]),
        (["chat.v1", "bearer", "TOKEN"], ["chat.v1", "bearer"]),
    ],
)
@in_event_loop
async def test_a_script_in_a_browser_sends_the_token_as_subprotocol(issuer, offered, seen):
    """`bearer` is accepted, the token is never echoed; the app sees the other subprotocols, and no token."""
    app, token = App(), issuer.token()
    offered = [token if protocol == "TOKEN" else protocol for protocol in offered]
    client = Client(
        BearerJwtMiddleware(app),
        headers={"Sec-WebSocket-Protocol": ", ".join(offered), "Cookie": "a=b"},
        subprotocols=offered,
    )
    assert (await connected(client))["subprotocol"] == "bearer"
    assert app.scope["access_token"].encoded == token
    assert app.scope["subprotocols"] == seen
    headers = dict(app.scope["headers"])
    assert (headers[b"sec-websocket-protocol"], headers[b"cookie"]) == (", ".join(seen).encode(), b"a=b")


@in_event_loop
async def test_the_app_may_accept_another_subprotocol(issuer):
    """One of those that it knows, as GraphQL over WebSocket needs it."""
    offered = ["bearer", issuer.token(), "graphql-transport-ws"]
    client = Client(BearerJwtMiddleware(App(subprotocol="graphql-transport-ws")), subprotocols=offered)
    assert (await connected(client))["subprotocol"] == "graphql-transport-ws"


@pytest.mark.parametrize("place", ["header", "subprotocols"])
@in_event_loop
async def test_the_scope_shows_no_token(issuer, place):
    """It stands in error reports and logs, and the headers are in it."""
    app, token = App(), issuer.token()
    header = {"headers": {"AUTHORIZATION": f"Bearer {token}"}}
    both = {"headers": {"Sec-WebSocket-Protocol": f"bearer, {token}"}, "subprotocols": ["bearer", token]}
    await connected(Client(BearerJwtMiddleware(app), **(header if place == "header" else both)))
    assert token not in repr(app.scope)


@in_event_loop
async def test_the_scope_of_the_server_is_left_alone(issuer):
    """It may be shared with other apps around this one."""
    client = Client(BearerJwtMiddleware(App()), issuer.token(), subprotocols=["chat.v1"])
    before = {**client.scope, "headers": [*client.scope["headers"]]}
    await connected(client)
    assert client.scope == before


@in_event_loop
async def test_the_password_of_a_site_is_no_second_token(issuer):
    """Browsers send it by themselves, where a site asks for one (RFC 7617)."""
    headers = {"Authorization": "Basic YTpi"}
    await connected(Client(BearerJwtMiddleware(App()), headers=headers, subprotocols=["bearer", issuer.token()]))


@pytest.mark.parametrize("where", ["header", "subprotocol", "twice", "query"])
@in_event_loop
async def test_a_second_token_is_refused_and_one_in_the_query_is_none(issuer, where):
    """RFC 6750 section 3.1, invalid_request; a query stands in logs and histories, so it is never read."""
    token, app = issuer.token(), App()
    client = {
        "header": lambda **more: Client(BearerJwtMiddleware(app), token, subprotocols=["bearer", token], **more),
        "subprotocol": lambda **more: Client(BearerJwtMiddleware(app), subprotocols=["bearer", token] * 2, **more),
        "twice": lambda **more: Client(BearerJwtMiddleware(app), subprotocols=["bearer", token, token], **more),
        "query": lambda **more: Client(BearerJwtMiddleware(app), path=f"/ws/?access_token={token}", **more),
    }[where]
    status, headers, _ = await client(extensions=CAN_RESPOND).refusal()
    expected = (401, "Bearer") if where == "query" else (400, 'Bearer error="invalid_request", error_description="')
    assert status == expected[0]
    assert headers[b"www-authenticate"].decode().startswith(expected[1])
    assert await client().close_code() == 4000 + status
    assert app.scope is None


@in_event_loop
async def test_a_query_is_not_looked_at(issuer):
    """One that Django could not decode is the app's affair."""
    await connected(Client(BearerJwtMiddleware(App()), issuer.token(), query_string=b"room=\xff"))


@in_event_loop
async def test_the_user_is_the_resolvers(trust):
    """Who gets the handshake as a GET request, with the scope of the connection."""
    requests, app = [], App()

    def resolve(access_token, request):
        requests.append((request.method, request.path, request.GET["room"], "url_route" in request.scope))
        return TokenUser(access_token)

    token = trust(USER_RESOLVER=resolve).token(sub="anna")
    await connected(Client(BearerJwtMiddleware(app), token, path="/ws/?room=1", url_route={}))
    assert app.scope["user"] == TokenUser(app.scope["access_token"])
    assert requests == [("GET", "/ws/", "1", True)]


@in_event_loop
async def test_without_a_resolver_the_user_is_who_was_there(issuer):
    """The session's, where AuthMiddleware stands around ours; else nobody."""
    for before, user in [({"user": "anna of the session"}, "anna of the session"), ({}, AnonymousUser())]:
        app = App()
        await connected(Client(BearerJwtMiddleware(app), issuer.token(), **before))
        assert app.scope["user"] == user


@in_event_loop
async def test_a_resolver_sees_who_was_there_before(trust):
    """Whether it reads the user itself, or by a receiver of what it stores."""
    app, seen = App(), []

    def resolve(access_token, request):
        seen.append(str(request.user))
        return TokenUser(access_token)

    issuer = trust(USER_RESOLVER=resolve)
    for before in ({"user": "anna of the session"}, {}):
        await connected(Client(BearerJwtMiddleware(app), issuer.token(sub="anna"), **before))
        assert app.scope["user"] == TokenUser(app.scope["access_token"])
    assert seen == ["anna of the session", str(AnonymousUser())]


@in_event_loop
async def test_without_djangos_users_there_is_none(issuer, settings):
    """As for requests."""
    settings.INSTALLED_APPS = ["django_oauth_jwt"]
    app = App()
    await connected(Client(BearerJwtMiddleware(app), issuer.token()))
    assert app.scope["user"] is None


@in_event_loop
async def test_old_connections_to_the_database_are_closed_first(trust, monkeypatch):
    """Django does that at each HTTP request, and a resolver must not meet one that the database has dropped."""
    steps = []
    monkeypatch.setattr(
        "django_oauth_jwt.contrib.channels.middleware.close_old_connections", lambda: steps.append("close")
    )
    issuer = trust(USER_RESOLVER=lambda token, request: steps.append("resolve") or TokenUser(token))
    await connected(Client(BearerJwtMiddleware(App()), issuer.token()))
    assert steps == ["close", "resolve"]


@pytest.mark.parametrize(
    ("requirements", "scope", "claims"),
    [
        ({"scope": "read"}, "write", {}),
        ({"scope": ["chat.read"], "claims": ["role"]}, "chat.read", {"role": "editor"}),
        ({"claims": [{"name": "role", "value": "editor"}]}, None, {"role": "editor"}),
    ],
)
@in_event_loop
async def test_what_is_required_is_there(trust, requirements, scope, claims):
    """SCOPE_IMPLIES counts. SCOPE and CLAIMS of the settings are for HTTP."""
    issuer = trust(SCOPE="http", CLAIMS=["http"], SCOPE_IMPLIES={"write": ["read"]})
    await connected(Client(BearerJwtMiddleware(App(), **requirements), issuer.token(scope, **claims)))


@pytest.mark.parametrize(("scheme", "url"), [("ws", URL), ("wss", "https://testserver/ws/")])
@in_event_loop
async def test_a_bound_token_comes_with_its_proof(issuer, signing_key, scheme, url):
    """The proof is for the GET request that the handshake is, by the URL's scheme of HTTP; it is good once."""
    proof_key = ProofKey(signing_key("ES256", "client"))
    headers = proof_key.headers(issuer.token(bound_to=proof_key), "GET", url)

    def client(**more):
        return Client(BearerJwtMiddleware(App()), headers=headers, scheme=scheme, **more)

    await connected(client())
    status, refused, _ = await client(extensions=CAN_RESPOND).refusal()
    assert (status, b'error="invalid_dpop_proof"' in refused[b"www-authenticate"]) == (401, True)


@in_event_loop
async def test_a_nonce_that_is_half_spent_is_renewed_in_the_response(trust, clock, signing_key):
    """As in that to any other request (RFC 9449 section 8.2)."""
    issuer, proof_key = trust(DPOP={"NONCE": True}), ProofKey(signing_key("ES256", "client"))

    def client(**more):
        token = issuer.token(bound_to=proof_key)
        headers = proof_key.headers(token, "GET", URL, **more)
        return Client(BearerJwtMiddleware(App(headers=[(b"x", b"y")])), headers=headers, extensions=CAN_RESPOND)

    status, refused, _ = await client().refusal()
    nonce = refused[b"dpop-nonce"].decode()
    assert (status, bool(nonce)) == (401, True)
    assert (await connected(client(nonce=nonce)))["headers"] == [(b"x", b"y")]
    await clock.advance(45)
    (_, (name, renewed)) = (await connected(client(nonce=nonce)))["headers"]
    assert name == b"dpop-nonce"
    assert renewed != nonce.encode()


@in_event_loop
async def test_one_middleware_inside_another_asks_for_more(issuer, signals):
    """For one route. The token is verified once, and told of once."""
    app = App()
    inner = BearerJwtMiddleware(app, scope="admin")
    outer = BearerJwtMiddleware(inner, scope="chat")

    def client(scope, **more):
        return Client(outer, subprotocols=["bearer", issuer.token(scope), "chat.v1"], **more)

    assert (await connected(client("chat admin")))["subprotocol"] == "bearer"
    assert app.scope["subprotocols"] == ["bearer", "chat.v1"]
    assert [name for name, _ in signals] == ["accepted"]
    status, headers, _ = await client("chat", extensions=CAN_RESPOND).refusal()
    assert (status, b'scope="chat admin"' in headers[b"www-authenticate"]) == (403, True)


@in_event_loop
async def test_other_connections_are_passed_through():
    """HTTP and lifespan, with all that is theirs."""
    passed = []

    async def app(*arguments):
        passed.append(arguments)

    for kind in ("http", "lifespan"):
        arguments = ({"type": kind, "headers": [(b"authorization", b"Bearer x")]}, object(), object())
        await BearerJwtMiddleware(app, scope="read")(*arguments)
        assert passed[-1] == arguments
