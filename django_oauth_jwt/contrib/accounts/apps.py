"""The app; its label is not "accounts", which many projects have themselves."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Registers the checks of the app."""

    name = "django_oauth_jwt.contrib.accounts"
    label = "oauth_accounts"
    verbose_name = "OAuth accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what registers itself when it is imported."""
        from . import checks  # noqa: F401, PLC0415  # only once the apps are ready
