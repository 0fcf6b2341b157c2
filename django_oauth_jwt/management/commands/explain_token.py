"""`manage.py explain_token`: see `explanation`."""

import re
import sys
from functools import partial
from typing import Any, Final

from django.core.management.base import CommandParser

from ...conf import get_runtime
from ...diagnosis import Console, Explanation, ReportCommand, explain, shown

_PREFIX: Final = re.compile(r"(authorization\s*:\s*)?(bearer(\s+|$))?", re.IGNORECASE)


class Command(ReportCommand):
    """Explains a token."""

    help = (
        "Say what every rule of the verification says of a token: all of them, not only the first that it breaks. "
        "Neither the token nor its signature is printed. Exit status 1 if the token would be refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("token", nargs="+", help="the token, with or without 'Bearer', or - to read it from stdin")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Explain the token."""
        explanation = explain(_encoded_token(options["token"]), get_runtime())
        self.report(_document(explanation), partial(_print, explanation), options, is_well=explanation.is_accepted)


def _encoded_token(words: list[str]) -> str:
    text = " ".join(words)
    if text == "-":
        text = sys.stdin.read()
    return _PREFIX.sub("", text.strip(), count=1)


def _document(explanation: Explanation) -> dict[str, Any]:
    return {
        "accepted": explanation.is_accepted,
        "reasons": explanation.reasons,
        "token": explanation.token,
        "rules": [vars(result) for result in explanation.results],
        "not_checked": explanation.not_checked,
    }


def _print(explanation: Explanation, console: Console) -> None:
    console.line("What the token says of itself:")
    for line in console.table((name, shown(value)) for name, value in explanation.token.items()):
        console.line(f"  {line}")
    console.line("What the rules say of it:")
    lines = console.table((result.rule, result.detail) for result in explanation.results)
    for result, line in zip(explanation.results, lines, strict=True):
        console.result(result.passed, line)
    verdict = "accepted" if explanation.is_accepted else f"refused: {', '.join(explanation.reasons)}"
    console.line(f"The token is {verdict}.", outcome=explanation.is_accepted, is_coloured=True)
    if "keys_unavailable" in explanation.reasons:
        console.line("Why there are no keys: python manage.py oauth_jwks")
    console.line(f"Not checked: {', '.join(explanation.not_checked)}.")
