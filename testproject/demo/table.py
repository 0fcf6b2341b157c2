"""The tour as a table: plain text, at most 120 columns."""

from collections.abc import Iterator
from textwrap import wrap

from .tour import Answer, Stop

_COLUMNS = "{:5} {:42} {:16} {:>8} {:>4} {:>4} {:>10}"

HEADING = _COLUMNS.format("", "What is sent", "Path", "Expected", "Got", "JWKS", "Introspect")


def row(stop: Stop, got: Answer) -> Iterator[str]:
    """Yield the lines of one request: its row, its challenge, and what was expected instead."""
    mark = "ok" if got == stop.expected else "WRONG"
    counts = got.fetches, got.introspections
    yield _COLUMNS.format(mark, stop.what, stop.path, stop.expected.status, got.status, *counts)
    if got.challenge is not None:
        yield from _wrapped(got.challenge)
    if got.challenge != stop.expected.challenge:
        yield from _wrapped(f"expected: {stop.expected.challenge or 'no challenge'}")
    if got.fetches != stop.expected.fetches:
        yield f"      expected: {stop.expected.fetches} JWKS fetches"
    if got.introspections != stop.expected.introspections:
        yield f"      expected: {stop.expected.introspections} introspections"


def _wrapped(text: str) -> list[str]:
    return wrap(
        text, 120, initial_indent=" " * 6, subsequent_indent=" " * 8, break_long_words=False, break_on_hyphens=False
    )
