"""What belongs to one process: a child process starts with its own, since threads do not survive a fork."""

import os
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class _Owned(NamedTuple, Generic[T]):
    """The object of one process; ``generation`` counts the forks, since process ids are used again."""

    pid: int
    generation: int
    value: T


class PerProcess(Generic[T]):
    """One object for each process. Locks, threads and futures of a parent process never end in its child.

    ``make`` is given the parent's object, None in the first process. The process id tells a child from its parent,
    since `os.register_at_fork` would not: uWSGI forks in C and runs none of Python's hooks.
    """

    def __init__(self, make: Callable[[T | None], T]) -> None:
        self._make = make
        #: The object that was used last: after a fork the parent's, until `get` is called.
        self.latest = make(None)
        self._owned = _Owned(os.getpid(), 0, self.latest)
        self._children: dict[tuple[int, int], _Owned[T]] = {}

    def get(self) -> T:
        """Return the object of this process; make it at the first call in a child."""
        owned = self._owned
        pid = os.getpid()
        if owned.pid != pid:
            child = _Owned(pid, owned.generation + 1, self._make(owned.value))
            # Of threads that come together, all get the first one's: `setdefault` is atomic.
            owned = self._owned = self._children.setdefault((pid, child.generation), child)
            self.latest = owned.value
        return owned.value
