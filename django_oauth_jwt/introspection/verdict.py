"""What is known of a token once its authorization server was asked, and for how long, also as the entry of a cache."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from ..errors import InvalidToken

#: The reason of a verdict that is none: there was no answer.
UNAVAILABLE: Final = "introspection_unavailable"


@dataclass(frozen=True)
class Verdict:
    """A good token's ``claims`` and ``header``, or the ``reason`` why it is refused, as in `InvalidToken`.

    ``until`` is the Unix time in seconds from which on the authorization server is asked again.
    """

    until: float
    claims: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    description: str | None = None
    detail: str | None = None

    def refusal(self) -> InvalidToken:
        """Return the refusal of the token."""
        return InvalidToken(str(self.reason), self.description, detail=self.detail)


def entry_of(verdict: Verdict) -> str:
    """Return the entry of a cache for a verdict: JSON, which holds no token."""
    return json.dumps(asdict(verdict))


def verdict_in(entry: object) -> Verdict:
    """Return the verdict in an entry of a cache; raise ValueError for anything else."""
    try:
        verdict = Verdict(**json.loads(str(entry)))
    except (TypeError, RecursionError) as error:
        raise ValueError("not a verdict") from error
    is_well_formed = (
        isinstance(verdict.until, int | float)
        and isinstance(verdict.claims, dict)
        and isinstance(verdict.header, dict)
        and isinstance(verdict.reason, str | None)
        and isinstance(verdict.description, str | None)
        and isinstance(verdict.detail, str | None)
        and bool(verdict.claims) != bool(verdict.reason)
    )
    if not is_well_formed:
        raise ValueError("not a verdict")
    return verdict
