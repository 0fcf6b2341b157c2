"""The Django app; list ``"django_oauth_jwt"`` in INSTALLED_APPS for the system checks."""

from django.apps import AppConfig


class OAuthJwtConfig(AppConfig):
    """Registers the system checks."""

    name = "django_oauth_jwt"
    verbose_name = "OAuth JWT"

    def ready(self) -> None:
        """Register the checks."""
        from . import checks  # noqa: F401, PLC0415  # registers itself; only once the apps are ready
