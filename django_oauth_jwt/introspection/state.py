"""Who asks about a token, who waits, and who is sent away. Nothing here waits, locks or asks anybody.

Each promise about waiting is decided here: one question at a time per token, nobody waits long or beside too many
others, and a server that does not answer is left alone for a while.
"""

import math
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..errors import BearerError
from ..upstream import (
    MAXIMUM_RETRY_AFTER,
    MAXIMUM_WAITING,
    PATIENCE_IN_TROUBLE_SECONDS,
    PATIENCE_SECONDS,
    FetchFailed,
    is_ahead,
    new_future,
)
from .verdict import Verdict


@dataclass(frozen=True)
class Question:
    """A question under way since ``started`` (monotonic seconds); ``waiting`` is how many requests wait for it."""

    started: float
    waiting: int = 0
    future: "Future[Verdict | BearerError]" = field(default_factory=new_future)


@dataclass(frozen=True)
class State:
    """What a process knows of one introspection endpoint: the questions under way by token, and its failures in a row.

    ``retry_at`` is the Unix time in seconds before which nobody asks after a failure.
    """

    questions: Mapping[str, Question] = field(default_factory=dict)
    failures: int = 0
    retry_at: float = 0.0

    @property
    def patience(self) -> float:
        """How many seconds requests wait for a question, counted from its start; not so long for a failing server."""
        return PATIENCE_IN_TROUBLE_SECONDS if self.failures else PATIENCE_SECONDS

    def is_resting(self, now: float) -> bool:
        """Tell whether the server is left alone."""
        return is_ahead(self.retry_at, now, MAXIMUM_RETRY_AFTER)

    def asking(self, key: str, question: Question) -> "State":
        """Return the state with a question about a token, in the place of an earlier one."""
        return replace(self, questions={**self.questions, key: question})

    def answered(self, key: str) -> "State":
        """Return the state where a question is over."""
        return replace(self, questions={other: asked for other, asked in self.questions.items() if other != key})

    def after_success(self) -> "State":
        """Return the state where the server has just answered, whatever it said."""
        return replace(self, failures=0, retry_at=0.0)

    def after_failure(self, failure: FetchFailed, now: float, longest: float) -> "State":
        """Return the state with one failure more: 1, 2, 4 ... seconds of rest, ``longest`` at the most.

        Questions that were under way together fail together, which is one failure. The server's own Retry-After is
        obeyed.
        """
        if self.is_resting(now):
            return replace(self, retry_at=max(self.retry_at, now + failure.retry_after))
        rest = max(min(2.0 ** min(self.failures, 30), longest, MAXIMUM_RETRY_AFTER), failure.retry_after)
        return replace(self, failures=self.failures + 1, retry_at=now + rest)


class Join(NamedTuple):
    """Wait for the question under way for so many seconds."""

    question: Question
    seconds: float


class Start(NamedTuple):
    """Ask, and wait for so many seconds."""

    seconds: float


class Refuse(NamedTuple):
    """Nothing can be said now; a question may be asked in so many seconds."""

    retry_after: int


def decide(state: State, key: str, now: float, monotonic: float) -> Join | Start | Refuse:
    """Return what a request does whose token is not known.

    ``now`` is Unix time, ``monotonic`` that of `Question.started`.
    """
    question = state.questions.get(key)
    if question is None and state.is_resting(now):
        return Refuse(math.ceil(state.retry_at - now))
    questions = state.questions.values()
    is_full = sum(other.waiting for other in questions) >= MAXIMUM_WAITING
    is_too_much = question is None and len(questions) >= MAXIMUM_WAITING  # each takes a thread, waited for or not
    # While one question hangs nobody begins to wait for another: tokens that anybody can make up must not hold the
    # threads of a server one after the other.
    is_hanging = any(monotonic - other.started >= state.patience for other in questions)
    if is_full or is_too_much or is_hanging:
        return Refuse(1)
    if question is None:
        return Start(state.patience)
    return Join(question, question.started + state.patience - monotonic)
