"""What the rules say of one token, as `explanation` finds it out and `manage.py explain_token` prints it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..errors import BearerError

T = TypeVar("T")


@dataclass(frozen=True)
class RuleResult:
    """What one rule says: ``passed`` is None where it could not be asked, ``reason`` that of `errors`."""

    rule: str
    passed: bool | None
    detail: str
    reason: str | None = None


@dataclass
class Explanation:
    """What a token says of itself, not verified, and what each rule says of it, in the order of verification.

    ``not_checked`` is what else may refuse it: that takes a request.
    """

    token: dict[str, Any] = field(default_factory=dict)
    results: list[RuleResult] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)

    @property
    def is_accepted(self) -> bool:
        """Whether no rule refuses the token. What could not be asked is left open (see ``not_checked``)."""
        return all(result.passed is not False for result in self.results)

    @property
    def reasons(self) -> list[str]:
        """The reasons of the rules that it does not pass, each once."""
        return list(dict.fromkeys(result.reason for result in self.results if result.reason is not None))

    @property
    def verdict(self) -> str:
        """What comes of it, in words that complete "The token is"."""
        if not self.is_accepted:
            return f"refused: {', '.join(self.reasons)}"
        is_open = any(result.passed is None for result in self.results)
        return "accepted, if its sender proves that it is theirs" if is_open else "accepted"

    def ask(self, rule: str, question: Callable[[], T], facts: str) -> T | None:
        """Note what a rule says, and return what it returns; None where it says no."""
        try:
            answer = question()
        except BearerError as error:
            more = f": {error.detail}" if error.detail else ""
            self.results.append(RuleResult(rule, False, f"{error.description}{more} ({facts})", error.reason))
        except ValueError as error:
            self.results.append(RuleResult(rule, False, str(error), "malformed"))
        else:
            self.results.append(RuleResult(rule, True, facts))
            return answer
        return None

    def ask_whole(self, rule: str, question: Callable[[], object]) -> None:
        """Note what a rule says where it says no, though its parts, which were asked before, say yes."""
        try:
            question()
        except BearerError as error:
            self.results.append(RuleResult(rule, False, error.description, error.reason))

    def skip(self, why: str, *rules: str) -> None:
        """Note rules that cannot be asked."""
        self.results += [RuleResult(rule, None, f"not checked: {why}") for rule in rules]
