"""A new user for a subject that was never seen. Nobody is found by name or by e-mail: names can be chosen."""

import hashlib
import json
import re
import secrets
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models

from ...conf import AccountSettings
from ...tokens import AccessToken
from .fields import apply_fields, claim_at, claims_by_field, fitting, no_user

#: Of the hash that is a name, and of the one behind a name that is taken: in hexadecimal digits.
_DIGITS: Final = 32
_FEW_DIGITS: Final = 12
#: What Django's own validator of user names refuses.
_NOT_IN_NAMES: Final = re.compile(r"[^\w.@+-]")


def new_users(accounts: AccountSettings, access_token: AccessToken) -> list[Any]:
    """Return a user to store, and, as its name may be taken, others under other names. None is stored yet.

    Raises InvalidToken where the claims make no user.
    """
    return [_new_user(accounts, access_token, name) for name in _names(accounts, access_token)]


def _new_user(accounts: AccountSettings, access_token: AccessToken, name: str | None) -> Any:
    user: Any = get_user_model()()
    if name is not None:
        setattr(user, user.USERNAME_FIELD, name)
    apply_fields(user, accounts, access_token.claims)
    user.set_unusable_password()
    try:
        user.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        causes = "; ".join(f"{field}: {' '.join(messages)}" for field, messages in error.message_dict.items())
        raise no_user(f"the claims make no user ({causes})") from None
    return user


def _names(accounts: AccountSettings, access_token: AccessToken) -> list[str | None]:
    """Return the names for a new user in the order in which they are tried; None where FIELDS has the name."""
    user = get_user_model()()
    if user.USERNAME_FIELD in claims_by_field(accounts):
        return [None]
    field: Any = user._meta.get_field(user.USERNAME_FIELD)  # noqa: SLF001  # documented, in spite of its underscore
    digits = _hash(access_token)
    if isinstance(field, models.EmailField):
        return [fitting(field, _claimed_name(accounts, access_token, ("email",)), user, "email")]
    if accounts.username is None:
        return [each[: field.max_length] for each in (digits, secrets.token_hex(_DIGITS // 2))]
    name = _NOT_IN_NAMES.sub("-", user.normalize_username(_claimed_name(accounts, access_token, accounts.username)))
    whole = [name] if field.max_length is None or len(name) <= field.max_length else []
    # The last one cannot be taken in advance.
    endings = digits[:_FEW_DIGITS], secrets.token_hex(_FEW_DIGITS // 2)
    return [*whole, *(_with_ending(name, f"-{ending}", field.max_length) for ending in endings)]


def _claimed_name(accounts: AccountSettings, access_token: AccessToken, default: Any) -> str:
    how = accounts.username or default
    found = how(access_token) if callable(how) else claim_at(access_token.claims, how)
    if not isinstance(found, str) or not found or "\0" in found:
        raise no_user(f"no name for a new user: {'USERNAME' if callable(how) else '.'.join(how)} has no text")
    return found


def _hash(access_token: AccessToken) -> str:
    """Return what tells a subject from all others and tells nothing else."""
    identity = json.dumps([access_token.issuer, access_token.subject])
    return hashlib.sha256(identity.encode()).hexdigest()[:_DIGITS]


def _with_ending(name: str, ending: str, max_length: int | None) -> str:
    """Return a name with an ending, cut before it to a length."""
    return f"{name if max_length is None else name[: max(0, max_length - len(ending))]}{ending}"
