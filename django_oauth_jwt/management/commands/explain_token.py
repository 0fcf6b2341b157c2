"""`manage.py explain_token`: see `explanation`."""

import codecs
import re
import sys
from functools import partial
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from ...conf import get_runtime
from ...diagnosis import Console, Explanation, ReportCommand, explain, shown
from ...jws import EncodedToken
from ...proofs import DPOP, RequestFacts, normalized

_PREFIX: Final = re.compile(r"(authorization\s*:\s*)?((?P<scheme>bearer|dpop)(\s+|$))?", re.IGNORECASE)
_PROOF_PREFIX: Final = re.compile(r"dpop\s*:\s*", re.IGNORECASE)


class Command(ReportCommand):
    """Explains a token."""

    help = (
        "Say what every rule of the verification says of a token: all of them, not only the first that it breaks. "
        "With --proof also what the rules of DPoP say of a proof, which is as good as before then. "
        "Neither token nor proof is printed, nor their signatures. Exit status 1 if the token would be refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument(
            "token",
            nargs="+",
            help="the token, or - to read it from stdin; a scheme before it is judged as well, but not with --proof",
        )
        parser.add_argument("--proof", help="the DPoP header that came with it: the scheme DPoP is assumed then")
        parser.add_argument("--method", help="the method of that request, default: GET")
        parser.add_argument("--url", help="the URL of that request, absolute and as Django sees it")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Explain the token."""
        scheme, encoded = _credentials(options.pop("token"))
        explanation = explain(encoded.text, get_runtime(), _sent(options, scheme))
        self.report(_document(explanation), partial(_print, explanation), options, is_well=explanation.is_accepted)


def _credentials(words: list[str]) -> tuple[str | None, EncodedToken]:
    """Return the scheme, None where none stands before the token, and the token, so that no report shows it."""
    text = " ".join(words)
    text = (_standard_input() if text == "-" else text).strip()
    prefix = _PREFIX.match(text)
    assert prefix is not None  # noqa: S101  # it matches nothing as well
    return prefix["scheme"] and prefix["scheme"].lower(), EncodedToken(text[prefix.end() :])


def _standard_input() -> str:
    """Return what is there to read, in UTF-8 or, as some shells of Windows write it, in UTF-16 with its mark."""
    found = getattr(sys.stdin, "buffer", sys.stdin).read()  # what stands in for it in a test may be of text alone
    if isinstance(found, str):
        return found
    is_utf_16 = found.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return str(found, "utf-16" if is_utf_16 else "utf-8-sig", "replace")


def _sent(options: dict[str, Any], scheme: str | None) -> RequestFacts | None:
    """Return what is known of the request that the token came with, None where nothing is."""
    proof, method, url = options["proof"], options["method"], options["url"]
    if proof is None:
        if method is not None or url is not None:
            raise CommandError("--method and --url are those of the request with the --proof, which is missing.")
        return None if scheme is None else RequestFacts(scheme, "", "")
    if url is None or normalized(url) is None:
        raise CommandError("--proof needs the --url of its request, such as https://books.example.com/shelf.")
    return RequestFacts(DPOP, method or "GET", url, _PROOF_PREFIX.sub("", proof.strip(), count=1))


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
    console.line(f"The token is {explanation.verdict}.", outcome=explanation.is_accepted, is_coloured=True)
    if "keys_unavailable" in explanation.reasons:
        console.line("Why there are no keys: python manage.py oauth_jwks")
    if "issuer_unavailable" in explanation.reasons:
        console.line("Why ISSUER_RESOLVER cannot say is in the log, as an ERROR.")
    if any((result.rule, result.passed) == ("proof", None) for result in explanation.results):
        console.line("To check the proof of a request as well: --proof, --method, --url")
    console.line(f"Not checked: {', '.join(explanation.not_checked)}.")
