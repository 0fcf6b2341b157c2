"""Tells of each fetch of keys: in the log at once, by signal when no request waits for the keys any more."""

import logging
from collections.abc import Callable

from ..signals import jwks_refresh_failed, jwks_refreshed
from ..upstream import shown_url
from .state import FetchFailedNews, Outcome

logger = logging.getLogger("django_oauth_jwt")


class KeyEvents:
    """The events of one key service, which is the ``service`` of its signals."""

    def __init__(self, service: object, clock: Callable[[], float]) -> None:
        self._service = service
        self._clock = clock

    def log(self, outcome: Outcome) -> None:
        """Log the fetch of this process, if it made one."""
        news = outcome.news
        if isinstance(news, FetchFailedNews):
            reason, wait = news.failure.reason, news.failure.retry_at - self._clock()
            logger.warning("JWKS fetch from %s failed: %s; next try in %.0f seconds", shown_url(news.uri), reason, wait)
        elif news is not None:
            uri, count = shown_url(news.uri), len(news.key_set)
            logger.info("JWKS fetched from %s in %.3f seconds: %d usable keys", uri, news.seconds, count)

    def send(self, outcome: Outcome) -> None:
        """Send the signal of the fetch of this process, if it made one."""
        news, sender, service = outcome.news, type(self._service), self._service
        if isinstance(news, FetchFailedNews):
            reason, retry_at = news.failure.reason, news.failure.retry_at
            jwks_refresh_failed.send_robust(sender, service=service, reason=reason, retry_at=retry_at)
        elif news is not None:
            jwks_refreshed.send_robust(sender, service=service, key_set=news.key_set)
