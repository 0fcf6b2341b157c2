"""Turns: few at a time, and a bounded number of others that wait for a bounded time."""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from ..errors import IssuerUnavailable
from ..upstream import MAXIMUM_WAITING, PATIENCE_SECONDS, Steps, Wait, new_future


class Turns:
    """At most ``number`` at a time have a turn. ``monotonic`` returns seconds that no clock change moves."""

    def __init__(self, number: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._free = number
        self._monotonic = monotonic
        self._last_change = monotonic()
        self._line: deque[Future[None]] = deque()
        # Lets a thread in twice: the garbage collector may end the steps of another request while this one has it.
        self._lock = threading.RLock()

    def take_steps(self) -> Steps[None]:
        """Take a turn, at once or after a wait. Raises IssuerUnavailable where there is none in time.

        Nobody waits where those who have a turn hang.
        """
        with self._lock:
            is_hanging = self._monotonic() - self._last_change > PATIENCE_SECONDS
            if self._free:
                self._free -= 1
                self._last_change = self._monotonic()
                return
            if is_hanging or len(self._line) >= MAXIMUM_WAITING:
                raise IssuerUnavailable
            turn: Future[None] = new_future()
            self._line.append(turn)
        try:
            yield Wait(turn, PATIENCE_SECONDS)
        except BaseException:  # the request is given up
            if self._has_turn(turn):
                self.give_back()
            raise
        if not self._has_turn(turn):
            raise IssuerUnavailable

    def give_back(self) -> None:
        """End a turn; the next one in the line has it then."""
        with self._lock:
            self._last_change = self._monotonic()
            if self._line:
                self._line.popleft().set_result(None)
            else:
                self._free += 1

    def _has_turn(self, turn: "Future[None]") -> bool:
        """Leave the line, and tell whether the turn came."""
        with self._lock:
            if not turn.done():
                self._line.remove(turn)
            return turn.done()
