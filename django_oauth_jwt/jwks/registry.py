"""Where keys come from: `JwksService` by hand, or the one that the settings describe and everything shares."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.core.exceptions import ImproperlyConfigured

from ..conf import KEY_SERVICE_METHODS, Settings, TrustedIssuer, get_settings, is_key_service, require_key_source
from ..jws import KeySet
from ..upstream import ForkGuard
from .service import JwksService


class KeyService(Protocol):
    """What a source of keys has to be; `JwksService` is one, the setting JWKS_SERVICE takes any."""

    def current(self) -> KeySet | None:
        """Return the keys at hand, without waiting for anything; None where there are none."""
        ...

    def key_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Return keys among which this one should be; wait where they are not at hand.

        Raises KeysUnavailable where no keys can be had at all.
        """
        ...

    async def akey_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Do as `key_set_for` does, without blocking the event loop."""
        ...


@dataclass(frozen=True)
class _Registry:
    settings: Settings
    services: dict[str | None, KeyService] = field(default_factory=dict)


_registry: _Registry | None = None
#: Lets a thread in twice: a factory in JWKS_SERVICE may ask for another issuer's service.
_building = threading.RLock()


def _start_afresh() -> None:
    # A thread of the parent that was building a service is gone, and would keep the lock shut.
    global _building
    _building = threading.RLock()


_forks = ForkGuard(_start_afresh)


def get_jwks_service(issuer: str | None = None) -> KeyService:
    """Return the service that the settings describe; always the same one until they change.

    ``issuer`` says which, where ISSUERS lists several. Raises ImproperlyConfigured where the settings
    describe none, and LookupError for an issuer that they do not list.
    """
    settings = get_settings()
    require_key_source(settings)
    if issuer is None and len(settings.issuers) == 1:
        (trusted,) = settings.issuers.values()
    elif issuer in settings.issuers:
        trusted = settings.issuers[issuer]
    else:
        raise LookupError(f"no service for the issuer {issuer!r}; the settings list {list(settings.issuers)}")
    return service_of(trusted, settings)


def service_of(trusted: TrustedIssuer, settings: Settings) -> KeyService:
    """Return the service of one trusted issuer of these settings."""
    global _registry
    registry = _registry
    if registry is not None and registry.settings is settings:
        known = registry.services.get(trusted.issuer)
        if known is not None:
            return known
    _forks.notice()
    with _building:
        if _registry is None or _registry.settings is not settings:
            _registry = _Registry(settings)
        services = _registry.services
        if trusted.issuer not in services:
            services[trusted.issuer] = _build(trusted, settings)
        return services[trusted.issuer]


def _build(trusted: TrustedIssuer, settings: Settings) -> KeyService:
    if trusted.jwks_service is not None:
        return _own_service(trusted.jwks_service)
    return JwksService(
        trusted.jwks_uri,
        issuer=trusted.issuer,
        cache=settings.cache,
        session=settings.http_session,
        timeout=settings.http_timeout,
        fresh_seconds=settings.jwks_fresh_seconds,
        stale_seconds=settings.jwks_stale_seconds,
        cooldown_seconds=settings.jwks_cooldown_seconds,
        allow_insecure_http=settings.allow_insecure_http,
    )


def _own_service(target: Any) -> KeyService:
    """Return a service of the project's own: an instance, or what a class or factory makes."""
    service = _made_by(target) if isinstance(target, type) or not hasattr(target, "current") else target
    if not is_key_service(service):
        raise ImproperlyConfigured(f"JWKS_SERVICE {target!r} must have the methods {', '.join(KEY_SERVICE_METHODS)}.")
    own: KeyService = service
    return own


def _made_by(factory: Callable[[], Any]) -> Any:
    try:
        return factory()
    except Exception as error:  # whatever it is, it has to be mended where the setting points
        raise ImproperlyConfigured(f"JWKS_SERVICE {factory!r} cannot be made without arguments: {error}") from error
