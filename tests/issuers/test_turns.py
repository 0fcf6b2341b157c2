"""Turns: how many ask at a time, how many wait and for how long."""

import asyncio

import pytest

from django_oauth_jwt.errors import IssuerUnavailable
from django_oauth_jwt.issuers import turns as turns_module
from django_oauth_jwt.issuers.turns import Turns
from django_oauth_jwt.upstream import run_awaiting

from .conftest import begin, ends, goes_on


@pytest.fixture
def turns(clock):
    return Turns(2, clock)


def test_a_free_turn_is_had_at_once(turns):
    """Up to the number that there are."""
    assert ends(turns.take_steps())
    assert ends(turns.take_steps())
    assert begin(turns.take_steps()).seconds == 1.0


def test_the_next_in_the_line_has_the_turn_that_ends(turns):
    """In the order in which they came."""
    steps = [turns.take_steps() for _ in range(4)]
    assert ends(steps[0])
    assert ends(steps[1])
    waits = [begin(each) for each in steps[2:]]
    turns.give_back()
    assert [wait.future.done() for wait in waits] == [True, False]
    assert goes_on(steps[2])
    turns.give_back()
    assert goes_on(steps[3])


def test_a_turn_that_nobody_waits_for_is_free(turns):
    """For whoever comes next."""
    for _ in range(5):
        assert ends(turns.take_steps())
        turns.give_back()


def test_a_turn_that_does_not_come_is_a_refusal(turns):
    """After the wait the request is over, and its place in the line is free."""
    for _ in range(2):
        assert ends(turns.take_steps())
    late, next_one = turns.take_steps(), turns.take_steps()
    begin(late)
    with pytest.raises(IssuerUnavailable):
        late.send(None)
    begin(next_one)
    turns.give_back()
    assert goes_on(next_one)


def test_the_line_is_bounded(turns, monkeypatch):
    """Who comes when it is full is refused at once."""
    monkeypatch.setattr(turns_module, "MAXIMUM_WAITING", 1)
    for _ in range(2):
        assert ends(turns.take_steps())
    waiting = turns.take_steps()
    begin(waiting)
    with pytest.raises(IssuerUnavailable):
        next(turns.take_steps())


def test_nobody_waits_where_all_hang(turns, clock):
    """Once no turn has ended for as long as a request waits; until one ends again."""
    for _ in range(2):
        assert ends(turns.take_steps())
    clock.advance(1.0)
    waiting = turns.take_steps()
    begin(waiting)
    clock.advance(0.1)
    with pytest.raises(IssuerUnavailable):
        next(turns.take_steps())
    turns.give_back()
    assert goes_on(waiting)
    assert begin(turns.take_steps())


def test_a_turn_taken_after_a_long_rest_does_not_hang(turns, clock):
    """It counts from when the last free one was taken."""
    clock.advance(1000)
    for _ in range(2):
        assert ends(turns.take_steps())
    assert begin(turns.take_steps())


@pytest.mark.parametrize("has_come", [False, True])
def test_a_request_that_is_given_up_leaves_its_place(turns, has_come):
    """Also where its turn came just then: the next one has it."""
    for _ in range(2):
        assert ends(turns.take_steps())
    given_up, next_one = turns.take_steps(), turns.take_steps()
    begin(given_up)
    begin(next_one)
    if has_come:
        turns.give_back()
    given_up.close()
    if not has_come:
        turns.give_back()
    assert goes_on(next_one)


def test_a_cancelled_request_leaves_its_place(turns):
    """As when a client goes away under ASGI."""

    async def cancel_one():
        for _ in range(2):
            await run_awaiting(turns.take_steps())
        task = asyncio.ensure_future(run_awaiting(turns.take_steps()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        turns.give_back()
        await run_awaiting(turns.take_steps())

    asyncio.run(asyncio.wait_for(cancel_one(), 30))
