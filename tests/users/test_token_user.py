"""The user without a database: who a token speaks for where the project has no resolver."""

import pytest

from django_oauth_jwt.users import TokenUser
from django_oauth_jwt.verification import verify_token


@pytest.fixture
def token_user(issuer):
    """Make a token user from claims."""
    return lambda **claims: TokenUser(verify_token(issuer.token(**claims)))


@pytest.mark.parametrize(
    ("claims", "name", "pk"),
    [
        ({}, "user-1", "user-1"),
        ({"sub": None}, "client-1", None),
        ({"sub": ""}, "client-1", None),
        ({"sub": None, "client_id": None}, "", None),
    ],
)
def test_a_token_user_is_named_after_the_subject_or_else_the_client(token_user, claims, name, pk):
    """Logs and templates have a name to show; a key has the user of a subject alone."""
    user = token_user(**claims)
    assert user.get_username() == str(user) == name
    assert repr(user) == f"<TokenUser {name!r}>"
    assert user.username == (name or None)
    assert (user.pk, user.id) == (pk, pk)


@pytest.mark.parametrize("claims", [{"sub": None}, {"sub": ""}, {"sub": None, "client_id": None}])
def test_a_token_user_without_subject_equals_itself_alone(issuer, token_user, claims):
    """Many people may use one client: what belongs to one of them belongs to none of the others."""
    user, other = token_user(**claims), token_user(**claims)
    same_token = TokenUser(user.access_token)
    assert user == user  # noqa: PLR0124  # it is compared with itself on purpose
    assert user != other
    assert other != user
    assert user != same_token
    assert len({user, other, same_token}) == 3
    assert {user: "found"}[user] == "found"
    assert user != token_user(sub="client-1")
    assert token_user(sub="client-1") != user


def test_a_token_user_has_what_code_expects_of_a_user(token_user):
    """Somebody, active, and without any of Django's own permissions."""
    user = token_user()
    assert (user.is_authenticated, user.is_anonymous, user.is_active) == (True, False, True)
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert not user.has_perm("app.add_book")
    assert not user.has_perms(["app.add_book"])
    assert user.has_perms([])
    assert not user.has_module_perms("app")
    assert user.access_token.subject == "user-1"


def test_token_users_are_equal_by_issuer_and_subject(token_user, rsa_issuer):
    """Two tokens of one user are one user; the same subject of another issuer is not."""
    alice = token_user(sub="alice")
    assert alice == token_user(sub="alice")
    assert len({alice, token_user(sub="alice"), token_user(sub="bob")}) == 2
    assert alice != token_user(sub="bob")
    assert alice != "alice"
    with rsa_issuer.installed(ISSUER="https://other.example.com"):
        assert alice != token_user(sub="alice", iss="https://other.example.com")
