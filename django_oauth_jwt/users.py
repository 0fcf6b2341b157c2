"""Who a token speaks for: a user object without a database, or a user of the project's user model."""

import hashlib
from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from .access_token import AccessToken
from .conf import get_settings


class TokenUser:
    """The subject of an access token, or its client where the token has no ``sub``. Never stored.

    It is authenticated and active, and has no permissions of `django.contrib.auth`: what the token allows
    is in its scopes and claims. Equal to another of the same ``iss`` and ``sub``.
    """

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False

    def __init__(self, access_token: AccessToken) -> None:
        self.access_token = access_token

    @property
    def pk(self) -> str | None:
        """``sub``, else the client's id; throttles count by it."""
        return self.access_token.subject or self.access_token.client_id

    id = pk
    username = pk

    def get_username(self) -> str:
        """Return ``sub``, else the client's id."""
        return self.pk or ""

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Return False: a token grants scopes, not Django's permissions."""
        return False

    def has_perms(self, perm_list: Collection[str], obj: object = None) -> bool:
        """Return False unless nothing is asked for."""
        return not perm_list

    def has_module_perms(self, package_name: str) -> bool:
        """Return False, as `has_perm` does."""
        return False

    def __str__(self) -> str:
        return self.get_username()

    def __repr__(self) -> str:
        return f"<TokenUser {self.get_username()!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenUser) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[str, str | None]:
        return str(self.access_token.claims.get("iss")), self.pk


def get_or_create_user(access_token: AccessToken, request: HttpRequest | None) -> Any:
    """Return the user of the project's user model whose user name is the token's ``sub``; make it if need be.

    A resolver for the setting USER_RESOLVER. A new user has no usable password. None, which refuses the
    token, where it has no ``sub``, the ``sub`` is no valid user name, or the user is not active. With
    several ISSUERS the user name is made of ``iss`` and ``sub``, since each issuer counts its own.
    """
    if not access_token.subject:
        return None
    model = get_user_model()
    field: Any = model._meta.get_field(model.USERNAME_FIELD)  # noqa: SLF001  # documented, its underscore notwithstanding
    username = _username(access_token, field.max_length)
    manager: Any = model._default_manager  # noqa: SLF001  # as above
    try:
        user = manager.get_by_natural_key(username)
    except model.DoesNotExist:
        try:
            field.run_validators(username)
        except ValidationError:
            return None
        user, created = manager.get_or_create(**{model.USERNAME_FIELD: username})
        if created:
            user.set_unusable_password()
            user.save()
    return user if user.is_active else None


def _username(access_token: AccessToken, max_length: int | None) -> str:
    subject = access_token.subject or ""
    if len(get_settings().issuers) == 1:
        return subject
    issuer = str(access_token.claims.get("iss"))
    return hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:max_length]
