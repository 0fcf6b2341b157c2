"""System checks: errors in the settings (always), and warnings about production (``check --deploy``)."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final

import django
from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core import checks
from django.core.checks import CheckMessage, register
from django.utils.module_loading import import_string

from .conf import NAME, NO_KEY_SOURCE, Problem, Settings, TrustedIssuer, read
from .revocation import is_revoked

Found = tuple[str, str, str]  #: a warning: its number, what is unwise, and the remedy

TAG = "oauth_jwt"
MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"
AUTHENTICATION = "django_oauth_jwt.authentication.BearerJwtAuthentication"
#: In seconds. Clocks that differ by more are broken.
LARGEST_LEEWAY = 300
#: Of a cache in a database or in files: Django's default.
DEFAULT_ENTRIES = 300
#: Room for the proofs of some minutes, or for a denylist.
ENOUGH_ENTRIES = 10_000


@register(TAG)
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each problem with ``OAUTH_JWT``."""
    settings, problems = _read()
    if settings is not None and not settings.has_key_source:
        problems = [NO_KEY_SOURCE]
    return [checks.Error(problem.message, problem.remedy, id=f"{TAG}.{problem.id}") for problem in problems]


@register(TAG, deploy=True)
def check_deployment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning for each thing that is allowed, but unwise in production."""
    settings, _ = _read()
    if settings is None:
        return []
    middleware = [_names_of(entry) for entry in django_settings.MIDDLEWARE]
    found = [
        *(warning for trusted in settings.issuers.values() for warning in _lax_tokens(trusted)),
        *_lax_keys(settings),
        *_middleware_order(settings, middleware),
        *_old_django(),
        *_without_middleware(settings, middleware),
        *_foreign_tokens(settings),
        *_agents(settings),
        *_forgetful_cache(settings),
    ]
    return [checks.Warning(message, hint, id=f"{TAG}.{number}") for number, message, hint in found]


def _read() -> tuple[Settings | None, list[Problem]]:
    return read(getattr(django_settings, NAME, None))


def _names_of(entry: Any) -> list[str]:
    """Return the dotted paths of a class in the settings and of those that it inherits from."""
    try:
        target = import_string(entry) if isinstance(entry, str) else entry
    except Exception:  # noqa: BLE001  # the project's module may raise anything, and Django itself says what
        target = None
    bases = target.__mro__ if isinstance(target, type) else ()
    return [str(entry), *(f"{base.__module__}.{base.__qualname__}" for base in bases)]


def _lax_tokens(trusted: TrustedIssuer) -> Iterable[Found]:
    whose = f"of {trusted.issuer!r}" if trusted.issuer else "of any issuer"
    if trusted.audience is None:
        yield (
            "W001",
            f"Tokens {whose} are accepted whatever their audience, also those meant for other APIs.",
            "Set AUDIENCE to this API's identifier at the authorization server (RFC 9068 section 4).",
        )
    if trusted.issuer is None:
        yield (
            "W002",
            "Tokens are accepted whatever their issuer, as long as a key of the JWKS signed them.",
            "Set ISSUER to the authorization server's issuer identifier (RFC 9068 section 4).",
        )
    if "exp" not in trusted.required_claims:
        yield (
            "W010",
            f"Tokens {whose} need no exp, so one without it is accepted for ever.",
            'Add "exp" to REQUIRED_CLAIMS (RFC 9068 section 2.2).',
        )
    if trusted.leeway > LARGEST_LEEWAY:
        yield (
            "W011",
            f"Tokens {whose} are accepted for {trusted.leeway} seconds after they have expired.",
            f"Set LEEWAY to less than a minute, {LARGEST_LEEWAY} at most, and have the clocks set by NTP.",
        )


def _lax_keys(settings: Settings) -> Iterable[Found]:
    fetched = any(trusted.jwks_service is None for trusted in settings.issuers.values())
    if fetched and _cache_class(settings) in _OF_ONE_PROCESS:  # the project's own key services use no cache
        yield (
            "W003",
            f"The cache {settings.cache!r} is of one process, so each process fetches the keys for itself.",
            "Set CACHE to the alias of a cache that all processes share (Redis, Memcached, a database).",
        )
    if settings.allow_insecure_http:
        yield (
            "W004",
            "ALLOW_INSECURE_HTTP is on: anybody who can change the traffic can have any token accepted.",
            "Use https URLs and leave it out.",
        )


def _cache_class(settings: Settings) -> str:
    """Return the name of the class of the cache, "" where there is none: Django's own check finds that."""
    backend: str = django_settings.CACHES.get(settings.cache, {}).get("BACKEND", "")
    return backend.rpartition(".")[2]


def _middleware_order(settings: Settings, middleware: list[list[str]]) -> Iterable[Found]:
    ours = next((index for index, names in enumerate(middleware) if MIDDLEWARE in names), None)
    if ours is None:
        return
    for names in middleware[:ours]:
        for other in [name for name in names if name in _MAY_ANSWER][:1]:
            number, what = _MAY_ANSWER[other]
            yield (
                number,
                f"{other} stands above JwtBearerMiddleware, so it {what} before the token is checked.",
                "Move JwtBearerMiddleware above it.",
            )
    if any(CORS in names for names in middleware[ours:]):
        yield (
            "W009",
            f"{CORS} stands below JwtBearerMiddleware, which refuses preflights, since they bring no token.",
            "Move CorsMiddleware above JwtBearerMiddleware.",
        )
    anonymous = [trusted.issuer for trusted in settings.issuers.values() if trusted.user_resolver is None]
    if anonymous and any(LOGIN in names for names in middleware):
        whose = ", ".join("any issuer" if issuer is None else repr(issuer) for issuer in anonymous)
        yield (
            "W005",
            f"{LOGIN} sends requests with a good token to the login page: tokens of {whose} bring no user.",
            "Set USER_RESOLVER, or leave LoginRequiredMiddleware out.",
        )


def _old_django() -> Iterable[Found]:
    if django.VERSION < (5, 2, 15) or (6, 0) <= django.VERSION < (6, 0, 6):
        yield (
            "W007",
            "This Django serves pages that `cache_page` stored beneath JwtBearerMiddleware or `secure` to other users.",
            "Upgrade Django to 5.2.15, 6.0.6 or later: its caches keep the responses to different tokens apart.",
        )


def _without_middleware(settings: Settings, middleware: list[list[str]]) -> Iterable[Found]:
    values = {
        "SCOPE": settings.requirements.scopes,
        "CLAIMS": settings.requirements.claims,
        "PROTECTED_PATHS": settings.protected_paths,
        "EXEMPT_PATHS": settings.exempt_paths,
    }
    keys = ", ".join(key for key, value in values.items() if value)
    if keys and not any(MIDDLEWARE in names for names in middleware):
        yield (
            "W008",
            f"{keys}: only JwtBearerMiddleware asks for that, and MIDDLEWARE does not list it.",
            f"Add {MIDDLEWARE!r} to MIDDLEWARE; or leave it out, and require it with `secure` or HasScope.",
        )


def _foreign_tokens(settings: Settings) -> Iterable[Found]:
    listed = getattr(django_settings, "REST_FRAMEWORK", {}).get("DEFAULT_AUTHENTICATION_CLASSES", ())
    names = [_names_of(entry) for entry in listed]
    if settings.pass_foreign_tokens and not any(AUTHENTICATION in above for above in names[:-1]):
        yield (
            "W012",
            "PASS_FOREIGN_TOKENS is on, and no authenticator stands below ours: such tokens are refused all the same.",
            "Add the other one to REST_FRAMEWORK['DEFAULT_AUTHENTICATION_CLASSES'], below BearerJwtAuthentication.",
        )


def _agents(settings: Settings) -> Iterable[Found]:
    if settings.resource_metadata and settings.invalid_token_status != HTTPStatus.UNAUTHORIZED:
        yield (
            "W013",
            "INVALID_TOKEN_STATUS is 403 beside RESOURCE_METADATA: clients that read that renew a token only on 401.",
            "Leave INVALID_TOKEN_STATUS out, or set it to 401 (RFC 6750 section 3.1).",
        )


def _forgetful_cache(settings: Settings) -> Iterable[Found]:
    kind = _cache_class(settings)
    how = _FORGETFUL.get(kind) or _small(settings)
    proofs = _NOT_ATOMIC.get(kind, how)
    if settings.offers_dpop and proofs:
        yield (
            "W014",
            f"The cache {settings.cache!r} {proofs}, so a used DPoP proof is accepted again, or every proof refused.",
            "Set CACHE to the alias of a cache that all processes share (Redis, Memcached, a database).",
        )
    lost = how or _filled(settings)
    if settings.is_revoked is is_revoked and lost:
        yield (
            "W015",
            f"The cache {settings.cache!r} {lost}, so revoked tokens are accepted again, or all tokens refused.",
            "Set CACHE to the alias of a cache that all processes share and that drops nothing (Redis, a database).",
        )


def _filled(settings: Settings) -> str | None:
    is_filled = settings.introspecting and _cache_class(settings) == "FileBasedCache"
    return "drops entries at random when it is full, and made-up opaque tokens fill it" if is_filled else None


def _small(settings: Settings) -> str | None:
    options = django_settings.CACHES.get(settings.cache, {}).get("OPTIONS", {})
    entries = options.get("MAX_ENTRIES", DEFAULT_ENTRIES)
    is_small = _cache_class(settings) in _WITH_MAXIMUM and entries < ENOUGH_ENTRIES
    return f"keeps no more than {entries} entries (OPTIONS, MAX_ENTRIES)" if is_small else None


_OF_ONE_PROCESS: Final = ("LocMemCache", "DummyCache")
_WITH_MAXIMUM: Final = ("DatabaseCache", "FileBasedCache")
#: By the class of a cache: why it does not know what other processes have written.
_FORGETFUL: Final = {
    "LocMemCache": "remembers what its own process was sent and no other",
    "DummyCache": "remembers nothing",
}
#: The same for what has to be written once, whoever is first.
_NOT_ATOMIC: Final = {"FileBasedCache": "cannot tell two uses at the same time apart"}
CORS: Final = "corsheaders.middleware.CorsMiddleware"
LOGIN: Final = "django.contrib.auth.middleware.LoginRequiredMiddleware"
_CACHE: Final = "django.middleware.cache."
#: Middleware that may answer a request itself, before ours has checked the token: the warning's id, and what it does.
_MAY_ANSWER: Final = {
    "django.middleware.csrf.CsrfViewMiddleware": ("W005", "refuses unsafe requests"),
    LOGIN: ("W005", "sends requests to the login page"),
    f"{_CACHE}FetchFromCacheMiddleware": ("W006", "serves cached pages"),
    f"{_CACHE}CacheMiddleware": ("W006", "serves cached pages"),
}
