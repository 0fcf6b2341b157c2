"""What a refused client is told, by servers that can respond to its handshake and by those that cannot."""

import json
import logging
import re
from pathlib import Path

import pytest

from django_oauth_jwt.contrib import channels as contrib
from django_oauth_jwt.contrib.channels import BearerJwtMiddleware
from django_oauth_jwt.errors import BearerError, InsufficientScope, InvalidToken
from django_oauth_jwt.jws import KeySet
from django_oauth_jwt.testing import ProofKey, TokenIssuer

from ..docs.manual_text import table
from .apps import App, Echo
from .clients import CAN_RESPOND, Client, in_event_loop


class NoKeys(TokenIssuer):
    """A key service out of order."""

    async def akey_set_for(self, kid, alg):
        raise OSError("disk full")


def no_answer(access_token):
    raise OSError("cache down")


BOUND = "bound"
#: By case: settings, what the token is like (None for none), the HTTP status, the error, the close code.
CASES = {
    "no token": ({}, None, 401, None, 4401),
    "expired": ({}, {"expired": True}, 403, "invalid_token", 4401),
    "expired, with 401": ({"INVALID_TOKEN_STATUS": 401}, {"expired": True}, 401, "invalid_token", 4401),
    "forged": ({}, {"forged": True}, 403, "invalid_token", 4401),
    "no scope": ({}, {"scope": "other"}, 403, "insufficient_scope", 4403),
    "no claim": ({}, {"role": None}, 403, "invalid_token", 4403),
    "bound, sent as bearer": ({}, {BOUND: True}, 401, "invalid_token", 4401),
    "nobody's": ({"USER_RESOLVER": lambda token, request: None}, {}, 403, "invalid_token", 4401),
    "revoked": ({"IS_REVOKED": lambda token: True}, {}, 403, "invalid_token", 4401),
    "perhaps revoked": ({"IS_REVOKED": no_answer}, {}, 503, "temporarily_unavailable", 1013),
    "no keys": ({"JWKS_SERVICE": NoKeys}, {}, 503, "temporarily_unavailable", 1013),
}


@pytest.fixture
def client_of(trust, rsa_issuer, signing_key):
    """Make a client by a case's settings and token."""

    def make(settings, token, app, **more):
        if "JWKS_SERVICE" in settings:
            settings = {"JWKS_SERVICE": settings["JWKS_SERVICE"](key=rsa_issuer.keys[0])}
        issuer = trust(**settings)
        if token is not None:
            arguments = {"scope": "chat", "role": "editor", **token}
            if arguments.pop(BOUND, False):
                arguments["bound_to"] = ProofKey(signing_key("ES256", "client"))
            token = issuer.token(**arguments)
        return Client(BearerJwtMiddleware(app, scope="chat", claims=["role"]), token, **more)

    return make


@pytest.mark.parametrize(("configured", "token", "status", "error", "code"), CASES.values(), ids=CASES)
def test_a_handshake_is_refused(client_of, configured, token, status, error, code):
    """With the answer of any other request, where the server can send it; else with a code. The app hears nothing."""
    app = App()

    @in_event_loop
    async def test():
        found, headers, body = await client_of(configured, token, app, extensions=CAN_RESPOND).refusal()
        assert (found, json.loads(body)["error"]) == (status, error)
        assert headers[b"content-length"] == str(len(body)).encode()
        assert headers[b"content-type"] == b"application/json"
        if status == 503:
            assert (headers[b"retry-after"], b"www-authenticate" in headers) == (b"1", False)
        else:
            challenge = headers[b"www-authenticate"].decode()
            assert challenge.startswith("Bearer")
            assert (error is None) == ("error=" not in challenge)
        for extensions in ({}, None):
            client = client_of(configured, token, app, extensions=extensions)
            closed = await client.handshake()
            assert closed == {"type": "websocket.close", "code": code, "reason": error or ""}
            await client.wait()

    test()
    assert app.scope is None


@in_event_loop
async def test_the_challenge_names_the_scopes_and_the_metadata(trust):
    """What a client needs to get a token, and a better one."""
    resource = "https://testserver/ws"
    issuer = trust(RESOURCE_METADATA={"resource": resource}, REALM="chat", AUDIENCE=resource)
    for token in (None, issuer.token("x")):
        app = BearerJwtMiddleware(App(), scope="chat.read chat.write")
        _, headers, _ = await Client(app, token, extensions=CAN_RESPOND, scheme="wss").refusal()
        challenge = headers[b"www-authenticate"].decode()
        assert challenge.startswith('Bearer realm="chat"')
        assert 'scope="chat.read chat.write"' in challenge
        assert 'resource_metadata="https://testserver/.well-known/oauth-protected-resource/ws"' in challenge


@in_event_loop
async def test_a_proof_for_a_host_that_is_not_ours_is_a_bad_request(issuer, signing_key):
    """Django says so of HTTP by an error, which would be a 500 here."""
    proof_key = ProofKey(signing_key("ES256", "client"))
    url = "http://elsewhere.example/ws/"
    headers = {**proof_key.headers(issuer.token(bound_to=proof_key), "GET", url), "Host": "elsewhere.example"}
    client = Client(BearerJwtMiddleware(App()), headers=headers, extensions=CAN_RESPOND)
    status, _, body = await client.refusal()
    assert (status, json.loads(body)["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("origin", "is_accepted"),
    [
        ("https://app.example.com", True),
        ("https://app.example.com:8443", True),
        ("https://evil.example.com", False),
        ("https://app.example.com.evil.example", False),
        ("http://app.example.com", False),
        ("https://app.example.com, https://evil.example.com", False),
        ("null", False),
        ("http://[::1", False),
        (None, False),
    ],
)
@in_event_loop
async def test_origins_are_let_in_by_name(issuer, origin, is_accepted):
    """Letter by letter, as browsers send them; with a list, a client without one is refused as well."""
    allowed = ["https://app.example.com", "https://app.example.com:8443"]
    headers = {} if origin is None else {"Origin": origin}

    def client(token, origins, extensions):
        app = BearerJwtMiddleware(App(), origins=origins)
        return Client(app, token, headers=headers, extensions=extensions)

    for origins in (None, allowed) if is_accepted else (None,):
        accepted = client(issuer.token(), origins, None)
        assert (await accepted.handshake())["type"] == "websocket.accept"
        await accepted.disconnect()
    if not is_accepted:
        assert await client(issuer.token(), allowed, None).close_code() == 4403
        # Before anything is said of the token.
        assert (await client("x", allowed, CAN_RESPOND).refusal())[0] == 403


class Picky(Echo):
    """Raises what it was made with, when it is told the word, or at once."""

    def __init__(self, error, at_once):
        super().__init__()
        self.error, self.at_once = error, at_once

    async def connect(self):
        if self.at_once:
            raise self.error
        await self.accept()

    async def receive_json(self, content):
        if content == "close":
            await self.close(4000)
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InsufficientScope(["chat.admin"]), 403, 4403),
        (InvalidToken("wrong_tenant", "Token is for another tenant"), 403, 4401),
        (BearerError("no_room", "There is no such room"), 403, 4403),
    ],
    ids=["scope", "token", "own"],
)
@in_event_loop
async def test_what_a_consumer_raises_is_a_refusal(issuer, signals, error, status, code):
    """As in a view: in the handshake the client gets an answer, later a code; log and signals tell of it."""
    app = BearerJwtMiddleware(Picky.as_asgi(error=error, at_once=True), scope="chat")
    found, headers, _ = await Client(app, issuer.token("chat"), extensions=CAN_RESPOND).refusal()
    assert found == status
    assert headers[b"www-authenticate"].startswith(b"Bearer")
    assert await Client(app, issuer.token("chat")).close_code() == code
    app = BearerJwtMiddleware(Picky.as_asgi(error=error, at_once=False))
    client = Client(app, issuer.token(), extensions=CAN_RESPOND)
    await client.connect()
    await client.send_json_to("go")
    assert await client.receive_output() == {"type": "websocket.close", "code": code, "reason": error.error or ""}
    await client.wait()
    assert [(name, sent.get("reason")) for name, sent in signals] == [
        ("accepted", None),
        ("rejected", error.reason),
    ] * 3


@in_event_loop
async def test_a_connection_that_is_closed_is_not_closed_again(issuer):
    """Servers take that for an error of the app."""
    app = BearerJwtMiddleware(Picky.as_asgi(error=InsufficientScope(), at_once=False))
    client = Client(app, issuer.token())
    await client.connect()
    await client.send_json_to("close")
    assert await client.receive_output() == {"type": "websocket.close", "code": 4000}
    await client.wait()
    assert await client.receive_nothing(0)


@in_event_loop
async def test_any_other_error_is_the_projects(issuer):
    """It gets to the server, which knows what to do."""
    app = BearerJwtMiddleware(Picky.as_asgi(error=RuntimeError("bug"), at_once=True))
    client = Client(app, issuer.token())
    await client.send_input({"type": "websocket.connect"})
    with pytest.raises(RuntimeError, match="bug"):
        await client.wait()


def test_the_manual_has_the_reasons():
    """Those that no other request has, in a table of their own."""
    code = "".join(path.read_text() for path in Path(contrib.__file__).parent.glob("*.py"))
    given = re.findall(r'(?:BearerError|InvalidHandshake)\("(\w+)"', code)
    assert sorted(f"`{reason}`" for reason in given) == sorted(
        row[0] for row in table("docs/reference/reasons.md", "Of WebSockets alone")
    )


@in_event_loop
async def test_a_rejected_token_is_told_of_and_a_missing_one_is_not(issuer, signals, caplog):
    """By the signals and the log of requests, with the request that the handshake is."""
    caplog.set_level(logging.INFO, "django_oauth_jwt")
    app = BearerJwtMiddleware(App(), scope="chat", origins=["https://app.example.com"])
    headers = {"Origin": "https://app.example.com"}
    await Client(app, headers=headers).close_code()
    await Client(app, issuer.token("chat", expired=True), headers=headers).close_code()
    await Client(app, issuer.token("chat")).close_code()
    assert [(name, sent["reason"], sent["request"].path) for name, sent in signals] == [
        ("rejected", "expired", "/ws/"),
        ("rejected", "wrong_origin", "/ws/"),
    ]
    lines = [record.getMessage() for record in caplog.records if record.name == "django_oauth_jwt"]
    assert lines == ["Token rejected: expired", "Token rejected: wrong_origin"]


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"scope": 7}, ValueError, "expected a list of scopes, not 7"),
        ({"scope": ["a b"]}, ValueError, "not a scope"),
        ({"claims": [{"nam": "x"}]}, ValueError, "a claim is"),
        ({"origins": "https://app.example.com"}, ValueError, "origins is a list"),
        ({"origins": [7]}, ValueError, "is not an origin"),
        ({"origins": ["app.example.com"]}, ValueError, "is not an origin"),
        ({"origins": ["https://app.example.com/"]}, ValueError, "is not an origin"),
        ({"origins": ["https://App.example.com"]}, ValueError, "is not an origin"),
        ({"origins": ["https://*.example.com"]}, ValueError, "is not an origin"),
        ({"origins": ["https://b\u00fccher.example"]}, ValueError, "in small ASCII letters"),
        ({"origins": ["https://app.example.com:443"]}, ValueError, "without its scheme's own port"),
        ({"origins": ["http://[::1]:80"]}, ValueError, "without its scheme's own port"),
        ({"app": Echo}, TypeError, r"Echo\.as_asgi\(\)"),
        ({"app": None}, TypeError, "ASGI app"),
    ],
)
def test_a_mistake_is_an_error_at_once(arguments, kind, message):
    """And not at the first connection."""
    with pytest.raises(kind, match=message):
        BearerJwtMiddleware(**{"app": App(), **arguments})


@pytest.mark.parametrize(
    "origin", ["https://a.test:80", "http://a.test:443", "https://a.test:4430", "http://[::1]:8080"]
)
def test_a_port_that_is_not_the_schemes_own_is_part_of_an_origin(origin):
    """Browsers send it."""
    BearerJwtMiddleware(App(), origins=[origin, "https://xn--bcher-kva.example"])


def test_a_project_without_channels_loads_none_of_it():
    """The middleware is plain ASGI; what imports Channels is the project."""
    sources = [path.read_text() for path in Path(contrib.__file__).parent.glob("*.py")]
    assert len(sources) > 1
    assert not any("import channels" in source or "from channels" in source for source in sources)


def test_a_key_service_that_returns_what_it_likes_is_one_without_keys(trust, rsa_issuer):
    """The reason is in the log, the client is told to come again."""

    class Strange(TokenIssuer):
        async def akey_set_for(self, kid, alg):
            return {"keys": []}

    assert not isinstance({"keys": []}, KeySet)

    @in_event_loop
    async def test():
        issuer = trust(JWKS_SERVICE=Strange(key=rsa_issuer.keys[0]))
        assert await Client(BearerJwtMiddleware(App()), issuer.token()).close_code() == 1013

    test()
