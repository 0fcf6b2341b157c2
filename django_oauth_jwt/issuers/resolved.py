"""The issuers that the project's setting ISSUER_RESOLVER knows: asked about one by one, and remembered."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from copy import copy
from typing import Final, NamedTuple

from ..conf import Settings
from ..errors import IssuerUnavailable, KeysUnavailable
from ..upstream import PATIENCE_SECONDS, PerProcess, RequestWait, Steps, new_future, unix_time
from .memory import NOT_TRUSTED, IssuerMemory, Resolution
from .resolver import Question, ResolverFailed, WrongEntry
from .turns import Turns

logger = logging.getLogger("django_oauth_jwt")

#: How many issuers that are not known yet are asked about at a time. Anybody can make some up, and each question holds
#: a thread of the server.
ASKED_AT_ONCE: Final = 2
#: In characters. No issuer is longer (it is a URL), and nothing longer reaches a resolver.
MAXIMUM_LENGTH: Final = 2048
#: In seconds. What goes wrong in the resolver is logged no more often, whatever anybody sends.
_LOG_SECONDS: Final = 1.0


class _Asking(NamedTuple):
    """A question under way since ``started`` (monotonic seconds)."""

    started: float
    future: "Future[None]"


class ResolvedIssuers:
    """What the resolver of one runtime has said. ``clock`` returns Unix time, ``monotonic`` what no change moves.

    A child process begins with nothing.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = unix_time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = PerProcess(lambda _: _Resolver(settings, clock, monotonic))

    def recall(self, iss: str) -> Resolution | None:
        """Return what is known of an issuer, None where the resolver is to be asked; raise KeysUnavailable."""
        resolver = self._own.get()
        return resolver.memory.recall(iss, resolver.clock())

    def resolution_steps(self, iss: str) -> Steps[Resolution]:
        """Return what is known of an issuer, and ask the resolver where nothing is.

        Raises IssuerUnavailable where the resolver cannot say, or not in time, and the KeysUnavailable that it raises.
        """
        return self._own.get().resolution_steps(iss)

    def memory(self) -> IssuerMemory:
        """Return what this process remembers."""
        return self._own.get().memory


class _Resolver:
    def __init__(self, settings: Settings, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self.memory = IssuerMemory()
        self._settings = settings
        self.clock = clock
        self._monotonic = monotonic
        self._asking: dict[str, _Asking] = {}
        self._turns = Turns(ASKED_AT_ONCE, monotonic)
        self._next_log = -_LOG_SECONDS
        self._lock = threading.RLock()  # lets a thread in twice, as in `Turns`

    def resolution_steps(self, iss: str) -> Steps[Resolution]:
        if self._settings.issuer_resolver is None or not _could_be_one(iss):
            return NOT_TRUSTED
        known = self.memory.recall(iss, self.clock())
        if known is not None:
            return known
        asking = _Asking(self._monotonic(), new_future())
        other = self._asking.setdefault(iss, asking)  # atomic
        if other is not asking:
            yield RequestWait(other.future, other.started + PATIENCE_SECONDS - self._monotonic())
            known = self.memory.recall(iss, self.clock())
            if known is None:  # it takes too long, or the request that asked was given up
                raise IssuerUnavailable
            return known
        try:
            return (yield from self._ask_steps(iss))
        finally:
            del self._asking[iss]
            asking.future.set_result(None)

    def _ask_steps(self, iss: str) -> Steps[Resolution]:
        """Ask the resolver. Known issuers need no turn: there are not many, and nobody can make them up."""
        if self.memory.has_trusted(iss):
            return (yield from self._answer_steps(iss))
        yield from self._turns.take_steps()
        try:
            return (yield from self._answer_steps(iss))
        finally:
            self._turns.give_back()

    def _answer_steps(self, iss: str) -> Steps[Resolution]:
        now = self.clock()
        try:
            trusted = yield Question(iss, self._settings)
        except KeysUnavailable as error:
            with self._lock:
                self.memory.add_refusal(iss, copy(error), now)  # what is raised gets a traceback
            raise
        except (ResolverFailed, WrongEntry) as error:
            has_raised = isinstance(error, ResolverFailed)
            self._log(error)
            with self._lock:
                refusal = self.memory.add_failure(iss, now, has_raised=has_raised)
            raise refusal from None
        with self._lock:
            return self.memory.add(iss, trusted, now)

    def _log(self, error: ResolverFailed | WrongEntry) -> None:
        now = self._monotonic()
        if now < self._next_log:
            return
        self._next_log = now + _LOG_SECONDS
        if isinstance(error, ResolverFailed):
            logger.error("ISSUER_RESOLVER failed", exc_info=error.__cause__)
        else:
            logger.error("An entry of ISSUER_RESOLVER cannot be used: %s", error)  # ours, so no frames


def _could_be_one(iss: str) -> bool:
    """Tell whether a text could be an issuer: none has blanks around it, or what no database would take."""
    return 0 < len(iss) <= MAXIMUM_LENGTH and iss.isprintable() and iss == iss.strip()
