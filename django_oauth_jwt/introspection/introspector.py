"""What requests ask: the verdict on a token, remembered or asked for in a thread that nobody waits for too long."""

import logging
import threading
import time
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from traceback import extract_tb
from typing import Any

from ..conf import Settings, TrustedIssuer
from ..errors import BearerError, IntrospectionUnavailable
from ..jws import EncodedToken
from ..upstream import NoAnswer, Steps, Wait, WaitInTrouble, in_thread, unix_time
from .answer import Answer
from .endpoint import Endpoint
from .events import IntrospectionEvents
from .questions import REST_SECONDS, Judge, Outcome, Questions
from .state import Join, Question, Refuse, State, decide
from .verdict import UNAVAILABLE, Verdict
from .verdict_cache import VerdictCache, salt_of

logger = logging.getLogger("django_oauth_jwt")


class Introspector:
    """The introspection endpoint of one issuer. ``execute`` asks somewhere else, in a thread unless it is replaced.

    ``clock`` returns Unix time, ``monotonic`` seconds that no clock change moves, ``sleep`` waits for another process.
    """

    def __init__(
        self,
        trusted: TrustedIssuer,
        settings: Settings,
        cache: VerdictCache,
        *,
        execute: Callable[[Callable[[], None]], Any] = in_thread,
        clock: Callable[[], float] = unix_time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Any] = time.sleep,
    ) -> None:
        self.state = State()
        self._salt = salt_of(trusted)
        self._longest_rest = settings.jwks_cooldown_seconds
        self._cache = cache
        self._questions = Questions(trusted, settings, cache, clock, sleep)
        self._events = IntrospectionEvents(type(self), trusted)
        self._execute = execute
        self._clock = clock
        self._monotonic = monotonic
        # Lets a thread in twice: the garbage collector may end the steps of another request while this one has it.
        self._lock = threading.RLock()

    def verdict_steps(self, encoded: EncodedToken, judge: Judge) -> Steps[Verdict]:
        """Return the `Verdict` on a token: the one that is remembered, or what ``judge`` says of the answer.

        Raises IntrospectionUnavailable where nobody can say, or nobody in time.
        """
        key = self._cache.key_of(encoded, self._salt)
        known = yield from self._cache.load_steps(key, self._questions.longest_verdict)
        if known is None:
            wait = self._begin(key, encoded, judge)
            try:
                yield wait
            finally:
                self._leave(key, wait)
            if not wait.future.done():
                raise IntrospectionUnavailable
            known = wait.future.result()
            if isinstance(known, BearerError):
                raise copy(known)  # each request has its own: what is raised gets the frames
            if known.reason == UNAVAILABLE and self.state.is_resting(self._clock()):
                known = replace(known, until=self.state.retry_at)
        return known

    def answer(self, encoded: EncodedToken) -> Answer:
        """Ask at once, blocking, whatever is remembered and whatever failed before; for people, not for requests.

        Raises FetchFailed where there is no answer.
        """
        return self._questions.answer(encoded)

    def endpoint(self) -> Endpoint:
        """Return the endpoint, blocking; raise FetchFailed where it cannot be found."""
        return self._questions.endpoints.find()

    def _begin(self, key: str, encoded: EncodedToken, judge: Judge) -> Wait:
        """Carry out what is decided for a request; return what it waits for."""
        with self._lock:
            decision = decide(self.state, key, self._clock(), self._monotonic())
            if isinstance(decision, Refuse):
                raise IntrospectionUnavailable(decision.retry_after)
            question = decision.question if isinstance(decision, Join) else self._start(key, encoded, judge)
            self.state = self.state.asking(key, replace(question, waiting=question.waiting + 1))
            wait = WaitInTrouble if self.state.failures else Wait
            return wait(question.future, decision.seconds)

    def _start(self, key: str, encoded: EncodedToken, judge: Judge) -> Question:
        question = Question(self._monotonic())
        try:
            self._execute(lambda: self._run(key, question, encoded, judge))  # it begins when the lock is free
        except RuntimeError:
            logger.exception("No thread can be had to ask about a token")
            raise IntrospectionUnavailable from None
        return question

    def _leave(self, key: str, wait: Wait) -> None:
        """Count a request that waits no longer."""
        with self._lock:
            question = self.state.questions.get(key)
            if question is not None and question.future is wait.future:
                self.state = self.state.asking(key, replace(question, waiting=question.waiting - 1))

    def _run(self, key: str, question: Question, encoded: EncodedToken, judge: Judge) -> None:
        try:
            outcome = self._questions.outcome(encoded, key, judge)
        except BaseException as error:  # noqa: BLE001  # of any kind: requests wait for the outcome
            place = extract_tb(error.__traceback__)[-1]
            # Without the frames, whose variables are the token and our credentials.
            logger.error("A question about a token went wrong: %s in %s", type(error).__name__, place)  # noqa: TRY400
            outcome = Outcome(self._questions.unavailable(), NoAnswer("unexpected error"), 0.0)
        try:
            self._take_over(key, outcome)
        finally:  # a project's own log handler may raise
            question.future.set_result(outcome.verdict)
        # Receivers come last: a slow one must not delay the requests that wait for the answer.
        self._send(outcome)

    def _take_over(self, key: str, outcome: Outcome) -> None:
        failure = outcome.failure
        is_endpoints = failure is not None and not isinstance(failure, NoAnswer)
        with self._lock:
            state, now = self.state.answered(key), self._clock()
            is_known = is_endpoints and state.is_resting(now)
            if failure is not None and is_endpoints:
                state = state.after_failure(failure, now, self._longest_rest)
            elif outcome.seconds is not None:
                state = state.after_success()
            self.state = state
        if failure is not None and not is_known:
            self._events.log_failure(failure, state.retry_at - now if is_endpoints else REST_SECONDS)

    def _send(self, outcome: Outcome) -> None:
        if outcome.seconds is None:
            return
        if outcome.failure is not None:
            self._events.send_failure(outcome.failure, outcome.seconds)
        else:
            self._events.send_success(active=outcome.verdict.reason != "inactive", seconds=outcome.seconds)
