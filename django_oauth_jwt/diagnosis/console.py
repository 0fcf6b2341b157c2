"""What the commands print: results and tables in ASCII, in colour on a terminal, plain elsewhere."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser, OutputWrapper
from django.core.management.color import Style, no_style

#: By outcome (passed, failed, not checked): how it is written, and its style. ASCII: any terminal can show it.
_MARKS = {True: ("ok", "SUCCESS"), False: ("no", "ERROR"), None: ("? ", "WARNING")}


class Console:
    """One command's output; ``style`` is used on a terminal only, unless ``is_coloured`` asks for it."""

    def __init__(self, stdout: OutputWrapper, style: Style, *, is_coloured: bool = False) -> None:
        self._stdout = stdout
        self._style = style if is_coloured or stdout.isatty() else no_style()

    def line(self, text: str = "", *, outcome: bool | None = True, is_coloured: bool = False) -> None:
        """Print a line; in the outcome's colour where ``is_coloured``."""
        text = _printable(text)
        self._stdout.write(self._coloured(text, outcome) if is_coloured else text)

    def result(self, outcome: bool | None, text: str) -> None:
        """Print a line that begins with ``ok``, ``no``, or ``?`` for what could not be checked."""
        self._stdout.write(f"  {self._coloured(_MARKS[outcome][0], outcome)} {_printable(text)}")

    def json(self, value: Any) -> None:
        """Print JSON, in ASCII."""
        self._stdout.write(json.dumps(value, indent=2))

    @staticmethod
    def table(rows: Iterable[Sequence[str]]) -> list[str]:
        """Return the lines of a table whose columns are as wide as need be."""
        rows = list(rows)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]

    def _coloured(self, text: str, outcome: bool | None) -> str:
        coloured: str = getattr(self._style, _MARKS[outcome][1])(text)
        return coloured


class ReportCommand(BaseCommand):
    """A command that reports something, as text or with ``--json``; exit status 1 where not all is well.

    Code that calls the command ends so, too, where ``ends_its_caller``; else the report is all that it gets.
    """

    requires_system_checks = ["oauth_jwt"]  # noqa: RUF012  # Django's spelling
    ends_its_caller = False
    _called_from_command_line: bool  # Django's own

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the argument that all reports take."""
        parser.add_argument("--json", action="store_true", help="print JSON")

    def report(
        self, document: Any, print_text: Callable[[Console], None], options: dict[str, Any], *, is_well: bool
    ) -> None:
        """Print the document as JSON, or the text of it, and end with the exit status."""
        console = Console(self.stdout, self.style, is_coloured=options["force_color"])
        if options["json"]:
            console.json(document)
        else:
            print_text(console)
        if not is_well and (self.ends_its_caller or self._called_from_command_line):
            sys.exit(1)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def shown(value: Any, length: int = 120) -> str:
    """Return a value of a token or a JWKS so that it can do no harm to a terminal: JSON in ASCII, cut off."""
    try:
        text = json.dumps(value)
    except RecursionError:  # it was read with less of the stack in use
        return "..."
    return text if len(text) <= length else f"{text[:length]}..."


def time_shown(value: Any, now: float) -> str:
    """Return a Unix time as people read it, and how far away it is; whatever is none as `shown` does."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return shown(value)
    try:
        text = datetime.fromtimestamp(value, UTC).isoformat(" ", "seconds")
    except (ValueError, OverflowError, OSError):  # beyond the year 9999, or before the year 1
        return shown(value)
    distance = timedelta(seconds=round(abs(value - now)))
    return f"{text}, {distance} {'ago' if value <= now else 'from now'}"
