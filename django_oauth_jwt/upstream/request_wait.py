"""How a request waits for what anybody can cause: one at a time, where that seems to be in vain."""

import threading
from concurrent.futures import Future
from typing import Any, ClassVar, Final

from .forks import PerProcess
from .threads import Wait


class _Waiting:
    """What one process knows of its waits: ``hanging`` are those in vain whose object is not done yet."""

    def __init__(self) -> None:
        self.hanging: frozenset[Future[Any]] = frozenset()
        self.turn = threading.Lock()


class RequestWait(Wait):
    """Wait as `Wait` does, but while too much hangs, only if no other request of the process waits so.

    Each issuer that hangs has its own limit of those who wait for it. Tokens that name many of them, one after the
    other, would hold all threads of a server all the same. Who may not wait goes on at once, as after a wait in vain.
    On an event loop nobody is held up, so there all may wait. What is waited for must be done one day.
    """

    __slots__ = ()

    #: How much may hang: the tokens of others must not suffer from one or two broken servers.
    tolerated: ClassVar[int] = 2

    def get(self) -> None:
        """Wait, blocking."""
        waiting = _waiting.get()
        waiting.hanging = frozenset(future for future in waiting.hanging if not future.done())
        if len(waiting.hanging) <= self.tolerated:
            self._wait(waiting)
        elif waiting.turn.acquire(blocking=False):
            try:
                self._wait(waiting)
            finally:
                waiting.turn.release()

    def _wait(self, waiting: _Waiting) -> None:
        super().get()
        if not self.future.done():
            waiting.hanging |= {self.future}


class WaitInTrouble(RequestWait):
    """Wait for a server whose last request failed: it may hang as well."""

    __slots__ = ()

    tolerated: ClassVar[int] = 0


_waiting: Final = PerProcess(lambda _: _Waiting())
