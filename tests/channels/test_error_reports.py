"""What an error report shows of a connection's frames where a project's code fails: nobody can use the token."""

import sys
from contextlib import suppress
from traceback import walk_tb

import pytest

from django_oauth_jwt.contrib.channels import BearerJwtMiddleware

from .apps import App
from .clients import Client, in_event_loop


class Broken(Exception):
    """What a project's code ends in."""


def fail(*args):
    raise Broken


async def failing_app(scope, receive, send):
    raise Broken


async def failing_after_a_message(scope, receive, send):
    await send({"type": "websocket.accept"})
    raise Broken


@pytest.mark.parametrize("place", ["header", "subprotocols"])
@pytest.mark.parametrize(
    ("app", "configured"),
    [(failing_app, {}), (failing_after_a_message, {}), (App(), {"USER_RESOLVER": fail})],
    ids=["app", "app that has accepted", "resolver"],
)
@in_event_loop
async def test_no_variable_of_our_frames_shows_the_token(trust, place, app, configured):
    """In the frames between the server and the code that failed."""
    token = trust(**configured).token()
    places = {
        "header": {"token": token},
        "subprotocols": {"subprotocols": ["bearer", token], "headers": {"Sec-WebSocket-Protocol": f"bearer, {token}"}},
    }
    client = Client(BearerJwtMiddleware(app), **places[place])
    await client.send_input({"type": "websocket.connect"})
    frames = []
    with suppress(Broken):
        try:
            await client.wait()
        except Broken:
            found = walk_tb(sys.exc_info()[2])
            frames = [frame for frame, _ in found if frame.f_globals["__name__"].startswith("django_oauth_jwt.")]
            raise
    assert any(frame.f_globals["__name__"].startswith("django_oauth_jwt.contrib.channels") for frame in frames)
    shown = [repr(frame.f_locals) for frame in frames]
    payload, signature = token.split(".")[1:]
    assert not any(part in text for text in shown for part in (payload, signature))
