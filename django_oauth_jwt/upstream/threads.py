"""Work in a daemon thread of its own, and the wait for it."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, NamedTuple, TypeVar

from django.core.cache import close_caches
from django.db import connections

T = TypeVar("T")


class Wait(NamedTuple):
    """The need (see `steps`) to wait until a future is done, or for so many seconds at the most (None: no limit)."""

    future: "Future[Any]"
    seconds: float | None = None

    def get(self) -> None:
        """Wait, blocking."""
        wait([self.future], self.seconds)

    async def aget(self) -> None:
        """Wait, without blocking the event loop."""
        awaited = asyncio.wrap_future(self.future)
        try:
            await asyncio.wait([awaited], timeout=self.seconds)
        finally:
            # A request that leaves early must not be woken later: its loop may be closed by then. The work goes on.
            awaited.cancel()


def new_future() -> "Future[Any]":
    """Return a future that nobody can cancel: a request that is given up must not take along what others wait for."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


def in_thread(work: Callable[[], T]) -> "Future[T]":
    """Start ``work`` in a daemon thread and return its future, which nobody can cancel.

    Raises RuntimeError where no thread can be had, as when the interpreter is going down.
    """
    future: Future[T] = new_future()

    def run() -> None:
        try:
            settle(future, work)
        finally:
            # Django closes a thread's connections at the end of a request; this thread has no request.
            close_caches()
            connections.close_all()

    threading.Thread(target=run, name="django-oauth-jwt", daemon=True).start()
    return future


def settle(future: "Future[T]", work: Callable[[], T]) -> None:
    """Do the work, and give its result or its error to the future."""
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001  # the waiting side decides what it means
        future.set_exception(error)
    else:
        future.set_result(result)
