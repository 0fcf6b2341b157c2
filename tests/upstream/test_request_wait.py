"""How a request waits: nobody is held up by many waits in vain, and nothing else changes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from django_oauth_jwt.upstream import Wait, new_future, request_wait
from django_oauth_jwt.upstream.request_wait import RequestWait

from ..servers.faulty_server import FOREVER


@pytest.fixture(autouse=True)
def _nothing_hangs():
    """Begin as a process that has not waited yet, and leave none that hangs behind."""
    request_wait._waiting.get().hanging = None
    yield
    request_wait._waiting.get().hanging = None


@pytest.fixture
def waits(monkeypatch):
    """The futures that were waited for; each wait is over at once, and in vain unless the future is done."""
    waits = []
    monkeypatch.setattr(Wait, "get", lambda self: waits.append(self.future))
    return waits


def test_all_may_wait_until_one_has_waited_in_vain():
    """As at a cold start of a server whose authorization server is well."""
    future = new_future()
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(RequestWait(future, FOREVER).get) for _ in range(4)]
        assert not any(each.done() for each in waiting)
        future.set_result(None)
        for each in waiting:
            each.result(FOREVER)


def test_then_one_at_a_time_may(waits, monkeypatch):
    """Others go on at once, whatever they would wait for, and the next one waits again."""
    RequestWait(new_future(), 0.01).get()
    first, second = new_future(), new_future()

    def wait_while_another_comes(self):
        waits.append(self.future)
        if self.future is first:
            RequestWait(second, FOREVER).get()

    monkeypatch.setattr(Wait, "get", wait_while_another_comes)
    RequestWait(first, FOREVER).get()
    assert waits[1:] == [first]
    RequestWait(second, FOREVER).get()
    assert waits[1:] == [first, second]


def test_a_wait_that_pays_makes_nobody_careful(waits):
    """Nor does one that ends in an error."""
    done = new_future()
    done.set_exception(OSError())
    RequestWait(done, 1).get()
    waiting = request_wait._waiting.get()
    with waiting.turn:
        RequestWait(done, 1).get()
    assert waits == [done, done]


def test_who_may_not_wait_goes_on_at_once(waits):
    """For as long as the last thing hangs that was waited for in vain, and no longer."""
    hanging = new_future()
    RequestWait(hanging, 0.01).get()
    with request_wait._waiting.get().turn:
        RequestWait(new_future(), FOREVER).get()
        assert waits == [hanging]
        hanging.set_result(None)
        RequestWait(new_future(), FOREVER).get()
        assert len(waits) == 2


def test_on_an_event_loop_all_may_wait(waits):
    """They hold no thread."""
    RequestWait(new_future(), 0.01).get()
    future = new_future()

    async def wait_together():
        together = asyncio.gather(*(RequestWait(future, FOREVER).aget() for _ in range(4)))
        await asyncio.sleep(0)
        future.set_result(None)
        await together

    with request_wait._waiting.get().turn:
        asyncio.run(asyncio.wait_for(wait_together(), FOREVER))
