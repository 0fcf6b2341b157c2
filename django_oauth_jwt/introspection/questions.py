"""One question to an authorization server about one token, and what came of it. All of it blocks."""

import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from ..conf import Settings, TrustedIssuer
from ..errors import BearerError, InvalidToken
from ..jws import EncodedToken
from ..tokens import VerifiedToken, thaw
from ..upstream import MAXIMUM_WAITING, PATIENCE_SECONDS, FetchFailed, HttpClient, NoAnswer, pauses, run_blocking
from .answer import JWT, SIGNED_ANSWER, Answer, read_answer
from .client_authentication import credentials
from .endpoint import Endpoint, EndpointFinder
from .verdict import UNAVAILABLE, Verdict
from .verdict_cache import VerdictCache

T = TypeVar("T")

#: Says whether an answer is good: raises InvalidToken if the token is not, FetchFailed if the answer is none, and
#: NotJudged.
Judge = Callable[[Answer], VerifiedToken]

#: For how many seconds a token is not asked about again where no answer came.
REST_SECONDS: Final = 1.0


class NotJudged(Exception):
    """Whether an answer is good is left open: the project's own key service raises ``refusal``."""

    def __init__(self, refusal: BearerError) -> None:
        super().__init__()
        self.refusal = copy(refusal)  # without the frames, whose variables are the token and the answer


@dataclass(frozen=True)
class Outcome:
    """What came of a question: a verdict, or the refusal of `NotJudged`; ``failure`` says why there was no answer.

    ``seconds`` is how long it took, None where another process had asked.
    """

    verdict: Verdict | BearerError
    failure: FetchFailed | None = None
    seconds: float | None = None


class Questions:
    """Asks one issuer. ``clock`` returns Unix time, ``sleep`` is how it waits for another process's question."""

    def __init__(
        self,
        trusted: TrustedIssuer,
        settings: Settings,
        cache: VerdictCache,
        clock: Callable[[], float],
        sleep: Callable[[float], Any] = time.sleep,
    ) -> None:
        assert trusted.introspection is not None  # noqa: S101  # others are not asked
        self._settings = trusted.introspection
        self._issuer = trusted.issuer
        self._cache = cache
        self._clock = clock
        self._sleep = sleep
        self._client = HttpClient(
            settings.http_session,
            timeout=settings.http_timeout,
            allow_insecure_http=settings.allow_insecure_http,
            threads=MAXIMUM_WAITING,
        )
        known_seconds = settings.jwks_stale_seconds
        self.endpoints: Final = EndpointFinder(self._settings, self._issuer, self._client, known_seconds, clock)
        #: How long, in seconds, a question takes at most: discovery tries three places.
        self._longest: Final = self._client.timeout * (1 if self._settings.endpoint else 4)

    def outcome(self, encoded: EncodedToken, key: str, judge: Judge) -> Outcome:
        """Ask about a token and remember the verdict, or wait for the process that does."""
        if not self._settings.cache_seconds:  # who waits for another process would learn nothing of a good token
            return self._asked(encoded, key, judge)
        for pause in pauses(PATIENCE_SECONDS):
            if pause:
                self._sleep(pause)
            with self._cache.locked(key, self._longest + 2) as is_ours:
                if is_ours:
                    # Another process may have stored the verdict before it freed the lock.
                    known = run_blocking(self._cache.load_steps(key, self.longest_verdict))
                    return self._asked(encoded, key, judge) if known is None else Outcome(known)
        return Outcome(self.unavailable())

    def answer(self, encoded: EncodedToken) -> Answer:
        """Return what the issuer answers now, blocking; raise FetchFailed where that is no answer."""
        return self._answered(encoded, lambda answer: answer)

    def _answered(self, encoded: EncodedToken, read: Callable[[Answer], T]) -> T:
        """Ask, and return what ``read`` makes of the answer; a FetchFailed, also one that it raises, names the URL."""
        endpoint = self.endpoints.find()
        try:
            fields, headers = credentials(self._settings, endpoint, self._issuer, self._clock)
            form = {"token": encoded.text, "token_type_hint": "access_token", **fields}
            posted = self._client.post(endpoint.uri, form, {"Accept": self._accepted(endpoint), **headers})
            return read(read_answer(posted, wants_jwt=self._settings.wants_jwt))
        except FetchFailed as failure:
            failure.uri = endpoint.uri
            if not isinstance(failure, NoAnswer):
                self.endpoints.forget()
            raise

    def unavailable(self) -> Verdict:
        """Return the verdict where there is none."""
        return Verdict(self._clock() + REST_SECONDS, reason=UNAVAILABLE)

    @property
    def longest_verdict(self) -> float:
        """For how many seconds a verdict is remembered at most."""
        return max(self._settings.cache_seconds, self._settings.negative_cache_seconds, REST_SECONDS)

    def _ask(self, encoded: EncodedToken, judge: Judge) -> Outcome:
        asked_at, started = self._clock(), time.monotonic()
        try:
            verdict = self._answered(encoded, partial(self._verdict, judge=judge, asked_at=asked_at))
        except FetchFailed as failure:
            return Outcome(self.unavailable(), failure, time.monotonic() - started)
        return Outcome(verdict, seconds=time.monotonic() - started)

    def _asked(self, encoded: EncodedToken, key: str, judge: Judge) -> Outcome:
        outcome = self._ask(encoded, judge)
        # A failure of the whole endpoint is this process's own: the next one may fare better.
        is_for_all = outcome.failure is None or isinstance(outcome.failure, NoAnswer)
        if is_for_all and isinstance(outcome.verdict, Verdict):
            self._cache.store(key, outcome.verdict)
        return outcome

    def _accepted(self, endpoint: Endpoint) -> str:
        """Return the media types of an answer that is wanted."""
        if not self._settings.wants_jwt:
            return "application/json"
        return f"{JWT}, {SIGNED_ANSWER};q=0.9" if endpoint.signs_responses else JWT

    def _verdict(self, answer: Answer, judge: Judge, asked_at: float) -> Verdict | BearerError:
        try:
            token = judge(answer)
        except InvalidToken as error:
            until = asked_at + self._settings.negative_cache_seconds
            return Verdict(until, reason=error.reason, description=error.description, detail=error.detail)
        except NotJudged as error:
            return error.refusal
        until = min(asked_at + self._settings.cache_seconds, token.claims.get("exp", float("inf")))
        return Verdict(until, token.claims, thaw(token.header))
