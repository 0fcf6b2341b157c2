"""`manage.py oauth_jwks`: see `key_report`."""

import time
from collections.abc import Collection
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from django.core.management.color import no_style

from ...conf import Runtime, Settings, TrustedIssuer, get_runtime, require_key_source
from ...diagnosis import Console, KeyReport, KeyRow, ReportCommand, report_issuer, shown, time_shown
from ...errors import IssuerUnavailable, KeysUnavailable
from ...issuers import ResolvedIssuers, trusted_issuer
from ...upstream import run_blocking

HEADINGS = ("name", "kty", "size", "algorithms", "use", "problem")
#: Of more issuers each has one line.
MAXIMUM_WHOLE: Final = 10
_ORIGINS = {
    "fetch": ", fetched",
    "cache": ", from the shared cache, fetched",
    "file": ", a file",
    **dict.fromkeys(("setting", "service", ""), ""),
}


class Command(ReportCommand):
    """Shows the keys."""

    help = (
        "Show the keys that tokens are checked with, where they come from and how old they are, and which keys of "
        "the JWKS are of no use and why. Exit status 1 if an issuer has no usable key or the refresh failed."
    )

    ends_its_caller = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("--issuer", help="show this one alone, also one that only ISSUER_RESOLVER knows")
        parser.add_argument("--refresh", action="store_true", help="fetch the keys now, for all processes")
        parser.add_argument("--check", action="store_true", help="print one plain line for each issuer, for probes")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Show the keys of each issuer."""
        runtime = get_runtime()
        settings = runtime.settings
        require_key_source(settings)
        name = options["issuer"]
        issuers = settings.issuers.values() if name is None else [_trusted(name, runtime)]
        reports = [report_issuer(trusted, settings, refresh=options["refresh"]) for trusted in issuers]
        if options["check"]:
            self.style, options["force_color"] = no_style(), False
            print_text = partial(_print_lines, reports)
        else:
            print_text = partial(_print, reports, has_more=name is None and settings.issuer_resolver is not None)
        is_well = all(report.is_well for report in reports)
        self.report([asdict(report) for report in reports], print_text, options, is_well=is_well)


def _trusted(name: str, runtime: Runtime) -> TrustedIssuer:
    """Return the issuer of this name: one of the settings, or one that ISSUER_RESOLVER knows."""
    found = trusted_issuer(name, runtime.settings)
    if found is not None:
        return found
    try:
        resolution = run_blocking(runtime.part(ResolvedIssuers).resolution_steps(name))
    except IssuerUnavailable:
        raise CommandError(
            f"ISSUER_RESOLVER cannot say whether {name!r} is trusted: the ERROR in the log says why."
        ) from None
    except KeysUnavailable as error:
        raise CommandError(f"ISSUER_RESOLVER refuses requests for {name!r}: {error.reason} ({error})") from None
    if resolution.trusted is None:
        raise CommandError(f"The issuer {name!r} is not trusted. {_known(runtime.settings)}")
    return resolution.trusted


def _known(settings: Settings) -> str:
    listed = settings.named_issuers[:MAXIMUM_WHOLE]
    more = [f"{len(settings.named_issuers) - len(listed)} more"] if len(settings.named_issuers) > len(listed) else []
    known = f"The settings list {', '.join([*map(repr, listed), *more]) or 'none'}"
    return f"{known}, and ISSUER_RESOLVER does not know it." if settings.issuer_resolver else f"{known}."


def _print(reports: Collection[KeyReport], console: Console, *, has_more: bool) -> None:
    if len(reports) > MAXIMUM_WHOLE:
        _print_lines(reports, console)
        console.line("All of one issuer: python manage.py oauth_jwks --issuer ...")
    else:
        for report in reports:
            _print_one(report, console)
    if has_more:
        console.line("ISSUER_RESOLVER may know others: python manage.py oauth_jwks --issuer ...")


def _print_lines(reports: Collection[KeyReport], console: Console) -> None:
    lines = console.table((_name(report), _number(report), _summary(report)) for report in reports)
    for report, line in zip(reports, lines, strict=True):
        console.result(report.is_well, line)


def _print_one(report: KeyReport, console: Console) -> None:
    console.line(f"Issuer: {_name(report)}")
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
        what = "The refresh failed" if report.usable else "There are no usable keys"
        console.line(f"{what}: {report.problem}", outcome=False, is_coloured=True)


def _name(report: KeyReport) -> str:
    return "any" if report.issuer is None else shown(report.issuer)


def _number(report: KeyReport) -> str:
    return f"{report.usable} key{'' if report.usable == 1 else 's'}"


def _summary(report: KeyReport) -> str:
    problems = [report.problem, report.introspection_problem and f"introspection: {report.introspection_problem}"]
    return "; ".join(filter(None, problems)) or f"{report.source}{_ORIGINS[report.origin]}{_age(report)}"


def _age(report: KeyReport) -> str:
    took = f" in {report.fetch_seconds:.3f} seconds" if report.fetch_seconds is not None else ""
    return f"{took} at {time_shown(report.fetched_at, time.time())}" if report.fetched_at is not None else ""


def _cells(row: KeyRow) -> tuple[str, ...]:
    # In quotes: a kid may begin or end with blanks, hold what a terminal obeys, or be spelt "number 1".
    name = row.name if row.kid is None else ascii(row.kid)
    return name, row.kty, row.size, " ".join(row.algorithms), row.use, row.problem
