"""Tells of each fetch of keys: in the log at once, by signal when nobody waits for the keys any more."""

import logging
import threading
from collections.abc import Callable
from functools import partial

from ..signals import jwks_refresh_failed, jwks_refreshed
from .shared import Failure
from .snapshot import Fetch, Snapshot

logger = logging.getLogger("django_oauth_jwt")


class KeyEvents:
    """The events of one key service, the sender's instance in its signals, and its name in the log."""

    _lock: threading.Lock
    _unsent: list[Callable[[], object]]

    def __init__(self, service: object, name: str, clock: Callable[[], float]) -> None:
        self._service = service
        self._name = name
        self._clock = clock
        self.start_afresh()

    def start_afresh(self) -> None:
        """Forget what a parent process has to tell, and the lock that one of its threads may hold."""
        self._lock = threading.Lock()
        self._unsent = []

    def refreshed(self, snapshot: Snapshot, fetch: Fetch) -> None:
        """Note a fetch that succeeded."""
        count = len(snapshot.key_set)
        logger.info("JWKS fetched from %s in %.3f seconds: %d usable keys", self._name, fetch.seconds, count)
        self._note(partial(jwks_refreshed.send_robust, key_set=snapshot.key_set))

    def failed(self, failure: Failure) -> None:
        """Note a fetch that failed."""
        wait = failure.retry_at - self._clock()
        logger.warning("JWKS fetch from %s failed: %s; next try in %.0f seconds", self._name, failure.reason, wait)
        self._note(partial(jwks_refresh_failed.send_robust, reason=failure.reason, retry_at=failure.retry_at))

    def send(self) -> None:
        """Send the signals of what was noted."""
        with self._lock:
            unsent, self._unsent = self._unsent, []
        for send in unsent:
            send()

    def _note(self, send: Callable[..., object]) -> None:
        with self._lock:
            self._unsent.append(partial(send, type(self._service), service=self._service))
