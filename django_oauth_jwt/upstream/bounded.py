"""Calls that may hang, each in a thread of its own, with a time limit and a limit on how many hang at once."""

import threading
from collections.abc import Callable
from concurrent.futures import wait
from typing import TypeVar

from .threads import in_thread

T = TypeVar("T")


class StillHanging(Exception):
    """Too many earlier calls are still running: there is no thread for another."""


class Bounded:
    """Calls with a time limit, at most ``threads`` of them at once.

    A thread cannot be stopped: a call that takes longer is left to end by itself, and its result is not used.
    """

    def __init__(self, threads: int = 4) -> None:
        self._free = threading.BoundedSemaphore(threads)

    def call(self, work: Callable[[], T], seconds: float, give_up: Callable[[], None]) -> T:
        """Return what ``work`` returns; raise TimeoutError after so many seconds, or StillHanging.

        ``give_up`` is called when the time is over, to have the work end soon.
        """
        if not self._free.acquire(blocking=False):
            raise StillHanging

        def work_and_free() -> T:
            try:
                return work()
            finally:
                self._free.release()  # before the result is known, since its taker may call again at once

        try:
            future = in_thread(work_and_free)
        except RuntimeError:
            self._free.release()
            raise
        wait([future], seconds)
        if not future.done():
            give_up()
            raise TimeoutError
        return future.result()
