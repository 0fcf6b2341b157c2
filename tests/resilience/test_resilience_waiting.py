"""Work in threads of its own, and the wait for it."""

import asyncio
import threading
from concurrent.futures import Future

import pytest
from faulty_server import FOREVER

from django_oauth_jwt.waiting import Bounded, StillHanging, in_thread, run_awaiting, run_blocking


def _of_value(value):
    future = Future()
    future.set_result(value)
    return future


def _of_error(error):
    future = Future()
    future.set_exception(error)
    return future


def adding():
    first = yield _of_value(1)
    second = yield in_thread(lambda: 2)
    return first + second


def failing():
    yield _of_error(LookupError("lost"))


RUNNERS = [run_blocking, lambda steps: asyncio.run(run_awaiting(steps))]


@pytest.mark.parametrize("run", RUNNERS, ids=["blocking", "awaiting"])
def test_steps_get_the_result_of_what_they_wait_for(run):
    """Each future's result is sent back, and what the steps return is returned."""
    assert run(adding()) == 3


@pytest.mark.parametrize("run", RUNNERS, ids=["blocking", "awaiting"])
def test_what_a_future_raises_is_raised(run):
    """No error is lost on the way."""
    with pytest.raises(LookupError, match="lost"):
        run(failing())


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
