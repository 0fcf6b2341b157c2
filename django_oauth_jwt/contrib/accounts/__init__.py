"""An app with users for tokens: a `FederatedIdentity` says who an issuer's subject is (OpenID Connect Core section 2).

List it in INSTALLED_APPS and name its resolver:

>>> INSTALLED_APPS += ["django_oauth_jwt.contrib.accounts"]
>>> OAUTH_JWT |= {"USER_RESOLVER": "django_oauth_jwt.contrib.accounts.resolve_user"}

`resolver` finds or makes the user of a token; `creation` makes new ones, `fields` and `groups` keep them as the claims
say. The setting ACCOUNTS says how.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .resolver import resolve_user

__all__ = ["resolve_user"]


def __getattr__(name: str) -> Any:
    # Imported at first use: Django imports this package before it has any models.
    if name != "resolve_user":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .resolver import resolve_user  # noqa: PLC0415  # see above

    return resolve_user
