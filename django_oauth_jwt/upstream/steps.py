"""Code without I/O that yields what it needs, and the two runners that get it: one blocks, the other awaits.

So each decision is written once, and only the edges differ between WSGI and ASGI.
"""

from collections.abc import Generator
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Need(Protocol):
    """Something that the code between the edges cannot get by itself: keys, a user, the end of a refresh."""

    def get(self) -> Any:
        """Get it, blocking; what it raises is raised where it was asked for."""
        ...

    async def aget(self) -> Any:
        """Do as `get` does, without blocking the event loop."""
        ...


#: A computation that yields each `Need`, is sent what came of it, and returns its result.
Steps = Generator[Need, Any, T]


def run_blocking(steps: Steps[T]) -> T:
    """Run the steps to their end and return their result, blocking for each need."""
    need: Need | None = None
    try:
        need = next(steps)
        while True:
            try:
                found = need.get()
            except Exception as error:  # noqa: BLE001  # the steps decide what it means
                need = steps.throw(error)
            else:
                need = steps.send(found)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        # Of steps that are given up here: the garbage collector would end them at any moment, in whichever thread.
        steps.close()
        need = found = None  # they may hold an error, whose traceback holds this frame


async def run_awaiting(steps: Steps[T]) -> T:
    """Do as `run_blocking` does, without blocking the event loop."""
    need: Need | None = None
    try:
        need = next(steps)
        while True:
            try:
                found = await need.aget()
            except Exception as error:  # noqa: BLE001  # as above
                need = steps.throw(error)
            else:
                need = steps.send(found)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()  # as above
        need = found = None
