"""No connection outlives its token, whatever its app does then; and nothing is left behind when it ends."""

import asyncio
from contextlib import suppress

import pytest

from django_oauth_jwt.contrib.channels import BearerJwtMiddleware
from django_oauth_jwt.errors import InsufficientScope

from ..servers.faulty_server import FOREVER
from .apps import App, Busy, Echo, SyncEcho, never
from .clients import Client, in_event_loop

CLOSED = {"type": "websocket.close", "code": 4401, "reason": "invalid_token"}
SENT = {"type": "websocket.receive", "text": '"late"'}


@pytest.fixture
def expiring(issuer, clock):
    """Make a client whose token is good for another 100 seconds, and LEEWAY (30), by a clock that the test moves."""

    async def make(app, **claims):
        clock.govern(asyncio.get_running_loop())
        claims = {"exp": int(clock.now()) + 100, **claims}
        client = Client(BearerJwtMiddleware(app), issuer.token(**claims))
        assert (await client.handshake())["type"] == "websocket.accept"
        return client

    return make


@pytest.mark.parametrize("consumer", [Echo, SyncEcho])
@in_event_loop
async def test_the_connection_is_closed_when_the_token_expires(expiring, clock, monkeypatch, consumer):
    """To the leeway; the consumer is told as if the client had gone, and cleans up."""
    monkeypatch.setattr(consumer, "closed_with", ())
    client = await expiring(consumer.as_asgi())
    await clock.advance(125)
    await client.send_json_to("in time")
    assert await client.receive_json_from() == "in time"
    await clock.advance(6)
    assert await client.receive_output() == CLOSED
    await client.wait()
    assert await client.receive_nothing(0)
    assert consumer.closed_with == (4401,)


@in_event_loop
async def test_a_busy_consumer_does_not_keep_it_open(expiring, clock):
    """It hears of nothing, and its next message ends it; no error gets to the server."""
    may_go_on = asyncio.Semaphore(1)
    client = await expiring(Busy.as_asgi(may_go_on=may_go_on))
    await client.send_json_to("count")
    assert [await client.receive_json_from() for _ in range(2)] == [0, 1]
    await clock.advance(131)
    assert await client.receive_output() == CLOSED
    assert not client.future.done()
    may_go_on.release()
    await client.wait()
    assert await client.receive_nothing(0)


@in_event_loop
async def test_an_app_that_says_no_more_is_left_to_the_server(expiring, clock):
    """It ends when the server ends it, like any app whose client has gone."""

    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        await never()

    client = await expiring(app)
    await clock.advance(131)
    assert await client.receive_output() == CLOSED
    client.future.cancel()
    await client.wait()


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@in_event_loop
async def test_no_message_gets_in_after_that(expiring, clock, turns):
    """Not the one that came at the same moment either; and who asks again hears the same."""
    app = App()
    client = await expiring(app)
    await clock.advance(131)
    for _ in range(turns):
        await asyncio.sleep(0)
    await client.send_input(SENT)
    assert await client.receive_output() == CLOSED
    await client.wait()
    assert app.messages == [{"type": "websocket.disconnect", "code": 4401}]


@in_event_loop
async def test_an_app_that_was_not_waiting_is_told_when_it_asks(expiring, clock):
    """What the client sent meanwhile is not read."""
    may_go_on, heard = asyncio.Event(), []

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await may_go_on.wait()
        heard.extend([await receive(), await receive()])

    client = await expiring(app)
    await client.send_input(SENT)
    await clock.advance(131)
    may_go_on.set()
    assert await client.receive_output() == CLOSED
    await client.wait()
    assert heard == [{"type": "websocket.disconnect", "code": 4401}] * 2


@pytest.mark.parametrize("exp", [None, 10**400, 1e300, 10**12], ids=["none", "huge", "float", "far"])
@in_event_loop
async def test_a_token_without_an_end_is_good_for_as_long(trust, expiring, clock, exp):
    """There is nothing to wait for, or nothing that anybody will live to see."""
    trust(REQUIRED_CLAIMS=[])
    client = await expiring(Echo.as_asgi(), exp=exp)
    await clock.advance(400_000_000)
    await client.send_json_to("still here")
    assert await client.receive_json_from() == "still here"
    await client.disconnect()


@pytest.mark.parametrize(
    "last", ["websocket.close", "websocket.http.response.start", "websocket.disconnect"], ids=["app", "no", "client"]
)
@in_event_loop
async def test_a_connection_that_is_closed_already_is_not_closed_again(issuer, clock, last):
    """By the app, which may refuse it with a response of its own, or by the client; while the app still cleans up."""
    clock.govern(asyncio.get_running_loop())
    is_closed, cleaned_up = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        await receive()
        if last == "websocket.disconnect":
            assert (await receive())["type"] == last
        else:
            await send({"type": last})
        is_closed.set()
        await cleaned_up.wait()

    client = Client(BearerJwtMiddleware(app), issuer.token(exp=int(clock.now()) + 100))
    await client.send_input({"type": "websocket.connect"})
    if last == "websocket.disconnect":
        await client.send_input({"type": last, "code": 1001})
    else:
        assert (await client.receive_output())["type"] == last
    await is_closed.wait()
    await clock.advance(131)
    cleaned_up.set()
    await client.wait()
    assert await client.receive_nothing(0)


@pytest.mark.parametrize("does", ["ask", "send"])
@in_event_loop
async def test_an_app_that_does_not_listen_leaves_others_their_turn(expiring, clock, does):
    """It is told as often as it asks or sends, and the event loop goes on meanwhile."""
    is_over, told = asyncio.Event(), []

    async def deaf(scope, receive, send):
        await send({"type": "websocket.accept"})
        await receive()
        assert (await receive())["code"] == 4401
        while not is_over.is_set() and len(told) < 1000:
            with suppress(OSError):
                await (receive() if does == "ask" else send({"type": "websocket.send", "text": "?"}))
            told.append(does)

    client = await expiring(deaf)
    await clock.advance(131)
    assert await client.receive_output() == CLOSED
    await asyncio.sleep(0)
    is_over.set()
    await client.wait()
    assert len(told) < 1000


@in_event_loop
async def test_a_client_that_has_gone_is_no_error(issuer, clock):
    """The server says so where it is told to close; the app cleans up all the same."""
    clock.govern(asyncio.get_running_loop())
    app = App()

    async def server(scope, receive, send):
        async def gone(message):
            if message["type"] == "websocket.close":
                raise BrokenPipeError
            await send(message)

        await BearerJwtMiddleware(app)(scope, receive, gone)

    client = Client(server, issuer.token(exp=int(clock.now()) + 100))
    await client.handshake()
    await clock.advance(131)
    await client.wait()
    assert app.messages == [{"type": "websocket.disconnect", "code": 4401}]


@in_event_loop
async def test_a_client_that_reads_slowly_still_gets_the_code(issuer, clock):
    """The server may have to wait before it can send it; that the app has ended meanwhile does not call it off."""
    clock.govern(asyncio.get_running_loop())
    is_drained, may_go_on = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        await may_go_on.wait()

    async def server(scope, receive, send):
        async def slowly(message):
            if message["type"] == "websocket.close":
                await is_drained.wait()
            await send(message)

        await BearerJwtMiddleware(app)(scope, receive, slowly)

    client = Client(server, issuer.token(exp=int(clock.now()) + 100))
    await client.handshake()
    await clock.advance(131)
    may_go_on.set()
    await asyncio.sleep(0.01)
    is_drained.set()
    assert await client.receive_output() == CLOSED
    await client.wait()


@in_event_loop
async def test_a_handshake_is_refused_if_it_takes_longer_than_the_token_lasts(issuer, clock):
    """An app that has not made up its mind has none to make up any more."""
    clock.govern(asyncio.get_running_loop())
    is_asked = asyncio.Event()

    async def app(scope, receive, send):
        is_asked.set()
        await never()

    client = Client(BearerJwtMiddleware(app), issuer.token(exp=int(clock.now()) + 100))
    await client.send_input({"type": "websocket.connect"})
    await is_asked.wait()
    await clock.advance(131)
    assert await client.receive_output() == CLOSED
    client.future.cancel()
    await client.wait()


@in_event_loop
async def test_a_refusal_comes_too_late_for_a_closed_connection(expiring, clock):
    """What an app raises after that is told of in the log, and to nobody else."""
    may_go_on = asyncio.Event()

    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        await may_go_on.wait()
        raise InsufficientScope

    client = await expiring(app)
    await clock.advance(131)
    may_go_on.set()
    assert await client.receive_output() == CLOSED
    await client.wait()
    assert await client.receive_nothing(0)


@in_event_loop
async def test_the_end_of_the_server_ends_what_waits(expiring):
    """It cancels the app, and with it goes the timer: `in_event_loop` looks for what is left."""
    client = await expiring(Echo.as_asgi())
    client.future.cancel()
    await client.wait()


@in_event_loop
async def test_the_end_of_the_server_ends_a_close_that_the_client_does_not_read(issuer, clock):
    """It cancels once, and waits for what it has cancelled."""
    clock.govern(asyncio.get_running_loop())

    async def server(scope, receive, send):
        async def stuck(message):
            await (never() if message["type"] == "websocket.close" else send(message))

        await BearerJwtMiddleware(app)(scope, receive, stuck)

    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        await never()

    client = Client(server, issuer.token(exp=int(clock.now()) + 100))
    await client.handshake()
    await clock.advance(131)
    client.future.cancel()
    done, _ = await asyncio.wait([client.future], timeout=FOREVER)
    client.future.cancel()
    assert done
