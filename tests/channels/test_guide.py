"""The page docs/guides/channels.md: its code runs, in Python and in a browser, and its table is true."""

import json
import re
import sys
import time
from types import ModuleType

import pytest
from django.db import connection

from django_oauth_jwt.contrib.channels import BearerJwtMiddleware
from django_oauth_jwt.testing import ProofKey
from testproject.asgi import application

from ..docs.manual_text import PAGES, SNIPPETS, run_snippet
from ..interop.uvicorn_server import served
from .apps import App
from .clients import CAN_RESPOND, Client, in_event_loop

TEXT = PAGES["docs/guides/channels.md"]


@pytest.fixture
def books(monkeypatch):
    """The project of the page: its modules can be imported."""
    monkeypatch.setitem(sys.modules, "books", ModuleType("books"))
    for name, snippet in (("consumers", "channels-consumer"), ("asgi", "channels-asgi")):
        module = ModuleType(f"books.{name}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        run_snippet(snippet, vars(module))
    return sys.modules


def test_the_first_example_is_short():
    """Under ten lines, and nothing else is needed."""
    lines = [line for line in SNIPPETS["channels-asgi"].strip().splitlines() if line and not line.startswith("#")]
    assert len(lines) < 10


@pytest.mark.usefixtures("books")
def test_the_first_example_passes_its_test(token_issuer, request):
    """The page's own, with the fixture of the test kit; after a test with a database, too, as its mark is for."""
    test = run_snippet("channels-test", {})["test_chat"]
    assert [mark.name for mark in test.pytestmark] == ["django_db"]
    request.getfixturevalue("db")
    connection.ensure_connection()
    with token_issuer.installed():
        test(token_issuer)


def test_a_route_may_need_more(books, issuer):
    """The routes of the page, and the consumer that says itself what it needs."""
    namespace = {**vars(books["books.asgi"]), **vars(books["books.consumers"])}
    run_snippet("channels-own", namespace)
    websocket = run_snippet("channels-routes", namespace)["websocket"]

    @in_event_loop
    async def test():
        def client(path, scope, origin="https://books.example.com", **claims):
            token = issuer.token(scope, **claims)
            return Client(websocket, token, path=path, headers={"Origin": origin})

        chat = client("/ws/chat/", "chat")
        assert await chat.connect() == (True, None)
        await chat.disconnect()
        assert await client("/ws/chat/", "chat", origin="https://evil.example").connect() == (False, 4403)
        for scope, role in [("chat", "editor"), ("chat.admin", "editor"), ("chat chat.admin", "reader")]:
            assert await client("/ws/admin/", scope, role=role).connect() == (False, 4403)
        admin = client("/ws/admin/", "chat chat.admin", role="editor")
        await admin.connect()
        await admin.send_json_to({"list": "all"})
        assert await admin.receive_json_from() == {"done": {"list": "all"}}
        await admin.send_json_to({"ban": "bob"})
        assert (await admin.receive_output())["code"] == 4403
        await admin.wait()
        banning = client("/ws/admin/", "chat chat.admin chat.ban", role="editor")
        await banning.connect()
        await banning.send_json_to({"ban": "bob"})
        assert await banning.receive_json_from() == {"done": {"ban": "bob"}}
        await banning.disconnect()

    test()


def no_answer(access_token):
    raise OSError("cache down")


@pytest.fixture
def causes(trust, signing_key):
    """By the page's words: how a client is refused for it."""
    proof_key = ProofKey(signing_key("ES256", "client"))

    def client(token, configured=None, **more):
        issuer = trust(**(configured or {}))
        encoded = None if token is None else issuer.token("chat", **token)
        app = BearerJwtMiddleware(App(), scope=more.pop("scope", "chat"), origins=more.pop("origins", None))
        offered = ["bearer", encoded] if more.pop("twice", False) else []
        return lambda extensions: Client(app, encoded, subprotocols=offered, extensions=extensions, **more)

    return {
        "no token": lambda: client(None),
        "invalid token": lambda: client({"expired": True}),
        "bound token without its proof": lambda: client({"bound_to": proof_key}),
        "scope or claim is missing": lambda: client({}, scope="other"),
        "another origin": lambda: client({}, origins=["https://books.example.com"]),
        "two tokens": lambda: client({}, twice=True),
        "keys, introspection or revocation out of order": lambda: client({}, {"IS_REVOKED": no_answer}),
    }


def test_the_table_of_refusals_is_true(causes):
    """Status and code of each cause; the one that is left is a connection's, see `test_expiry.py`."""
    rows = re.findall(r"^\| ([^|]+) \| (\d{3})?[^|]*\| (\d{4}) \|$", TEXT, re.MULTILINE)
    table = {cause: (status, int(code)) for cause, status, code in rows}
    assert table.pop("token has expired, while connected") == ("", 4401)
    assert table.keys() == causes.keys()

    @in_event_loop
    async def test():
        for cause, (status, code) in table.items():
            client = causes[cause]()
            assert ((await client(CAN_RESPOND).refusal())[0], cause) == (int(status), cause)
            assert (await client(None).close_code(), cause) == (code, cause)

    test()


@pytest.mark.browser
@pytest.mark.real_servers
def test_a_script_in_a_browser_connects_and_comes_back(browser, trust):
    """The page's JavaScript: with a token that expires, and the next one after that."""
    (script,) = re.findall(r"^```js\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    issuer = trust(LEEWAY=0)
    with served(application, ws="auto") as origin:
        browser.get(f"{origin}/open")
        tokens = [issuer.token("read", sub="first", exp=time.time() + 2), issuer.token("read", sub="second")]
        script = script.replace("wss://books.example.com/ws/chat/", origin.replace("http", "ws") + "/ws/echo")
        shown = browser.execute_async_script(
            f"""
            const done = arguments[0], tokens = {json.dumps(tokens)}, shown = [];
            const getAccessToken = async () => tokens.shift();
            const show = (message) => shown.push(message.subject) === 2 && done(shown);
            {script}
            connect();
            """
        )
    assert shown == ["first", "second"]
