"""How a request waits: nobody is held up by many waits in vain, and nothing else changes."""

import asyncio

import pytest

from django_oauth_jwt.upstream import Wait, new_future, request_wait
from django_oauth_jwt.upstream.request_wait import RequestWait, WaitInTrouble

from ..servers.faulty_server import FOREVER


@pytest.fixture(autouse=True)
def waiting():
    """What the process knows of its waits: nothing yet. None that hangs is left behind."""
    waiting = request_wait._waiting.get()
    waiting.hanging = frozenset()
    yield waiting
    waiting.hanging = frozenset()


@pytest.fixture
def waits(monkeypatch):
    """The futures that were waited for; each wait is over at once, and in vain unless the future is done."""
    waits = []
    monkeypatch.setattr(Wait, "get", lambda self: waits.append(self.future))
    return waits


def in_vain(times):
    """Wait for so many things that hang; return them."""
    futures = [new_future() for _ in range(times)]
    for future in futures:
        RequestWait(future, 0.01).get()
    return futures


def test_all_may_wait_while_no_more_than_two_things_hang(waits):
    """Two broken authorization servers are not felt by those of the others, not even at a cold start of these."""
    in_vain(2)
    future = new_future()
    waits.clear()

    def come_in_while_others_wait(self):
        waits.append(self.future)
        if len(waits) < 4:
            RequestWait(future, FOREVER).get()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Wait, "get", come_in_while_others_wait)
        RequestWait(future, FOREVER).get()
    assert waits == [future] * 4


def test_all_may_wait_for_a_server_in_trouble_while_nothing_hangs(waits, waiting):
    """Who comes when it is well again gets its keys."""
    with waiting.turn:
        WaitInTrouble(new_future(), FOREVER).get()
    assert len(waits) == 1


@pytest.mark.parametrize(("kind", "hanging"), [(RequestWait, 3), (WaitInTrouble, 1)])
def test_else_one_at_a_time_may(waits, monkeypatch, kind, hanging):
    """Others go on at once, whatever they would wait for, and the next one waits again.

    So it is while more things hang, and for a server in trouble while anything hangs.
    """
    in_vain(hanging)
    first, second = new_future(), new_future()
    waits.clear()

    def wait_while_another_comes(self):
        waits.append(self.future)
        if self.future is first:
            kind(second, FOREVER).get()

    monkeypatch.setattr(Wait, "get", wait_while_another_comes)
    kind(first, FOREVER).get()
    assert waits == [first]
    kind(second, FOREVER).get()
    assert waits == [first, second]


def test_what_ends_hangs_no_longer(waits, waiting):
    """Nor does what was done in time, be it with an error."""
    failed = new_future()
    failed.set_exception(OSError())
    hanging = in_vain(3)
    RequestWait(failed, 1).get()
    assert waiting.hanging == set(hanging)
    with waiting.turn:
        RequestWait(new_future(), FOREVER).get()
        assert waits == [*hanging, failed]
        hanging[0].set_result(None)
        RequestWait(failed, FOREVER).get()
    assert waits == [*hanging, failed, failed]


def test_on_an_event_loop_all_may_wait(waiting):
    """They hold no thread."""
    in_vain(3)
    future = new_future()

    async def wait_together():
        together = asyncio.gather(*(RequestWait(future, FOREVER).aget() for _ in range(4)))
        await asyncio.sleep(0)
        future.set_result(None)
        await together

    with waiting.turn:
        asyncio.run(asyncio.wait_for(wait_together(), FOREVER))
