"""What the commands show: why a token is accepted or refused, and which keys are in use.

`explanation` asks every rule about a token, `binding` those about its sender, `key_report` describes an issuer's keys,
`console` prints.
"""

from .console import Console, ReportCommand, shown, time_shown
from .explanation import explain
from .key_report import KeyReport, KeyRow, report_keys
from .outcomes import Explanation

__all__ = [
    "Console",
    "Explanation",
    "KeyReport",
    "KeyRow",
    "ReportCommand",
    "explain",
    "report_keys",
    "shown",
    "time_shown",
]
