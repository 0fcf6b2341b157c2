"""What the tests of accounts share: a project with the app's resolver, and the user of a token."""

import pytest
from django.contrib.auth import get_user_model

from django_oauth_jwt.contrib.accounts import resolve_user
from django_oauth_jwt.contrib.accounts.models import FederatedIdentity
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.verification import verify_token

RESOLVER = "django_oauth_jwt.contrib.accounts.resolve_user"


@pytest.fixture(autouse=True)
def _bare_project(bare_project, settings):
    """Every test here begins so."""
    settings.ROOT_URLCONF = "tests.accounts.urls"


@pytest.fixture
def with_accounts(trust):
    """Have the project trust the issuer, with its users made as ACCOUNTS says: ``with_accounts(CREATE=False)``."""
    return lambda **accounts: trust(USER_RESOLVER=RESOLVER, ACCOUNTS=accounts)


@pytest.fixture
def issuer(with_accounts):
    """An issuer whose users are made by default."""
    return with_accounts()


@pytest.fixture
def user_of(rsa_issuer):
    """The user of a token of these claims, by the resolver alone, as the settings are then."""
    return lambda **claims: resolve_user(verify_token(rsa_issuer.token(**claims)), None)


@pytest.fixture
def refusal_of(user_of):
    """Why a token of these claims has no user; nothing is stored for it."""

    def refusal_of(**claims):
        counts = [model.objects.count() for model in (get_user_model(), FederatedIdentity)]
        with pytest.raises(InvalidToken) as caught:
            user_of(**claims)
        assert caught.value.reason == "unknown_user"
        assert [model.objects.count() for model in (get_user_model(), FederatedIdentity)] == counts
        return caught.value.detail

    return refusal_of
