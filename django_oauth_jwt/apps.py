"""The Django app; list ``"django_oauth_jwt"`` in INSTALLED_APPS for the system checks, the commands and OpenAPI."""

from importlib.util import find_spec

from django.apps import AppConfig


class OAuthJwtConfig(AppConfig):
    """Registers the system checks, and what describes us to drf-spectacular where that can be imported."""

    name = "django_oauth_jwt"
    verbose_name = "OAuth JWT"

    def ready(self) -> None:
        """Register what registers itself when it is imported."""
        from . import checks  # noqa: F401, PLC0415  # registers itself; only once the apps are ready

        # Its commands and templates want it in INSTALLED_APPS; to make a schema a project need not list it.
        if find_spec("drf_spectacular") is not None:
            from .contrib import spectacular  # noqa: F401, PLC0415  # as above
