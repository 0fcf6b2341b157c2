"""The user of a token where the project has no resolver: a `TokenUser`, without a database."""

from collections.abc import Iterable
from typing import Any, NoReturn

from asgiref.sync import sync_to_async
from django.apps import apps

from .conf import get_settings
from .tokens import AccessToken, refuse_request

__all__ = ["TokenUser"]


class TokenUser:
    """The subject of an access token. It is not stored.

    It is authenticated and active. Its permissions are what the setting TOKEN_PERMISSIONS makes of the token's scopes,
    none by default. Two of them are equal if ``iss`` and ``sub`` are. A token without ``sub`` does not say whom it
    speaks for, as many may use one client: its user has no ``pk``, bears the client's name, and equals itself alone.
    """

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False
    last_login = None
    backend = None

    def __init__(self, access_token: AccessToken) -> None:
        refuse_request(type(self), access_token)
        self.access_token = access_token
        self._permissions: frozenset[str] | None = None

    @property
    def pk(self) -> str | None:
        """``sub``; None where the token has none."""
        return self.access_token.subject or None

    id = pk

    @property
    def username(self) -> str | None:
        """``sub``, else the client's id: a name to show, which two may bear."""
        return self.access_token.subject or self.access_token.client_id

    @property
    def email(self) -> str:
        """``email`` (OpenID Connect Core section 5.1), "" where there is none. It identifies nobody."""
        return self._text("email")

    @property
    def first_name(self) -> str:
        """``given_name``, "" where there is none."""
        return self._text("given_name")

    @property
    def last_name(self) -> str:
        """``family_name``, "" where there is none."""
        return self._text("family_name")

    def has_usable_password(self) -> bool:
        """Return False: the sender of a token has logged in elsewhere."""
        return False

    def get_username(self) -> str:
        """Return ``username``, "" where there is none."""
        return self.username or ""

    def get_full_name(self) -> str:
        """Return ``name``, else the first and the last name."""
        return self._text("name") or f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        """Return the first name."""
        return self.first_name

    @property
    def groups(self) -> Any:
        """No groups of `django.contrib.auth`: a manager like that of an anonymous user."""
        return _empty_manager("Group")

    @property
    def user_permissions(self) -> Any:
        """No stored permissions, as `groups`."""
        return _empty_manager("Permission")

    def get_user_permissions(self, obj: object = None) -> set[str]:
        """Return the permissions that the token grants, such as ``books.add_book``; none for one object alone."""
        return set() if obj is not None else set(self._granted())

    def get_group_permissions(self, obj: object = None) -> set[str]:
        """Return no permissions, as there are no groups."""
        return set()

    def get_all_permissions(self, obj: object = None) -> set[str]:
        """Return the permissions that the token grants, such as ``books.add_book``; none for one object alone."""
        return self.get_user_permissions(obj)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Tell whether the token grants a permission."""
        return perm in self.get_all_permissions(obj)

    def has_perms(self, perm_list: Iterable[str], obj: object = None) -> bool:
        """Tell whether the token grants all of these permissions; ValueError for a single one, as Django does."""
        if isinstance(perm_list, str) or not isinstance(perm_list, Iterable):
            raise ValueError("perm_list must be an iterable of permissions.")  # noqa: TRY004  # as Django does
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, package_name: str) -> bool:
        """Tell whether the token grants any permission of an app."""
        return any(perm.partition(".")[0] == package_name for perm in self._granted())

    async def aget_user_permissions(self, obj: object = None) -> set[str]:
        """Do as `get_user_permissions` does; so do the other methods that begin with "a"."""
        return await sync_to_async(self.get_user_permissions)(obj)

    async def aget_group_permissions(self, obj: object = None) -> set[str]:
        """See `aget_user_permissions`."""
        return self.get_group_permissions(obj)

    async def aget_all_permissions(self, obj: object = None) -> set[str]:
        """See `aget_user_permissions`."""
        return await sync_to_async(self.get_all_permissions)(obj)

    async def ahas_perm(self, perm: str, obj: object = None) -> bool:
        """See `aget_user_permissions`."""
        return await sync_to_async(self.has_perm)(perm, obj)

    async def ahas_perms(self, perm_list: Iterable[str], obj: object = None) -> bool:
        """See `aget_user_permissions`."""
        return await sync_to_async(self.has_perms)(perm_list, obj)

    async def ahas_module_perms(self, package_name: str) -> bool:
        """See `aget_user_permissions`."""
        return await sync_to_async(self.has_module_perms)(package_name)

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise NotImplementedError: the user is not stored, and has no password."""
        raise NotImplementedError("TokenUser is not stored: see django_oauth_jwt.contrib.accounts for users that are")

    save.alters_data = True  # type: ignore[attr-defined]  # so that a template does not call it
    delete = set_password = set_unusable_password = check_password = save
    asave = adelete = acheck_password = save

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

    def _text(self, claim: str) -> str:
        value = self.access_token.claims.get(claim)
        return value if isinstance(value, str) else ""

    def _granted(self) -> frozenset[str]:
        if self._permissions is None:
            settings = get_settings()
            self._permissions = settings.token_permissions.granted_by(self.access_token, settings.scope_implies)
        return self._permissions


def _empty_manager(model: str) -> Any:
    from django.db.models.manager import EmptyManager  # noqa: PLC0415  # cannot be used before all apps are loaded

    return EmptyManager(apps.get_model("auth", model))
