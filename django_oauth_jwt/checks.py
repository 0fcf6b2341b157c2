"""System checks: errors in the settings (always), and warnings about production (``check --deploy``)."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import django
from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core import checks
from django.core.checks import CheckMessage, register

from .conf import NAME, NO_KEY_SOURCE, Problem, Settings, read

TAG = "oauth_jwt"
MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"


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
    found = [*_lax_tokens(settings), *_lax_keys(settings), *_middleware_order(settings), *_old_django()]
    return [checks.Warning(message, hint, id=f"{TAG}.{number}") for number, message, hint in found]


def _read() -> tuple[Settings | None, list[Problem]]:
    return read(getattr(django_settings, NAME, None))


def _lax_tokens(settings: Settings) -> Iterable[tuple[str, str, str]]:
    for trusted in settings.issuers.values():
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


def _lax_keys(settings: Settings) -> Iterable[tuple[str, str, str]]:
    # A missing cache is found by Django's own check. The project's own key services use no cache.
    backend = django_settings.CACHES.get(settings.cache, {}).get("BACKEND", "")
    fetched = any(trusted.jwks_service is None for trusted in settings.issuers.values())
    if fetched and backend.rpartition(".")[2] in ("LocMemCache", "DummyCache"):
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


def _middleware_order(settings: Settings) -> Iterable[tuple[str, str, str]]:
    listed = list(django_settings.MIDDLEWARE)
    if MIDDLEWARE not in listed:
        return
    for other in listed[: listed.index(MIDDLEWARE)]:
        if other in _MAY_ANSWER:
            number, what = _MAY_ANSWER[other]
            yield (
                number,
                f"{other} stands above JwtBearerMiddleware, so it {what} before the token is checked.",
                "Move JwtBearerMiddleware above it.",
            )
    anonymous = [trusted.issuer for trusted in settings.issuers.values() if trusted.user_resolver is None]
    if LOGIN in listed and anonymous:
        whose = ", ".join("any issuer" if issuer is None else repr(issuer) for issuer in anonymous)
        yield (
            "W005",
            f"{LOGIN} sends requests with a good token to the login page: tokens of {whose} bring no user.",
            "Set USER_RESOLVER, or leave LoginRequiredMiddleware out.",
        )


def _old_django() -> Iterable[tuple[str, str, str]]:
    if django.VERSION < (5, 2, 15) or (6, 0) <= django.VERSION < (6, 0, 6):
        yield (
            "W007",
            "This Django serves pages that `cache_page` stored beneath JwtBearerMiddleware or `secure` to other users.",
            "Upgrade Django to 5.2.15, 6.0.6 or later: its caches keep the responses to different tokens apart.",
        )


LOGIN: Final = "django.contrib.auth.middleware.LoginRequiredMiddleware"
_CACHE: Final = "django.middleware.cache."
#: Middleware that may answer a request itself, before ours has checked the token: the warning's id, and what it does.
_MAY_ANSWER: Final = {
    "django.middleware.csrf.CsrfViewMiddleware": ("W005", "refuses unsafe requests"),
    LOGIN: ("W005", "sends requests to the login page"),
    f"{_CACHE}FetchFromCacheMiddleware": ("W006", "serves cached pages"),
    f"{_CACHE}CacheMiddleware": ("W006", "serves cached pages"),
}
