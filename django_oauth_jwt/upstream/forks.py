"""Tell a child process from its parent: what it has of the parent's threads is locks and futures that nobody frees."""

import os
import threading
from collections.abc import Callable


class ForkGuard:
    """Has ``start_afresh`` called once in each child process, by whichever of its threads comes first.

    The process id tells, for `os.register_at_fork` would not: uWSGI forks in C, and runs none of Python's hooks.
    """

    def __init__(self, start_afresh: Callable[[], None]) -> None:
        self._start_afresh = start_afresh
        self._pid = os.getpid()
        self._locks: dict[int, threading.Lock] = {}

    def notice(self) -> None:
        """Start afresh where this process is a new one; to be called before anything of other threads is met."""
        pid = os.getpid()
        if pid == self._pid:
            return
        # A lock of this process alone: one made before the fork may be shut for ever. All its threads get the
        # same one, for nothing comes between the two halves of a dict's setdefault.
        with self._locks.setdefault(pid, threading.Lock()):
            if pid != self._pid:
                self._start_afresh()
                self._pid = pid
