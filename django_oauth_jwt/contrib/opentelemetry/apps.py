"""The app; nothing of OpenTelemetry is imported where it is not installed."""

from django.apps import AppConfig


class OpenTelemetryConfig(AppConfig):
    """Begins to count when the project is ready."""

    name = "django_oauth_jwt.contrib.opentelemetry"
    label = "oauth_opentelemetry"
    verbose_name = "OAuth OpenTelemetry"

    def ready(self) -> None:
        """Listen to the signals."""
        from .receivers import connect  # noqa: PLC0415  # imports OpenTelemetry

        connect()
