"""The tour as a table: plain text, at most 120 columns."""

from collections.abc import Iterator

from .tour import Answer, Stop

_COLUMNS = "{:5} {:44} {:16} {:>8} {:>4} {:>12}"

HEADING = _COLUMNS.format("", "What is sent", "Path", "Expected", "Got", "JWKS fetches")


def row(stop: Stop, got: Answer) -> Iterator[str]:
    """Yield the lines of one request: its row, its challenge, and what was expected instead."""
    mark = "ok" if got == stop.expected else "WRONG"
    yield _COLUMNS.format(mark, stop.what, stop.path, stop.expected.status, got.status, got.fetches)
    if got.challenge is not None:
        yield f"      {got.challenge}"
    if got.challenge != stop.expected.challenge:
        yield f"      expected: {stop.expected.challenge or 'no challenge'}"
    if got.fetches != stop.expected.fetches:
        yield f"      expected: {stop.expected.fetches} JWKS fetches"
