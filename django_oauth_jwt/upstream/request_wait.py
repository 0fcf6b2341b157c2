"""How a request waits for what anybody can cause: one at a time, while something hangs that was waited for in vain."""

import threading
from concurrent.futures import Future
from typing import Any, Final

from .forks import PerProcess
from .threads import Wait


class _Waiting:
    """What one process knows of its waits: ``hanging`` was waited for in vain last."""

    def __init__(self) -> None:
        self.hanging: Future[Any] | None = None
        self.turn = threading.Lock()


class RequestWait(Wait):
    """Wait as `Wait` does; while something hangs, only if no other request of the process waits so.

    Each issuer that hangs has its own limit of those who wait for it. Tokens that name many of them, one after the
    other, would hold all threads of a server all the same. Who may not wait goes on at once, as after a wait in vain.
    On an event loop nobody is held up, so there all may wait. What is waited for must be done one day.
    """

    __slots__ = ()

    def get(self) -> None:
        """Wait, blocking."""
        waiting = _waiting.get()
        if waiting.hanging is None or waiting.hanging.done():
            self._wait(waiting)
        elif waiting.turn.acquire(blocking=False):
            try:
                self._wait(waiting)
            finally:
                waiting.turn.release()

    def _wait(self, waiting: _Waiting) -> None:
        super().get()
        waiting.hanging = waiting.hanging if self.future.done() else self.future


_waiting: Final = PerProcess(lambda _: _Waiting())
