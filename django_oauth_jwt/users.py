"""Who a token speaks for: a user object without a database, or a user of the project's user model."""

import hashlib
import logging
from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest

from .conf import get_settings
from .tokens import AccessToken

logger = logging.getLogger("django_oauth_jwt")


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
        return str(self.access_token.issuer), self.pk


def get_or_create_user(access_token: AccessToken, request: HttpRequest | None) -> Any:
    """Return the user of the project's user model whose user name is the token's ``sub``; make it if need be.

    A resolver for the setting USER_RESOLVER. A new user has no usable password. None, which refuses the
    token, where it has no ``sub``, the ``sub`` is no valid user name, or the user is not active. None, too,
    where the name of the user that is found differs, be it in case or blanks. With several ISSUERS the user
    name is made of ``iss`` and ``sub``, since each issuer counts its own.
    """
    if not access_token.subject:
        return None
    model = get_user_model()
    field: Any = model._meta.get_field(model.USERNAME_FIELD)  # noqa: SLF001  # documented, its underscore notwithstanding
    username = _username(access_token, field.max_length)
    try:
        user = _found_or_made(model, field, username)
    except ValidationError:
        return None
    except IntegrityError:  # the manager hides who has this name, or the model wants more than a name
        logger.warning("No user can be made for a token", exc_info=True)
        return None
    # Databases and managers may overlook case and blanks, and would take one subject for another.
    return user if user.is_active and str(user.get_username()) == username else None


def _found_or_made(model: Any, field: Any, username: str) -> Any:
    if "\0" in username:  # PostgreSQL takes none, not even to look for it
        raise ValidationError("no user name")
    value = field.to_python(username)
    try:
        return model._default_manager.get_by_natural_key(value)  # noqa: SLF001  # documented, as above
    except model.DoesNotExist:
        field.run_validators(value)
        # In one statement: a second one would overwrite what another request has written meanwhile.
        given = {model.USERNAME_FIELD: value, "defaults": {"password": make_password(None)}}
        return model._default_manager.get_or_create(**given)[0]  # noqa: SLF001  # as above


def _username(access_token: AccessToken, max_length: int | None) -> str:
    subject = access_token.subject or ""
    if len(get_settings().issuers) == 1:
        return subject
    return hashlib.sha256(f"{access_token.issuer}\n{subject}".encode()).hexdigest()[:max_length]
