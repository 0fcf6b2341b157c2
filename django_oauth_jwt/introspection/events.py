"""Tells of each question about a token: in the log at once, by signal when no request waits for the answer any more."""

import logging

from ..conf import TrustedIssuer
from ..signals import introspected, introspection_failed
from ..upstream import FetchFailed, shown_url
from .answer import CredentialsRefused, Forbidden

logger = logging.getLogger("django_oauth_jwt")


class IntrospectionEvents:
    """The events of one issuer's endpoint; ``sender`` is that of its signals."""

    def __init__(self, sender: type, trusted: TrustedIssuer) -> None:
        self._sender = sender
        self._issuer = trusted.issuer
        assert trusted.introspection is not None  # noqa: S101  # others are not asked
        self._address = str(trusted.introspection.endpoint or trusted.issuer)

    def log_failure(self, failure: FetchFailed, rest: float) -> None:
        """Log a question that brought no answer: an error where our own credentials are wrong."""
        level = logging.ERROR if isinstance(failure, CredentialsRefused | Forbidden) else logging.WARNING
        uri = shown_url(failure.uri or self._address)
        logger.log(level, "Introspection at %s failed: %s; next try in %.0f seconds", uri, failure, rest)

    def send_success(self, *, active: bool, seconds: float) -> None:
        """Send the signal of an answer."""
        introspected.send_robust(self._sender, issuer=self._issuer, active=active, seconds=seconds)

    def send_failure(self, failure: FetchFailed, seconds: float) -> None:
        """Send the signal of a question without an answer."""
        reason, error_type = str(failure), failure.error_type
        introspection_failed.send_robust(
            self._sender, issuer=self._issuer, reason=reason, error_type=error_type, seconds=seconds
        )
