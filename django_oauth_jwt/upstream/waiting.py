"""Work in threads of its own, and the wait for it: with a time limit, blocking or awaiting."""

import asyncio
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from typing import Any, NamedTuple, TypeVar

from django.core.cache import close_caches
from django.db import connections

T = TypeVar("T")


class Wait(NamedTuple):
    """A future to wait for, and for how many seconds at the most (None: until it is done)."""

    future: "Future[Any]"
    seconds: float | None = None


#: A computation that yields each wait it has to make, goes on when that is over, and returns its result.
Steps = Generator[Wait, None, T]


def in_thread(work: Callable[[], T], afterwards: Callable[[], None] | None = None) -> "Future[T]":
    """Start ``work`` in a daemon thread and return its future, which nobody can cancel.

    ``afterwards`` is called in the same thread, once those who wait for the future have its result. Raises
    RuntimeError where no thread can be had, as when the interpreter is going down.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            _settle(future, work)
            if afterwards is not None:
                afterwards()
        finally:
            # Django closes a thread's connections at the end of a request; this thread has no request.
            close_caches()
            connections.close_all()

    threading.Thread(target=run, name="django-oauth-jwt", daemon=True).start()
    return future


def _settle(future: "Future[T]", work: Callable[[], T]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001  # the waiting side decides what it means
        future.set_exception(error)
    else:
        future.set_result(result)


class StillHanging(Exception):
    """Too many earlier calls are still running: there is no thread for another."""


class Bounded:
    """Calls with a time limit, each in a thread of its own.

    A thread cannot be stopped: one that takes longer is left to end by itself, its result unused. No more
    than ``threads`` of them run at once.
    """

    def __init__(self, threads: int = 4) -> None:
        self._threads = threads
        self.forget_threads()

    def forget_threads(self) -> None:
        """Forget the calls of a parent process: after a fork their threads are gone."""
        self._places = threading.BoundedSemaphore(self._threads)

    def call(self, work: Callable[[], T], seconds: float) -> T:
        """Return what ``work`` returns; raise TimeoutError after so many seconds, or StillHanging."""
        places = self._places
        if not places.acquire(blocking=False):
            raise StillHanging

        def work_and_leave() -> T:
            try:
                return work()
            finally:
                places.release()  # before the result is known: whoever has it may call again

        try:
            future = in_thread(work_and_leave)
        except RuntimeError:
            places.release()
            raise
        return future.result(seconds)


def run_blocking(steps: Steps[T]) -> T:
    """Run the steps, blocking at each wait."""
    try:
        while True:
            future, seconds = next(steps)
            wait([future], seconds)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def run_awaiting(steps: Steps[T]) -> T:
    """Run the steps, awaiting each wait, so that the event loop goes on."""
    try:
        while True:
            future, seconds = next(steps)
            await _await(future, seconds)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def _await(future: "Future[Any]", seconds: float | None) -> None:
    awaited = asyncio.wrap_future(future)
    try:
        await asyncio.wait([awaited], timeout=seconds)
    finally:
        # Whoever leaves early waits no more, on a loop that may be closed by then; the work itself goes on.
        awaited.cancel()
