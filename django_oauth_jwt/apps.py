"""The Django app; list ``"django_oauth_jwt"`` in INSTALLED_APPS for the system checks, the commands and OpenAPI."""

from django.apps import AppConfig, apps


class OAuthJwtConfig(AppConfig):
    """Registers the system checks, and what describes us to drf-spectacular where that is installed."""

    name = "django_oauth_jwt"
    verbose_name = "OAuth JWT"

    def ready(self) -> None:
        """Register what registers itself when it is imported."""
        from . import checks  # noqa: F401, PLC0415  # registers itself; only once the apps are ready

        if apps.is_installed("drf_spectacular"):
            from .contrib import spectacular  # noqa: F401, PLC0415  # as above
