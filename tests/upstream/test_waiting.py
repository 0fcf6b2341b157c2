"""Work in threads of its own, and the wait for it."""

import asyncio
import queue
import threading
from types import SimpleNamespace

import pytest

from django_oauth_jwt.upstream import Wait, in_thread, run_awaiting, run_blocking, waiting
from django_oauth_jwt.upstream.waiting import Bounded, StillHanging

from ..servers.faulty_server import FOREVER

RUNNERS = [run_blocking, lambda steps: asyncio.run(run_awaiting(steps))]

either_way = pytest.mark.parametrize("run", RUNNERS, ids=["blocking", "awaiting"])


@either_way
def test_steps_go_on_when_what_they_wait_for_is_done(run):
    """Each future has its result by then, and what the steps return is returned."""

    def adding():
        first, second = in_thread(lambda: 1), in_thread(lambda: 2)
        yield Wait(first)
        yield Wait(second, FOREVER)
        return first.result(0) + second.result(0)

    assert run(adding()) == 3


@either_way
def test_a_wait_ends_with_its_time(run):
    """The work goes on though nobody waits for it any more."""
    go_on = threading.Event()

    def leaving():
        yield Wait(future, 0.01)
        return future.done()

    future = in_thread(lambda: go_on.wait(FOREVER))
    assert run(leaving()) is False
    go_on.set()
    assert future.result(FOREVER) is True


@either_way
def test_work_that_fails_ends_the_wait(run):
    """What it means is for the steps to say."""

    def failing():
        future = in_thread(lambda: 1 / 0)
        yield Wait(future)
        return future.exception(0)

    assert isinstance(run(failing()), ZeroDivisionError)


@either_way
def test_what_the_steps_raise_is_raised(run):
    """No error is lost on the way."""

    def raising():
        yield Wait(in_thread(lambda: None))
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        run(raising())


def test_a_loop_that_is_closed_is_not_woken(caplog):
    """Work that ends after its time has nobody to tell."""
    go_on, told = threading.Event(), threading.Event()

    def leaving():
        yield Wait(future, 0)

    future = in_thread(lambda: go_on.wait(FOREVER))
    asyncio.run(run_awaiting(leaving()))
    future.add_done_callback(lambda future: told.set())  # comes after whoever waited before
    go_on.set()
    assert told.wait(FOREVER)
    assert caplog.records == []


def test_a_thread_of_ours_keeps_nothing_open_and_no_process_alive(monkeypatch):
    """Django closes connections at the end of a request, which our threads have none of; they are daemons."""
    closed = queue.SimpleQueue()
    monkeypatch.setattr(waiting, "close_caches", lambda: closed.put("caches"))
    monkeypatch.setattr(waiting, "connections", SimpleNamespace(close_all=lambda: closed.put("databases")))
    assert in_thread(lambda: threading.current_thread().daemon).result(FOREVER) is True
    assert [closed.get(timeout=FOREVER) for _ in range(2)] == ["caches", "databases"]
    with pytest.raises(ZeroDivisionError):
        in_thread(lambda: 1 / 0).result(FOREVER)
    assert [closed.get(timeout=FOREVER) for _ in range(2)] == ["caches", "databases"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_the_work_raises_is_for_those_who_wait(error):
    """Even what would end a thread in silence ends the wait."""

    def work():
        raise error

    with pytest.raises(error):
        in_thread(work).result(FOREVER)


def test_afterwards_comes_after_the_result():
    """Those who wait have the result before what comes afterwards is done, which may ask for it too."""
    done, results = threading.Event(), []

    def afterwards():
        results.append(future_is_known.wait(FOREVER) and future.result(0))
        done.set()

    future_is_known = threading.Event()
    future = in_thread(lambda: "result", afterwards)
    assert future.result(FOREVER) == "result"
    future_is_known.set()
    assert done.wait(FOREVER)
    assert results == ["result"]


def test_nobody_can_cancel_the_work():
    """A request that is given up must not take along what others wait for."""
    go_on = threading.Event()
    future = in_thread(lambda: go_on.wait(FOREVER))
    assert not future.cancel()
    go_on.set()
    assert future.result(FOREVER) is True


def test_a_call_in_time_gives_its_result():
    """Below the limit nothing is noticed of it, as often as one calls."""
    bounded = Bounded(threads=1)
    assert [bounded.call(lambda: "result", FOREVER) for _ in range(100)] == ["result"] * 100


def test_a_call_that_takes_longer_is_left_behind():
    """Its thread goes on by itself, and keeps its place until it ends."""
    bounded, go_on, ended = Bounded(threads=1), threading.Event(), threading.Event()
    with pytest.raises(TimeoutError):
        bounded.call(lambda: go_on.wait(FOREVER), 0.01)
    with pytest.raises(StillHanging):
        bounded.call(pytest.fail, FOREVER)
    bounded._places.release = lambda release=bounded._places.release: release() or ended.set()
    go_on.set()
    assert ended.wait(FOREVER)
    assert bounded.call(lambda: "result", FOREVER) == "result"


def test_after_a_fork_no_place_is_taken():
    """The threads of the parent are not the child's."""
    bounded, go_on = Bounded(threads=1), threading.Event()
    with pytest.raises(TimeoutError):
        bounded.call(lambda: go_on.wait(FOREVER), 0.01)
    bounded.forget_threads()
    assert bounded.call(lambda: "result", FOREVER) == "result"
    go_on.set()


def test_a_thread_that_cannot_be_had_takes_no_place(monkeypatch):
    """The error is the caller's, and the next call has its place."""
    bounded = Bounded(threads=1)

    def no_thread(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="can't start"):
                bounded.call(pytest.fail, FOREVER)
    assert bounded.call(lambda: "result", FOREVER) == "result"
