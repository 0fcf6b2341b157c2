"""System checks: the rules of the settings, before the first request meets them."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, register

from . import conf


@register("oauth_jwt")
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for everything wrong with ``OAUTH_JWT``."""
    settings, problems = conf.read(getattr(django_settings, conf.NAME, None))
    if settings is not None and not settings.has_key_source:
        problems = [conf.NO_KEY_SOURCE]
    return [Error(problem.message, problem.remedy, id=f"oauth_jwt.{problem.id}") for problem in problems]
