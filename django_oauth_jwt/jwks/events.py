"""Tells of each fetch of keys: in the log at once, by signal when no request waits for the keys any more."""

import logging
from collections.abc import Callable

from ..signals import jwks_refresh_failed, jwks_refreshed
from ..upstream import shown_url
from .state import Outcome

logger = logging.getLogger("django_oauth_jwt")


class KeyEvents:
    """The events of one key service, which is the ``service`` of its signals."""

    def __init__(self, service: object, clock: Callable[[], float]) -> None:
        self._service = service
        self._clock = clock

    def log(self, outcome: Outcome) -> None:
        """Log the fetch of this process, if it made one."""
        snapshot, failure, failed = outcome.snapshot, outcome.failure, outcome.failed_fetch
        if failure is not None and failed is not None:
            wait = max(failure.retry_at - self._clock(), 0)
            logger.warning("JWKS fetch from %s failed: %s; next try in %.0f seconds", failure.uri, failure.reason, wait)
        elif snapshot is not None and snapshot.fetch is not None:
            uri, count = shown_url(snapshot.fetch.uri), len(snapshot.key_set)
            logger.info("JWKS fetched from %s in %.3f seconds: %d usable keys", uri, snapshot.fetch.seconds, count)

    def send(self, outcome: Outcome) -> None:
        """Send the signal of the fetch of this process, if it made one."""
        snapshot, failure, failed, service = outcome.snapshot, outcome.failure, outcome.failed_fetch, self._service
        if failure is not None and failed is not None:
            jwks_refresh_failed.send_robust(
                type(service),
                service=service,
                reason=failure.reason,
                uri=failure.uri,
                error_type=failed.error_type,
                seconds=failed.seconds,
                retry_at=failure.retry_at,
            )
        elif snapshot is not None and snapshot.fetch is not None:
            key_set, seconds = snapshot.key_set, snapshot.fetch.seconds
            jwks_refreshed.send_robust(type(service), service=service, key_set=key_set, seconds=seconds)
