"""The key services that the settings describe: one for each trusted issuer, shared by all entry points."""

import threading
from collections.abc import Callable
from copy import copy
from typing import Any, Final
from weakref import WeakValueDictionary

from django.core.exceptions import ImproperlyConfigured

from ..conf import (
    KEY_SERVICE_METHODS,
    Runtime,
    Settings,
    TrustedIssuer,
    get_runtime,
    is_key_service,
    require_key_source,
)
from ..errors import BearerError, without_frames
from ..issuers import ResolvedIssuers
from ..jws import KeySet
from ..upstream import GuardedCache, PerProcess, run_blocking, unix_time
from .key_service import KeyService
from .service import JwksService
from .static import FileKeys, StaticKeys

#: How many operations of the shared cache may go on at a time, for all issuers.
_CACHE_THREADS: Final = 4


def get_jwks_service(issuer: str | None = None) -> KeyService:
    """Return the key service that the settings describe; always the same one until they change.

    ``issuer`` says which, where ISSUERS lists several or ISSUER_RESOLVER knows it, which may be asked then. Raises
    ImproperlyConfigured where the settings describe none, LookupError for an issuer that is not trusted, and
    KeysUnavailable where the resolver cannot say, and what BearerError a factory in JWKS_SERVICE raises.
    """
    runtime = get_runtime()
    settings = runtime.settings
    require_key_source(settings)
    if issuer is None and len(settings.issuers) == 1:
        (trusted,) = settings.issuers.values()
    elif issuer in settings.issuers:
        trusted = settings.issuers[issuer]
    else:
        resolution = None if issuer is None else run_blocking(runtime.part(ResolvedIssuers).resolution_steps(issuer))
        if resolution is None or resolution.trusted is None:
            raise LookupError(f"no service for the issuer {issuer!r}; the settings list {list(settings.issuers)}")
        trusted = resolution.trusted
    return runtime.part(KeyServices).service_of(trusted)


def services_in_use(runtime: Runtime) -> list[tuple[TrustedIssuer, KeyService]]:
    """Return the trusted issuers whose keys were asked for in this process, each with its key service."""
    trusted = (*runtime.settings.issuers.values(), *runtime.part(ResolvedIssuers).memory().trusted())
    return [(each, each.parts[KeyServices]) for each in trusted if KeyServices in each.parts]


class KeyServices:
    """The key services of one runtime: each is built when its issuer is first asked for, and lives as long as that."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # Lets a thread in twice: a factory in JWKS_SERVICE may ask for another issuer's service.
        self._building = PerProcess(lambda _: threading.RLock())
        self._cache = PerProcess(
            lambda _: GuardedCache(settings.cache, unix_time, settings.jwks_cooldown_seconds, threads=_CACHE_THREADS)
        )
        # Entra's tenants have one JWKS: a thousand of them need not fetch, parse and keep it a thousand times.
        self._by_uri = WeakValueDictionary[str | None, Any]()

    def service_of(self, trusted: TrustedIssuer) -> KeyService:
        """Return the service of one trusted issuer; raise the BearerError that a factory in JWKS_SERVICE raises."""
        service: KeyService | None = trusted.parts.get(KeyServices)
        if service is None:
            with self._building.get():
                service = trusted.parts.get(KeyServices)
                if service is None:
                    service = trusted.parts[KeyServices] = self._made_for(trusted)
        return service

    def _made_for(self, trusted: TrustedIssuer) -> KeyService:
        uri = trusted.jwks_uri if trusted.key_url is not None else None
        known = self._by_uri.get(uri)
        if known is not None:
            other: JwksService = copy(known)  # with the same keys and jobs
            other.issuer = trusted.issuer
            return other
        service = _build(trusted, self._settings, self._cache)
        if uri is not None:
            self._by_uri[uri] = service
        return service


def _build(trusted: TrustedIssuer, settings: Settings, cache: PerProcess[GuardedCache]) -> KeyService:
    if trusted.jwks_service is not None:
        return _own_service(trusted.jwks_service)
    if isinstance(trusted.jwks, KeySet):
        return StaticKeys(trusted.jwks, trusted.issuer)
    if trusted.jwks is not None:
        return FileKeys(trusted.jwks, trusted.issuer, stale_seconds=settings.jwks_stale_seconds)
    return JwksService(
        trusted.jwks_uri,
        issuer=trusted.issuer,
        cache=cache,
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
    except BearerError as error:  # the factory's own word for requests, and no failure
        raise without_frames(error) from None
    except Exception as error:  # of any kind: the error is in the project's factory
        what = "cannot be made without arguments" if isinstance(error, TypeError) else f"raised {type(error).__name__}"
        raise ImproperlyConfigured(f"JWKS_SERVICE {factory!r} {what}: {error}") from error
