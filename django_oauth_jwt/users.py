"""The user of a token: a `TokenUser` without a database, or one of the project's user model."""

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
from .http import is_of_other_keys
from .tokens import AccessToken

__all__ = ["TokenUser", "get_or_create_user"]

logger = logging.getLogger("django_oauth_jwt")


class TokenUser:
    """The subject of an access token. It is not stored.

    It is authenticated and active. It has no permissions of `django.contrib.auth`: the token's scopes and claims say
    what it allows. Two of them are equal if ``iss`` and ``sub`` are. A token without ``sub`` does not say whom it
    speaks for, as many may use one client: its user has no ``pk``, bears the client's name, and equals itself alone.
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
        """``sub``; None where the token has none. Django REST framework's throttles count by it."""
        return self.access_token.subject or None

    id = pk

    @property
    def username(self) -> str | None:
        """``sub``, else the client's id: a name to show, which two may bear."""
        return self.access_token.subject or self.access_token.client_id

    def get_username(self) -> str:
        """Return ``username``, "" where there is none."""
        return self.username or ""

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Return False: a token grants scopes, and no permissions of Django."""
        return False

    def has_perms(self, perm_list: Collection[str], obj: object = None) -> bool:
        """Return False, except for an empty list."""
        return not perm_list

    def has_module_perms(self, package_name: str) -> bool:
        """Return False, as `has_perm` does."""
        return False

    def __str__(self) -> str:
        return self.get_username()

    def __repr__(self) -> str:
        return f"<TokenUser {self.get_username()!r}>"

    def __eq__(self, other: object) -> bool:
        if self.pk is None:
            return self is other
        return isinstance(other, TokenUser) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[str | None, str | None]:
        return self.access_token.issuer, self.pk


def get_or_create_user(access_token: AccessToken, request: HttpRequest | None) -> Any:
    """Return the user of the project's user model whose user name is the token's ``sub``; create it if need be.

    A resolver for the setting USER_RESOLVER: ``"django_oauth_jwt.users.get_or_create_user"``. A new user has no
    usable password. The result is None, which refuses the token, where there is no ``sub``, it is no valid user
    name, the user is not active, or the user that was found has another name (in case or blanks). With several
    ISSUERS, and for a token that another key service has verified (``secure(jwks_service=...)``), the user name is a
    hash of ``iss`` and ``sub``, since two issuers may use the same ``sub``.
    """
    if not access_token.subject:
        return None
    model = get_user_model()
    field: Any = model._meta.get_field(model.USERNAME_FIELD)  # noqa: SLF001  # documented, in spite of its underscore
    is_apart = request is not None and is_of_other_keys(request)
    username = _username(access_token, field.max_length, is_apart=is_apart)
    try:
        user = _get_or_create(model, field, username)
    except ValidationError:
        return None
    except IntegrityError:  # the manager hides the user with this name, or the model requires more fields
        logger.warning("No user can be made for a token", exc_info=True)
        return None
    # Databases and managers may ignore case and blanks, and so find the user of another subject.
    return user if user.is_active and str(user.get_username()) == username else None


def _get_or_create(model: Any, field: Any, username: str) -> Any:
    if "\0" in username:  # PostgreSQL raises an error even when it searches for one
        raise ValidationError("no user name")
    value = field.to_python(username)
    try:
        return model._default_manager.get_by_natural_key(value)  # noqa: SLF001  # documented, as above
    except model.DoesNotExist:
        field.run_validators(value)
        # One statement: saving later would overwrite what another request has written meanwhile.
        given = {model.USERNAME_FIELD: value, "defaults": {"password": make_password(None)}}
        return model._default_manager.get_or_create(**given)[0]  # noqa: SLF001  # as above


def _username(access_token: AccessToken, max_length: int | None, *, is_apart: bool) -> str:
    subject = access_token.subject or ""
    issuers = get_settings().issuers
    if len(issuers) == 1 and (access_token.issuer in issuers or (None in issuers and not is_apart)):
        return subject
    return hashlib.sha256(f"{access_token.issuer}\n{subject}".encode()).hexdigest()[:max_length]
