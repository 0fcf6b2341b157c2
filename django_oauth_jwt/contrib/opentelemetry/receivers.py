"""What is done at each signal. Of a request that is no more than an addition: nothing here waits for anything."""

from collections.abc import Callable
from typing import Any, Final

from django.dispatch import Signal
from django.http import HttpRequest

from ... import signals
from ...http import trusted_issuer_of
from ...jwks import JwksService
from .instruments import ACTIVE, ERROR_TYPE, ISSUER, introspection_duration, jwks_fetch_duration, refused, verified
from .names import ERRORS, ISSUERS, REASONS, attributes_of


def count_verified(request: HttpRequest, **kwargs: Any) -> None:
    """Count a token that was accepted."""
    verified.add(ISSUERS.known(trusted_issuer_of(request)))


def count_refused(request: HttpRequest, reason: str, **kwargs: Any) -> None:
    """Count a token that was refused, by the issuer that it names, where that is a trusted one."""
    refused.add(ISSUERS.known(trusted_issuer_of(request)), REASONS.known(reason))


def record_fetch(service: JwksService, seconds: float, error_type: str | None = None, **kwargs: Any) -> None:
    """Record a fetch of keys."""
    issuer = ISSUERS.known(service.issuer)
    jwks_fetch_duration.record(seconds, attributes_of({ISSUER: issuer, ERROR_TYPE: ERRORS.known(error_type)}))


def record_introspection(
    issuer: str | None, seconds: float, *, active: bool | None = None, error_type: str | None = None, **kwargs: Any
) -> None:
    """Record a question about a token."""
    attributes = {ISSUER: ISSUERS.known(issuer), ACTIVE: active, ERROR_TYPE: ERRORS.known(error_type)}
    introspection_duration.record(seconds, attributes_of(attributes))


_RECEIVERS: Final[tuple[tuple[Signal, Callable[..., None]], ...]] = (
    (signals.token_accepted, count_verified),
    (signals.token_rejected, count_refused),
    (signals.jwks_refreshed, record_fetch),
    (signals.jwks_refresh_failed, record_fetch),
    (signals.introspected, record_introspection),
    (signals.introspection_failed, record_introspection),
)

for _receiver in (count_verified, count_refused):
    setattr(_receiver, signals.NEVER_WAITS, True)


def connect() -> None:
    """Begin to listen; a second call changes nothing."""
    for signal, receiver in _RECEIVERS:
        signal.connect(receiver)
