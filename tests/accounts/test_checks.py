"""What `manage.py check` says of ACCOUNTS, beside what every bad value gets (tests/conf)."""

import sys
from importlib import import_module

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import isolate_apps

from django_oauth_jwt.contrib.accounts.groups import group_model

from .conftest import RESOLVER


def messages():
    return [(message.id, message.msg) for message in run_checks(tags=["oauth_jwt"])]


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        ({"FIELDS": {"nickname": "nickname"}}, "'nickname', and auth.User has no such field"),
        ({"FIELDS": {"federated_identities": "x"}}, "'federated_identities', and auth.User has no such field"),
        ({"FIELDS": {"username": "sub"}, "USERNAME": "sub"}, "both USERNAME and FIELDS say what 'username' is"),
    ],
)
def test_what_the_user_model_does_not_have_is_an_error(with_accounts, accounts, words):
    """Before the first token is refused for it; told once, though two issuers share the setting."""
    with_accounts(**accounts)
    ((number, message),) = messages()
    assert number == "oauth_jwt.E007"
    assert words in message


@pytest.mark.parametrize("resolver", [RESOLVER, None])
def test_under_an_issuer_resolver_the_settings_are_checked_as_well(settings, resolver):
    """They hold for an issuer whose entry says nothing else; the entries themselves are known to nobody yet."""
    settings.OAUTH_JWT = {
        "ISSUER_RESOLVER": lambda iss: None,
        "USER_RESOLVER": resolver,
        "ACCOUNTS": {"FIELDS": {"nickname": "nickname"}},
    }
    assert [number for number, _ in messages()] == ["oauth_jwt.E007"] * (resolver is not None)


def test_groups_without_groups_are_an_error(with_accounts, monkeypatch):
    """A user model without PermissionsMixin has none."""
    with_accounts(GROUPS={"CLAIM": "groups"})
    monkeypatch.setattr("django_oauth_jwt.contrib.accounts.checks.group_model", lambda model: None)
    assert messages() == [("oauth_jwt.E007", "OAUTH_JWT['ACCOUNTS']: GROUPS is set, and auth.User has no groups.")]


@pytest.mark.django_db
def test_users_without_groups_are_refused_with_the_cause(refusal_of, with_accounts, monkeypatch):
    """Where nobody has run the checks."""
    with_accounts(GROUPS={"CLAIM": "groups"})
    monkeypatch.setattr("django_oauth_jwt.contrib.accounts.groups.group_model", lambda model: None)
    assert refusal_of(sub="1").startswith("users have no groups")


@isolate_apps("django.contrib.auth")
def test_the_groups_of_a_user_model():
    """Django's, or none: a field of this name need not be them."""
    from django.db import models  # noqa: PLC0415  # beside what it is for

    class Bare(AbstractBaseUser):
        USERNAME_FIELD = "name"
        name = models.TextField(unique=True)

        class Meta:
            app_label = "auth"

    class Textual(Bare):
        groups = models.TextField()

        class Meta:
            app_label = "auth"

    class Single(Bare):
        groups = models.ForeignKey(Group, models.CASCADE)

        class Meta:
            app_label = "auth"

    assert group_model(get_user_model()) is Group
    assert group_model(Bare) is group_model(Textual) is group_model(Single) is None


@pytest.mark.parametrize(
    "raw", [[], {"USER_RESOLVER": RESOLVER, "ACCOUNTS": {"FIELDS": 1}, "ISSUER": "https://a.test"}]
)
def test_bad_settings_are_the_other_checks_affair(settings, raw):
    """One error for one mistake."""
    settings.OAUTH_JWT = raw
    assert [number for number, _ in messages()] in (["oauth_jwt.E001"], ["oauth_jwt.E003"])


def test_accounts_of_another_resolver_are_its_own_affair(trust):
    """Nobody reads them."""
    trust(USER_RESOLVER=lambda access_token, request: None, ACCOUNTS={"FIELDS": {"nickname": "nickname"}})
    assert messages() == []


def test_an_app_that_is_not_installed_is_named(settings, monkeypatch):
    """Its model would be one of `django_oauth_jwt`, without a table. What `check` says is tried in tests/docs."""
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_oauth_jwt.contrib.accounts"]
    monkeypatch.delitem(sys.modules, "django_oauth_jwt.contrib.accounts.models")
    with pytest.raises(ImproperlyConfigured, match=r"Add 'django_oauth_jwt\.contrib\.accounts' to INSTALLED_APPS"):
        import_module("django_oauth_jwt.contrib.accounts.models")
