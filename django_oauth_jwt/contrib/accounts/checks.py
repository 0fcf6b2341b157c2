"""System checks of the app and of the setting ACCOUNTS."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.checks import CheckMessage, register

from ...conf import NAME, AccountSettings, read
from .fields import settable_field
from .groups import group_model
from .resolver import resolve_user

TAG = "oauth_jwt"
_NUMBER: Final = "E007"


@register(TAG)
def check_accounts(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for what ACCOUNTS of an issuer asks of this project's user model and that one does not have."""
    settings, _ = read(getattr(django_settings, NAME, None))
    if settings is None:
        return []
    # Under an ISSUER_RESOLVER the settings hold for an issuer whose entry says nothing else.
    defaults = [] if settings.issuer_resolver is None else [settings.unlisted_issuer]
    issuers = [*settings.issuers.values(), *defaults]
    resolved = [trusted.accounts for trusted in issuers if trusted.user_resolver is resolve_user]
    problems = dict.fromkeys(problem for accounts in resolved for problem in _problems(accounts))
    hint = "Leave it out, or change the user model."
    return [checks.Error(f"{NAME}['ACCOUNTS']: {problem}", hint, id=f"{TAG}.{_NUMBER}") for problem in problems]


def _problems(accounts: AccountSettings) -> Iterator[str]:
    model: Any = get_user_model()
    label = model._meta.label  # noqa: SLF001  # documented, in spite of its underscore
    fields = accounts.fields or {}
    for name in fields:
        if settable_field(model, name) is None:
            yield f"FIELDS has {name!r}, and {label} has no such field that a claim can set."
    if accounts.username is not None and model.USERNAME_FIELD in fields:
        yield f"both USERNAME and FIELDS say what {model.USERNAME_FIELD!r} is."
    if accounts.groups is not None and group_model(model) is None:
        yield f"GROUPS is set, and {label} has no groups."
