"""What the commands show: why a token is accepted or refused, and which keys are in use.

`explanation` asks every rule about a token, `binding` those about its sender, `introspected` its authorization server;
`key_report` describes an issuer's keys, `console` prints.
"""

from .console import Console, ReportCommand, shown, time_shown
from .explanation import explain
from .key_report import KeyReport, KeyRow, report_issuer
from .outcomes import Explanation

__all__ = [
    "Console",
    "Explanation",
    "KeyReport",
    "KeyRow",
    "ReportCommand",
    "explain",
    "report_issuer",
    "shown",
    "time_shown",
]
