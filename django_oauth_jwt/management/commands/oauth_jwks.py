"""`manage.py oauth_jwks`: see `key_report`."""

import time
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from typing import Any

from django.core.management.base import CommandParser

from ...conf import get_settings, require_key_source
from ...diagnosis import Console, KeyReport, KeyRow, ReportCommand, report_issuer, shown, time_shown

HEADINGS = ("name", "kty", "size", "algorithms", "use", "problem")
_ORIGINS = {"fetch": ", fetched", "cache": ", from the shared cache, fetched", "service": "", "": ""}


class Command(ReportCommand):
    """Shows the keys."""

    help = (
        "Show the keys that tokens are checked with, where they come from and how old they are, and which keys of "
        "the JWKS are of no use and why. Exit status 1 if an issuer has no usable key or the refresh failed."
    )

    ends_its_caller = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("--refresh", action="store_true", help="fetch the keys now, for all processes")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Show the keys of each issuer."""
        settings = get_settings()
        require_key_source(settings)
        issuers = settings.issuers.values()
        reports = [report_issuer(trusted, settings, refresh=options["refresh"]) for trusted in issuers]
        is_well = not any(report.problem or report.introspection_problem for report in reports)
        self.report([asdict(report) for report in reports], partial(_print, reports), options, is_well=is_well)


def _print(reports: Iterable[KeyReport], console: Console) -> None:
    for report in reports:
        _print_one(report, console)


def _print_one(report: KeyReport, console: Console) -> None:
    console.line(f"Issuer: {'any' if report.issuer is None else shown(report.issuer)}")
    console.line(f"Source: {report.source}{_ORIGINS[report.origin]}{_age(report)}")
    if report.introspection:
        console.line(f"Introspection: {report.introspection}")
    if report.introspection_problem:
        console.line(f"Introspection: {report.introspection_problem}", outcome=False, is_coloured=True)
    if report.keys:
        headings, *lines = console.table([HEADINGS, *map(_cells, report.keys)])
        console.line(f"     {headings}")
        for row, line in zip(report.keys, lines, strict=True):
            console.result(not row.problem, line)
    if report.problem:
        is_usable = any(not row.problem for row in report.keys)
        what = "The refresh failed" if is_usable else "There are no usable keys"
        console.line(f"{what}: {report.problem}", outcome=False, is_coloured=True)


def _age(report: KeyReport) -> str:
    took = f" in {report.fetch_seconds:.3f} seconds" if report.fetch_seconds is not None else ""
    return f"{took} at {time_shown(report.fetched_at, time.time())}" if report.fetched_at is not None else ""


def _cells(row: KeyRow) -> tuple[str, ...]:
    # In quotes: a kid may begin or end with blanks, hold what a terminal obeys, or be spelt "number 1".
    name = row.name if row.kid is None else ascii(row.kid)
    return name, row.kty, row.size, " ".join(row.algorithms), row.use, row.problem
