"""How a request waits for what anybody can cause: one at a time, where that seems to be in vain."""

import threading
from concurrent.futures import Future
from typing import Any, Final

from .forks import PerProcess
from .threads import Wait

#: So many that hang at a time are borne before other requests have to take turns: one or two broken servers must not
#: be felt by those of the others.
_TOLERATED: Final = 2


class _Waiting:
    """What one process knows of its waits: ``hanging`` are those in vain whose object is not done yet."""

    def __init__(self) -> None:
        self.hanging: frozenset[Future[Any]] = frozenset()
        self.turn = threading.Lock()


class RequestWait(Wait):
    """Wait as `Wait` does, but while several things hang, only if no other request of the process waits so.

    Each issuer that hangs has its own limit of those who wait for it. Tokens that name many of them, one after the
    other, would hold all threads of a server all the same. Who may not wait goes on at once, as after a wait in vain.
    On an event loop nobody is held up, so there all may wait. What is waited for must be done one day.
    """

    __slots__ = ()

    def get(self) -> None:
        """Wait, blocking."""
        waiting = _waiting.get()
        waiting.hanging = frozenset(future for future in waiting.hanging if not future.done())
        if len(waiting.hanging) <= _TOLERATED:
            self._wait(waiting)
        else:
            self._wait_in_turn(waiting)

    def _wait_in_turn(self, waiting: _Waiting) -> None:
        if waiting.turn.acquire(blocking=False):
            try:
                self._wait(waiting)
            finally:
                waiting.turn.release()

    def _wait(self, waiting: _Waiting) -> None:
        super().get()
        if not self.future.done():
            waiting.hanging |= {self.future}


class WaitInTrouble(RequestWait):
    """Wait for a server that has just failed: always one request of the process at a time."""

    __slots__ = ()

    def get(self) -> None:
        """Wait, blocking."""
        self._wait_in_turn(_waiting.get())


_waiting: Final = PerProcess(lambda _: _Waiting())
