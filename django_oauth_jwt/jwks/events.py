"""Tells of each fetch of keys: in the log at once, by signal when no request waits for the keys any more."""

import logging
from collections.abc import Callable

from ..signals import jwks_refresh_failed, jwks_refreshed
from .snapshot import Failure
from .state import Outcome

logger = logging.getLogger("django_oauth_jwt")


class KeyEvents:
    """The events of one key service: the ``service`` of its signals, and its ``name`` in the log."""

    def __init__(self, service: object, name: str, clock: Callable[[], float]) -> None:
        self._service = service
        self._name = name
        self._clock = clock

    def log(self, outcome: Outcome) -> None:
        """Log the fetch of this process, if it made one."""
        news = outcome.news
        if isinstance(news, Failure):
            wait = news.retry_at - self._clock()
            logger.warning("JWKS fetch from %s failed: %s; next try in %.0f seconds", self._name, news.reason, wait)
        elif news is not None:
            count = len(news.key_set)
            logger.info("JWKS fetched from %s in %.3f seconds: %d usable keys", self._name, news.seconds, count)

    def send(self, outcome: Outcome) -> None:
        """Send the signal of the fetch of this process, if it made one."""
        news, sender, service = outcome.news, type(self._service), self._service
        if isinstance(news, Failure):
            jwks_refresh_failed.send_robust(sender, service=service, reason=news.reason, retry_at=news.retry_at)
        elif news is not None:
            jwks_refreshed.send_robust(sender, service=service, key_set=news.key_set)
