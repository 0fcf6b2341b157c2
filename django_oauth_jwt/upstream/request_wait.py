"""How a request waits for what anybody can cause: one at a time, while such waiting has just been in vain."""

import threading
import time
from typing import Any, Final

from django.core.signals import setting_changed

from .forks import PerProcess
from .threads import Wait

#: For how long, in seconds, a wait in vain makes the process careful: longer than the pause between two tries.
CAREFUL_SECONDS: Final = 60.0


class _Waiting:
    """What one process knows of its waits: ``careful_until`` is in monotonic seconds."""

    def __init__(self) -> None:
        self.careful_until = 0.0
        self.turn = threading.Lock()


class RequestWait(Wait):
    """Wait as `Wait` does; where waiting has just been in vain, only if no other request of the process waits so.

    Each issuer that hangs has its own limit of those who wait for it. Tokens that name many of them, one after the
    other, would hold all threads of a server all the same. Who may not wait goes on at once, as after a wait in vain.
    On an event loop nobody is held up, so there all may wait.
    """

    __slots__ = ()

    def get(self) -> None:
        """Wait, blocking."""
        waiting = _waiting.get()
        if time.monotonic() >= waiting.careful_until:
            self._wait(waiting)
        elif waiting.turn.acquire(blocking=False):
            try:
                self._wait(waiting)
            finally:
                waiting.turn.release()

    def _wait(self, waiting: _Waiting) -> None:
        super().get()
        if not self.future.done():
            waiting.careful_until = time.monotonic() + CAREFUL_SECONDS


_waiting: Final = PerProcess(lambda _: _Waiting())


def _forget(**kwargs: Any) -> None:
    _waiting.get().careful_until = 0.0


setting_changed.connect(_forget, dispatch_uid="django_oauth_jwt.upstream.request_wait")
