"""Counting tokens. A request pays for one addition, and what exports the figures asks for them when it likes.

A counter of the OpenTelemetry SDK takes half as long for each token as the check of its signature.
"""

import threading
from collections.abc import Iterator

from opentelemetry.metrics import CallbackOptions, Observation

from ...upstream import PerProcess
from .names import attributes_of

Values = tuple[str | None, ...]


class _Counts:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: dict[Values, int] = {}


class Tally:
    """Counts by the values of these attributes; a child process begins with none of its parent's."""

    def __init__(self, *attributes: str) -> None:
        self._attributes = attributes
        self._counts = PerProcess(lambda _: _Counts())

    def add(self, *values: str | None) -> None:
        """Count one with these values, None for an attribute that it lacks."""
        of_process = self._counts.get()
        with of_process.lock:
            of_process.counts[values] = of_process.counts.get(values, 0) + 1

    def observe(self, options: CallbackOptions) -> Iterator[Observation]:
        """Yield all counts, as an observable counter asks for them."""
        of_process = self._counts.get()
        with of_process.lock:
            counts = list(of_process.counts.items())
        for values, count in counts:
            yield Observation(count, attributes_of(dict(zip(self._attributes, values, strict=True))))
