"""The inside of what asks others, for tests that need it to be impatient."""

from django_oauth_jwt.upstream import guarded_cache


def limit_cache_operations(monkeypatch, seconds):
    """Have each operation of the shared cache given up after so many seconds."""
    monkeypatch.setattr(guarded_cache, "OPERATION_SECONDS", seconds)
