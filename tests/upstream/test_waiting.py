"""Work in threads of its own, and the wait for it."""

import asyncio
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace

import pytest

from django_oauth_jwt.upstream import Wait, in_thread, new_future, run_awaiting, run_blocking, threads
from django_oauth_jwt.upstream.bounded import Bounded, StillHanging
from django_oauth_jwt.upstream.worker import Worker

from ..servers.faulty_server import FOREVER

RUNNERS = [run_blocking, lambda steps: asyncio.run(run_awaiting(steps))]

either_way = pytest.mark.parametrize("run", RUNNERS, ids=["blocking", "awaiting"])


def call(worker, work, seconds):
    """Have a worker do something, blocking."""
    return run_blocking(worker.call_steps(work, seconds))


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


class Failing:
    """A need that cannot be met."""

    def get(self):
        raise LookupError("lost")

    async def aget(self):
        self.get()


@either_way
@pytest.mark.parametrize("is_handled", [True, False])
def test_what_a_need_raises_is_raised_where_it_was_asked_for(run, is_handled):
    """The steps decide what it means, and go on to the next need if they like."""

    def steps():
        try:
            yield Failing()
        except LookupError:
            if not is_handled:
                raise
        yield Wait(in_thread(lambda: None))
        return "result"

    with nullcontext() if is_handled else pytest.raises(LookupError, match="lost"):
        assert run(steps()) == "result"


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
    monkeypatch.setattr(threads, "close_caches", lambda: closed.put("caches"))
    monkeypatch.setattr(threads, "connections", SimpleNamespace(close_all=lambda: closed.put("databases")))
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


def test_nobody_can_cancel_the_work():
    """A request that is given up must not take along what others wait for."""
    go_on = threading.Event()
    future = in_thread(lambda: go_on.wait(FOREVER))
    assert not future.cancel()
    go_on.set()
    assert future.result(FOREVER) is True


def no_op():
    """End nothing."""


def test_a_call_in_time_gives_its_result():
    """Below the limit nothing is noticed of it, as often as one calls."""
    bounded = Bounded(threads=1)
    assert [bounded.call(lambda: "result", FOREVER, no_op) for _ in range(100)] == ["result"] * 100


def test_a_call_that_takes_longer_is_left_behind():
    """Its thread goes on by itself, and keeps its place until it ends."""
    bounded, go_on, ended, given_up = Bounded(threads=1), threading.Event(), threading.Event(), threading.Event()
    with pytest.raises(TimeoutError):
        bounded.call(lambda: go_on.wait(FOREVER), 0.01, given_up.set)
    assert given_up.is_set()
    with pytest.raises(StillHanging):
        bounded.call(pytest.fail, FOREVER, no_op)
    bounded._free.release = lambda release=bounded._free.release: release() or ended.set()
    go_on.set()
    assert ended.wait(FOREVER)
    assert bounded.call(lambda: "result", FOREVER, no_op) == "result"


def test_a_thread_that_cannot_be_had_takes_no_place(monkeypatch):
    """The error is the caller's, and the next call has its place."""
    bounded = Bounded(threads=1)

    def no_thread(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="can't start"):
                bounded.call(pytest.fail, FOREVER, no_op)
    assert bounded.call(lambda: "result", FOREVER, no_op) == "result"


def test_a_worker_does_its_calls_in_one_thread():
    """So that they share what Django keeps for each thread: a connection."""
    worker = Worker(idle_seconds=FOREVER)
    assert len({call(worker, threading.get_ident, FOREVER) for _ in range(5)}) == 1


def test_a_worker_gives_errors_back():
    """They are the caller's, and the next call goes on in the same thread."""
    worker = Worker(idle_seconds=FOREVER)
    before = call(worker, threading.get_ident, FOREVER)
    for error in (ZeroDivisionError, TimeoutError, KeyboardInterrupt):
        with pytest.raises(error):
            call(worker, partial(_raise, error), FOREVER)
    assert call(worker, threading.get_ident, FOREVER) == before


def _raise(error):
    raise error


@either_way
def test_a_worker_is_waited_for_in_steps(run):
    """Its result, its error and the end of the time are the same on both sides."""
    worker, go_on = Worker(), threading.Event()
    assert run(worker.call_steps(lambda: "result", FOREVER)) == "result"
    with pytest.raises(ZeroDivisionError):
        run(worker.call_steps(lambda: 1 / 0, FOREVER))
    with pytest.raises(TimeoutError):
        run(worker.call_steps(lambda: go_on.wait(FOREVER), 0.01))
    go_on.set()


def test_an_event_loop_goes_on_while_a_worker_is_waited_for():
    """The loop itself lets the work end here."""

    async def both():
        worker, go_on = Worker(), threading.Event()
        waiting = asyncio.create_task(run_awaiting(worker.call_steps(lambda: go_on.wait(FOREVER), FOREVER)))
        await asyncio.sleep(0)
        go_on.set()
        return await waiting

    assert asyncio.run(both()) is True


def test_an_idle_worker_ends():
    """With it end its connections, which could die of old age; the next call has a new thread."""
    worker, idents = Worker(idle_seconds=0), set()
    for _ in range(3):
        thread = call(worker, threading.current_thread, FOREVER)
        thread.join(FOREVER)
        assert not thread.is_alive()
        idents.add(thread)
    assert len(idents) == 3


def test_a_call_that_comes_as_the_worker_is_about_to_end_is_done():
    """The thread looks once more when it has the lock."""
    worker = Worker(idle_seconds=0.001)
    assert [call(worker, lambda: "result", FOREVER) for _ in range(300)] == ["result"] * 300


def test_a_worker_that_hangs_is_replaced_up_to_four_times():
    """Beyond that there is no thread for another call, until one of those that hang goes on."""
    worker, go_on, began = Worker(), threading.Event(), queue.SimpleQueue()
    for _ in range(4):
        tasks = worker._hand_over(new_future(), lambda: began.put(threading.current_thread()) or go_on.wait(FOREVER))
        thread = began.get(timeout=FOREVER)
        worker._leave_behind(tasks)
    with pytest.raises(StillHanging):
        call(worker, pytest.fail, FOREVER)
    go_on.set()
    thread.join(FOREVER)
    assert call(worker, lambda: "result", FOREVER) == "result"


def test_a_call_that_takes_too_long_leaves_the_worker_behind():
    """Its caller is told, and the next call has another thread."""
    worker, go_on = Worker(), threading.Event()
    with pytest.raises(TimeoutError):
        call(worker, lambda: go_on.wait(FOREVER), 0.01)
    assert call(worker, lambda: "result", FOREVER) == "result"
    go_on.set()


def test_a_call_in_a_line_behind_one_that_hangs_leaves_it_behind_once():
    """Both callers give up; the thread counts as one."""
    worker, go_on, hangs = Worker(), threading.Event(), threading.Event()

    def wait(seconds):
        with pytest.raises(TimeoutError):
            call(worker, lambda: hangs.set() or go_on.wait(FOREVER), seconds)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(wait, 0.1)
        assert hangs.wait(FOREVER)
        second = pool.submit(wait, 0.1)
        first.result(FOREVER)
        second.result(FOREVER)
    assert worker._hanging == 1
    go_on.set()


def test_a_worker_that_gets_no_thread_has_one_at_the_next_call(monkeypatch):
    """The error is the caller's."""
    worker = Worker()

    def no_thread(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(RuntimeError, match="can't start"):
            call(worker, pytest.fail, FOREVER)
    assert call(worker, lambda: "result", FOREVER) == "result"
