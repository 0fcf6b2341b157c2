"""The setting ACCOUNTS: how the users of an issuer's subjects are made and kept (`contrib.accounts`).

The functions for the settings return the value or raise ValueError, as those in `values` do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from . import targets, values
from .nested import dict_of

ClaimPath = tuple[str, ...]

#: Fields of a user that no claim may set: who is staff is decided here, and not by an authorization server.
FORBIDDEN_FIELDS: Final = frozenset(
    {"is_superuser", "is_staff", "is_active", "password", "pk", "id", "groups", "user_permissions", "last_login"}
)


@dataclass(frozen=True)
class GroupSettings:
    """Which groups a user is in: those that the values of ``claim`` name.

    With ``names`` only the values in it count, each with the groups that it stands for. ``prefix`` stands before the
    name of each group. ``remove`` takes the user out of groups that the token no longer names: of those that it could
    have named, by ``names`` or by ``prefix``, else of all.
    """

    claim: ClaimPath
    names: Mapping[str, tuple[str, ...]] | None = None
    prefix: str = ""
    create: bool = False
    remove: bool = True


@dataclass(frozen=True)
class AccountSettings:
    """How users are made and kept.

    ``fields`` are claims by the field of the user model; None is the e-mail, where users have one that is no name.
    ``link`` takes the access token of a first login and returns the user who is already there, or None. ``username`` is
    the claim for a new user's name, or a callable that takes the access token; None: a name that tells nothing.
    """

    create: bool = True
    link: Callable[..., Any] | None = None
    username: ClaimPath | Callable[..., Any] | None = None
    fields: Mapping[str, ClaimPath] | None = None
    update: bool = True
    groups: GroupSettings | None = None


ACCOUNT_DEFAULTS: Final = AccountSettings()


def account_settings(value: Any) -> AccountSettings:
    """A dict that says how users are made and kept; what is left out has its default."""
    return AccountSettings(**{key.lower(): member for key, member in dict_of(value, _RULES).items()})


def _groups(value: Any) -> GroupSettings | None:
    if value is None:
        return None
    found = dict_of(value, _GROUP_RULES)
    if "CLAIM" not in found:
        raise ValueError("must have 'CLAIM', the claim whose values are groups")
    renamed = {"names" if key == "MAP" else key.lower(): member for key, member in found.items()}
    return GroupSettings(**renamed)


def _claim_path(value: Any) -> ClaimPath:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError('must be the name of a claim, or a list of names: ["realm_access", "roles"]')
    return tuple(names)


def _username(value: Any) -> ClaimPath | Callable[..., Any] | None:
    return value if value is None else targets.imported_callable(value) if callable(value) else _claim_path(value)


def _link(value: Any) -> Callable[..., Any] | None:
    return None if value is None else targets.imported_callable(value)


def _fields(value: Any) -> Mapping[str, ClaimPath]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) and name for name in value):
        raise ValueError('must be a dict of claims by field, such as {"email": "email"}')
    for name in value:
        if name in FORBIDDEN_FIELDS:
            raise ValueError(f"must not have {name!r}, which no claim may set")
    return {name: _claim_path(claim) for name, claim in value.items()}


def _group_names(value: Any) -> Mapping[str, tuple[str, ...]] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not all(isinstance(claimed, str) for claimed in value):
        raise ValueError('must be a dict of group names by value of the claim, such as {"editor": ["Editors"]}')
    return {
        claimed: (values.non_empty(names),) if isinstance(names, str) else tuple(sorted(values.strings(names)))
        for claimed, names in value.items()
    }


def _prefix(value: Any) -> str:
    return "" if value is None else values.non_empty(value)


_RULES: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "CREATE": values.boolean,
        "LINK": _link,
        "USERNAME": _username,
        "FIELDS": _fields,
        "UPDATE": values.boolean,
        "GROUPS": _groups,
    }
)
_GROUP_RULES: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "CLAIM": _claim_path,
        "MAP": _group_names,
        "PREFIX": _prefix,
        "CREATE": values.boolean,
        "REMOVE": values.boolean,
    }
)
