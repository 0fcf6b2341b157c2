"""One thread that does calls one after the other, each with a time limit; it is replaced when a call hangs."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from .bounded import StillHanging
from .steps import Steps
from .threads import Wait, in_thread, new_future, settle

T = TypeVar("T")

#: How long, in seconds, the thread waits for the next call before it ends, and its connections with it.
IDLE_SECONDS: Final = 10.0
#: How many threads may be left behind in calls that hang.
MAXIMUM_HANGING: Final = 4

_Tasks = queue.SimpleQueue[tuple["Future[Any]", Callable[[], Any]]]


class Worker:
    """Calls in one thread, so that they share what Django keeps for each thread: a connection to the cache."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._tasks: _Tasks | None = None
        self._hanging = 0

    def call_steps(self, work: Callable[[], T], seconds: float) -> Steps[T]:
        """Return what ``work`` returns; raise TimeoutError after so many seconds, or StillHanging."""
        future: Future[T] = new_future()
        tasks = self._hand_over(future, work)
        yield Wait(future, seconds)
        if not future.done():
            self._leave_behind(tasks)
            raise TimeoutError
        return future.result()

    def _hand_over(self, future: "Future[T]", work: Callable[[], T]) -> _Tasks:
        with self._lock:
            tasks = self._tasks
            if tasks is None:
                if self._hanging >= MAXIMUM_HANGING:
                    raise StillHanging
                tasks = self._tasks = queue.SimpleQueue()
                self._start(tasks)
            tasks.put((future, work))
            return tasks

    def _start(self, tasks: _Tasks) -> None:
        try:
            in_thread(lambda: self._serve(tasks))  # it begins when the lock is free
        except RuntimeError:
            self._tasks = None
            raise

    def _leave_behind(self, tasks: _Tasks) -> None:
        with self._lock:
            if self._tasks is tasks:
                self._tasks = None
                self._hanging += 1

    def _serve(self, tasks: _Tasks) -> None:
        is_idle = False
        while not self._ends(tasks, is_idle=is_idle):
            try:
                future, work = tasks.get(timeout=self._idle_seconds)
            except queue.Empty:
                is_idle = True
            else:
                settle(future, work)
                is_idle = False

    def _ends(self, tasks: _Tasks, *, is_idle: bool) -> bool:
        with self._lock:
            if self._tasks is not tasks:  # it was left behind, and another thread stands in for it
                self._hanging -= 1
                return True
            if is_idle and tasks.empty():
                self._tasks = None
                return True
            return False
