"""The example's WebSocket consumer, and the example without Channels."""

import sys
from importlib import import_module

import pytest
from django.core.handlers.asgi import ASGIHandler

from testproject.asgi import application

from ..channels.clients import Client, in_event_loop


@pytest.mark.parametrize(("scope", "is_accepted"), [("read", True), ("write", False), (None, False)])
@in_event_loop
async def test_the_consumer_greets_the_tokens_subject(issuer, scope, is_accepted):
    """Where the token has the scope `read`."""
    offered = ["bearer", issuer.token(scope, sub="anna")]
    client = Client(application, path="/ws/echo", subprotocols=offered)
    assert await client.connect() == ((True, "bearer") if is_accepted else (False, 4403))
    if is_accepted:
        assert await client.receive_json_from() == {"subject": "anna"}
        await client.send_json_to({"text": "hello"})
        assert await client.receive_json_from() == {"text": "hello"}
        await client.disconnect()


def test_without_channels_the_example_serves_http_alone(monkeypatch):
    """As where only `pip install -e .` was run."""
    monkeypatch.setitem(sys.modules, "channels", None)  # which is how Python says that there is none
    monkeypatch.delitem(sys.modules, "testproject.asgi")
    assert isinstance(import_module("testproject.asgi").application, ASGIHandler)
