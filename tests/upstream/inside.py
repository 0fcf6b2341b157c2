"""The inside of what asks others: tests make it impatient, and look at who waits."""

from django_oauth_jwt.upstream import guarded_cache, request_wait


def limit_cache_operations(monkeypatch, seconds):
    """Have each operation of the shared cache given up after so many seconds."""
    monkeypatch.setattr(guarded_cache, "OPERATION_SECONDS", seconds)


def waits_alone():
    """Tell whether a request waits although much hangs, so that nobody else may."""
    return request_wait._waiting.get().turn.locked()
