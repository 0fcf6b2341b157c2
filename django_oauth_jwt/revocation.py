"""A denylist in Django's cache, for tokens that must not be good until they expire.

It is in use where the setting names it: ``IS_REVOKED: "django_oauth_jwt.revocation.is_revoked"``. An entry is about one
token, or about all tokens of one subject up to a moment. The cache (the setting CACHE) must be one that all processes
share, and that drops nothing: what it forgets is good again.
"""

from django.core.exceptions import ImproperlyConfigured

from .conf import NAME, get_runtime
from .tokens import AccessToken
from .upstream import run_awaiting, run_blocking
from .verification import Denylist

__all__ = ["arevoke", "arevoke_subject", "is_revoked", "revoke", "revoke_subject"]


def revoke(access_token: AccessToken) -> None:
    """Have a token refused from now on, by all processes that share the cache, until it expires.

    >>> revoke(request.access_token)

    The entry is by the token's ``jti`` and issuer (RFC 7519 section 4.1.7), else by its text. Raises
    RevocationCheckUnavailable where the cache does not keep it (the token may still be good then),
    ImproperlyConfigured without IS_REVOKED, and TypeError for what is no AccessToken, such as the token's text.
    """
    run_blocking(_denylist_in_use().revoke_steps(access_token))


async def arevoke(access_token: AccessToken) -> None:
    """Do as `revoke` does, without blocking the event loop."""
    await run_awaiting(_denylist_in_use().revoke_steps(access_token))


def revoke_subject(issuer: str | None, subject: str) -> None:
    """Have all tokens of a subject refused that were issued up to now (``iat``), and those that do not say when.

    >>> revoke_subject("https://as.example.com", "anna")

    ``issuer`` and ``subject`` are ``iss`` and ``sub`` of the tokens, to the letter; ``issuer`` is None for tokens
    without ``iss``. A later call moves the moment on. The entry has no end, since nobody knows how long these tokens
    live. Raises TypeError for what is no string, and what `revoke` raises.
    """
    run_blocking(_denylist_in_use().revoke_subject_steps(issuer, subject))


async def arevoke_subject(issuer: str | None, subject: str) -> None:
    """Do as `revoke_subject` does, without blocking the event loop."""
    await run_awaiting(_denylist_in_use().revoke_subject_steps(issuer, subject))


def is_revoked(access_token: AccessToken) -> bool:
    """Tell whether a token was revoked, by itself or with those of its subject: for the setting IS_REVOKED.

    It takes one operation of the cache. Raises RevocationCheckUnavailable where the cache does not say.
    """
    return run_blocking(get_runtime().part(Denylist).is_revoked_steps(access_token))


def _denylist_in_use() -> Denylist:
    runtime = get_runtime()
    if runtime.settings.is_revoked is None:
        raise ImproperlyConfigured(
            f"{NAME} has no IS_REVOKED, so a revoked token would be as good as before. "
            f'Set it to "{__name__}.is_revoked", or to a callable that asks it.'
        )
    return runtime.part(Denylist)
