"""Fields of a user, brought up to date with claims. Whatever does not fit refuses the token, and says why."""

from collections.abc import Mapping
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import BaseUserManager
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import DataError, models

from ...conf import AccountSettings
from ...errors import InvalidToken

#: Texts that mean something else, or nothing, when they are cut.
_WHOLE_TEXTS: Final = (models.EmailField, models.URLField, models.SlugField)
_LONGEST_CAUSE: Final = 500


def no_user(cause: str) -> InvalidToken:
    """Return the refusal of a token that belongs to no user here; the client does not learn the cause.

    Django's messages may quote a claim, which could write lines of its own into a log.
    """
    printable = "".join(char if char.isprintable() else "?" for char in cause[:_LONGEST_CAUSE])
    return InvalidToken("unknown_user", detail=printable)


def claim_at(claims: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """Return the claim that a path of names leads to, None where there is none."""
    found: Any = claims
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def claims_by_field(accounts: AccountSettings) -> Mapping[str, tuple[str, ...]]:
    """Return the claims that fields are kept up to date with."""
    if accounts.fields is not None:
        return accounts.fields
    model: Any = get_user_model()
    # A name to log in with is given to new users, and is not changed unless FIELDS says so.
    has_email = model.USERNAME_FIELD != "email" and settable_field(model, "email") is not None
    return {"email": ("email",)} if has_email else {}


def settable_field(model: Any, name: str) -> Any:
    """Return a field that a claim can set, None where the model has none of this name: no relation, key or file."""
    try:
        field = model._meta.get_field(name)  # noqa: SLF001  # documented, in spite of its underscore
    except FieldDoesNotExist:
        return None
    is_none = field.is_relation or field.primary_key or isinstance(field, models.FileField | models.BinaryField)
    return None if is_none else field


def apply_fields(user: models.Model, accounts: AccountSettings, claims: Mapping[str, Any]) -> list[str]:
    """Set the fields that have another value in the claims, and return their names; a claim that is absent sets none.

    Raises InvalidToken for a value that a field does not take.
    """
    changed = []
    for name, path in claims_by_field(accounts).items():
        value = claim_at(claims, path)
        if value is None:
            continue
        field = settable_field(type(user), name)
        if field is None:
            raise no_user(f"the user model has no field {name} that a claim can set")
        value = fitting(field, value, user, ".".join(path))
        if name == getattr(user, "USERNAME_FIELD", None):
            value = user.normalize_username(value)  # type: ignore[attr-defined]  # what has the one has the other
        if getattr(user, name) != value:
            setattr(user, name, value)
            changed.append(name)
    return changed


def fitting(field: Any, value: Any, user: models.Model, claim: str) -> Any:
    """Return a claim as a field's value. What is too long is cut where it only describes the user.

    Raises InvalidToken for a value of the wrong type, and for one that the field's validators refuse.
    """
    is_text = isinstance(field, models.CharField | models.TextField)
    if isinstance(value, dict | list) or (is_text and not isinstance(value, str)):
        raise no_user(f"the claim {claim} is a {type(value).__name__}")
    if isinstance(value, str) and "\0" in value:  # PostgreSQL raises an error
        raise no_user(f"the claim {claim} has a NUL in it")
    if isinstance(field, models.EmailField):
        value = BaseUserManager.normalize_email(value)
    if is_text and field.max_length and not (field.unique or isinstance(field, _WHOLE_TEXTS)):
        value = value[: field.max_length]
    try:
        return field.clean(value, user)
    except ValidationError as error:
        raise no_user(f"the claim {claim} is no {field.name}: {' '.join(error.messages)}") from None
    except (TypeError, ValueError, ArithmeticError) as error:  # a number for a date, one too large for a float
        raise no_user(f"the claim {claim} is no {field.name}: {error}") from None


def save_user(user: models.Model, **options: Any) -> None:
    """Store a user; raise InvalidToken for a value that the field has taken and the database does not."""
    try:
        user.save(**options)
    except (DataError, OverflowError) as error:  # a time beyond the calendar, a number beyond the column
        raise no_user(f"a claim has a value that cannot be stored: {type(error).__name__}") from None
