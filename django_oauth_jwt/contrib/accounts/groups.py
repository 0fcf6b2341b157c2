"""The groups of a user, kept as a claim says."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import FieldDoesNotExist

from ...conf import GroupSettings
from .fields import claim_at, no_user


def group_model(user_model: Any) -> Any:
    """Return the model of a user's groups, None where users have none; a project may have a model of its own."""
    try:
        field = user_model._meta.get_field("groups")  # noqa: SLF001  # documented, in spite of its underscore
    except FieldDoesNotExist:
        return None
    return field.related_model if field.many_to_many else None


def apply_groups(user: Any, groups: GroupSettings, claims: Mapping[str, Any], using: str) -> None:
    """Put a user into the groups that the claim names, and take them out of those that it could name and does not.

    Raises InvalidToken where the claim names no groups, or one that does not exist.
    """
    model = group_model(type(user))
    if model is None:
        raise no_user("users have no groups: GROUPS is for user models with PermissionsMixin")
    named = _named(groups, claims)
    current = {group.name: group for group in user.groups.using(using)}
    user.groups.add(*_existing(named - current.keys(), groups, model, using))
    if groups.remove:
        user.groups.remove(*(group for name, group in current.items() if name not in named and _is_kept(name, groups)))


def _named(groups: GroupSettings, claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the groups in the claim; one that is absent names none."""
    found = claim_at(claims, groups.claim)
    claimed = [found] if isinstance(found, str) else [] if found is None else found
    if not isinstance(claimed, list) or not all(isinstance(each, str) and each.strip() for each in claimed):
        raise no_user(f"the claim {'.'.join(groups.claim)} is no array of strings with something in them")
    names = claimed if groups.names is None else [name for each in claimed for name in groups.names.get(each, ())]
    return frozenset(groups.prefix + name for name in names)


def _existing(names: frozenset[str], groups: GroupSettings, model: Any, using: str) -> list[Any]:
    longest = model._meta.get_field("name").max_length  # noqa: SLF001  # as above
    for name in sorted(names):
        if "\0" in name or len(name) > longest:
            raise no_user(f"{ascii(name)[:80]} is no name of a group")
    manager = model._default_manager.using(using)  # noqa: SLF001  # as above
    if groups.create:
        return [manager.get_or_create(name=name)[0] for name in sorted(names)]
    found = [*manager.filter(name__in=names)] if names else []
    missing = names - {group.name for group in found}
    if missing:
        raise no_user(f"there is no group {min(missing)!a}")
    return found


def _is_kept(name: str, groups: GroupSettings) -> bool:
    """Tell whether a group is one that the claim decides on; the others are the project's own affair."""
    if groups.names is not None:
        return any(name == groups.prefix + each for names in groups.names.values() for each in names)
    return name.startswith(groups.prefix)
