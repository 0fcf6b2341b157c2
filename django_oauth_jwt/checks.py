"""System checks: errors in the settings (always), and warnings about production (``check --deploy``)."""

from collections.abc import Iterable, Sequence
from typing import Any

import django
from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core import checks
from django.core.checks import CheckMessage, register

from .conf import NAME, NO_KEY_SOURCE, Problem, Risk, Settings, cache_risks, middleware_risks, read, setting_risks
from .revocation import is_revoked

TAG = "oauth_jwt"


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
    found = [
        *setting_risks(settings),
        *cache_risks(settings, has_denylist=settings.is_revoked is is_revoked),
        *middleware_risks(settings),
        *_old_django(),
    ]
    return [checks.Warning(risk.message, risk.hint, id=f"{TAG}.{risk.number}") for risk in found]


def _read() -> tuple[Settings | None, list[Problem]]:
    return read(getattr(django_settings, NAME, None))


def _old_django() -> Iterable[Risk]:
    if django.VERSION < (5, 2, 15) or (6, 0) <= django.VERSION < (6, 0, 6):
        yield Risk(
            "W007",
            "This Django serves pages that `cache_page` stored beneath JwtBearerMiddleware or `secure` to other users.",
            "Upgrade Django to 5.2.15, 6.0.6 or later: its caches keep the responses to different tokens apart.",
        )
