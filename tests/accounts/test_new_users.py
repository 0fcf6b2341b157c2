"""The user of a first login: whom LINK finds, or a new one, whose name is nobody else's."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User

from django_oauth_jwt.contrib.accounts.models import FederatedIdentity
from django_oauth_jwt.errors import InvalidToken

from .conftest import RESOLVER

pytestmark = pytest.mark.django_db


@pytest.fixture
def bert():
    """A user who was there before any token."""
    return get_user_model().objects.create_user("bert", "bert@example.com")


class TestLink:
    """LINK says which user that is already there a subject is."""

    def test_it_is_asked_at_the_first_login_alone(self, with_accounts, user_of, bert):
        """From then on the identity counts."""
        asked = []
        with_accounts(LINK=lambda access_token: asked.append(access_token.subject) or bert)
        assert [user_of(sub="b"), user_of(sub="b")] == [bert, bert]
        assert asked == ["b"]

    def test_a_linked_user_is_brought_up_to_date_at_once(self, with_accounts, user_of, bert):
        """A group that was taken away at the authorization server is gone with the first token."""
        bert.groups.add(Group.objects.create(name="editors"))
        with_accounts(LINK=lambda access_token: bert, GROUPS={"CLAIM": "groups"})
        user = user_of(sub="b", email="new@example.com", groups=[])
        assert user.email == "new@example.com"
        assert not user.groups.exists()

    def test_without_update_a_linked_user_stays_as_they_are(self, with_accounts, user_of, bert):
        """UPDATE off means that claims make users and do not change them."""
        with_accounts(LINK=lambda access_token: bert, UPDATE=False)
        assert user_of(sub="b", email="new@example.com").email == "bert@example.com"

    def test_none_makes_a_new_user(self, with_accounts, user_of, bert):
        """Where CREATE does not say otherwise."""
        with_accounts(LINK=lambda access_token: None)
        assert user_of(sub="b") != bert

    def test_without_create_only_linked_users_get_in(self, with_accounts, user_of, refusal_of, bert):
        """Those whom LINK finds, or whom an administrator has linked."""
        with_accounts(CREATE=False, LINK=lambda access_token: bert if access_token.subject == "b" else None)
        assert user_of(sub="b") == bert
        assert refusal_of(sub="c") == "nobody is linked to the subject, and CREATE is off"

    @pytest.mark.parametrize("found", [False, "bert", 1, User(username="new"), User(pk=99, username="new")], ids=repr)
    def test_anything_else_is_a_mistake_of_the_projects(self, with_accounts, user_of, found):
        """The developer is told, and nobody is let in."""
        with_accounts(LINK=lambda access_token: found)
        with pytest.raises(TypeError, match="LINK must return a stored user or None, not a"):
            user_of(sub="b")

    def test_it_may_refuse_with_words_of_its_own(self, with_accounts, user_of):
        """A refusal is passed on."""

        def refuse(access_token):
            raise InvalidToken("wrong_tenant", "Token is for another tenant")

        with_accounts(LINK=refuse)
        with pytest.raises(InvalidToken) as caught:
            user_of(sub="b")
        assert caught.value.reason == "wrong_tenant"

    def test_an_inactive_user_who_is_linked_is_refused(self, with_accounts, user_of, bert):
        """Linking lets nobody in who was switched off."""
        bert.is_active = False
        bert.save()
        with_accounts(LINK=lambda access_token: bert)
        with pytest.raises(InvalidToken):
            user_of(sub="b")


class TestUsername:
    """USERNAME says what a new user's name is, and finds nobody."""

    @pytest.mark.parametrize(
        ("claimed", "name"),
        [
            ("anna", "anna"),
            ("anna@example.com", "anna@example.com"),
            ("Anna Müller", "Anna-Müller"),
            ("a/b|c\n", "a-b-c-"),
            ("\ufb01", "fi"),  # Django's own normal form
            ("x" * 150, "x" * 150),
        ],
    )
    def test_a_claim_is_the_name(self, with_accounts, user_of, claimed, name):
        """What cannot be in a user name becomes a hyphen."""
        with_accounts(USERNAME="preferred_username")
        assert user_of(sub="1", preferred_username=claimed).username == name

    def test_a_path_leads_into_nested_claims(self, with_accounts, user_of):
        """As it does in `HasClaim`."""
        with_accounts(USERNAME=["profile", "name"])
        assert user_of(sub="1", profile={"name": "anna"}).username == "anna"

    def test_a_callable_makes_it_of_the_token(self, with_accounts, user_of):
        """Of whatever is in it."""
        with_accounts(USERNAME=lambda access_token: f"op.{access_token.subject}")
        assert user_of(sub="anna").username == "op.anna"

    def test_a_name_that_is_taken_gets_an_ending(self, with_accounts, user_of, bert):
        """The one who has it keeps it, and the new user is found again."""
        with_accounts(USERNAME="preferred_username")
        user = user_of(sub="1", preferred_username="bert")
        assert user != bert
        assert re.fullmatch(r"bert-[0-9a-f]{12}", user.username)
        assert user_of(sub="1", preferred_username="bert") == user

    def test_a_name_that_is_too_long_is_cut_and_gets_an_ending(self, with_accounts, user_of):
        """Two that begin alike stay two."""
        with_accounts(USERNAME="preferred_username")
        names = {user_of(sub=str(i), preferred_username="x" * 151).username for i in range(2)}
        assert [len(name) for name in names] == [150, 150]

    def test_it_stays_what_it_was_at_first(self, with_accounts, user_of):
        """Whoever renames themselves at the authorization server takes nobody's name here."""
        with_accounts(USERNAME="preferred_username")
        user_of(sub="1", preferred_username="anna")
        assert user_of(sub="1", preferred_username="bert").username == "anna"

    def test_fields_may_keep_it_up_to_date(self, with_accounts, user_of, refusal_of, bert):
        """Where the project says so; a name that is taken is refused then."""
        with_accounts(FIELDS={"username": "preferred_username"})
        assert user_of(sub="1", preferred_username="anna").username == "anna"
        assert user_of(sub="1", preferred_username="anne").username == "anne"
        assert "is another user's" in refusal_of(sub="1", preferred_username="bert")
        assert "is another user's already" in refusal_of(sub="2", preferred_username="bert")
        assert get_user_model().objects.get(username="anne").pk

    @pytest.mark.parametrize("claimed", [None, "", 5, True, ["anna"], {"a": "b"}, "an\0na"])
    def test_a_claim_that_is_no_text_is_refused(self, with_accounts, refusal_of, claimed):
        """Nobody is called None."""
        with_accounts(USERNAME=["profile", "name"])
        assert refusal_of(sub="1", profile={"name": claimed}) == "no name for a new user: profile.name has no text"

    def test_a_callables_result_that_is_no_text_is_refused(self, with_accounts, refusal_of):
        """As a claim is."""
        with_accounts(USERNAME=lambda access_token: None)
        assert refusal_of(sub="1") == "no name for a new user: USERNAME has no text"


def test_a_user_that_the_model_does_not_take_is_refused(with_accounts, refusal_of):
    """Whatever the model's own validation says, by field; a model with required fields is tried in `members`."""
    with_accounts(FIELDS={"username": "preferred_username"})
    assert refusal_of(sub="1") == "the claims make no user (username: This field cannot be blank.)"


def test_who_logs_in_with_an_e_mail_has_one_for_a_name(with_accounts, user_of, refusal_of, monkeypatch, bert):
    """It gets no ending where it is taken; with a model made for that in `members`."""
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "email")
    with_accounts(FIELDS={"username": "sub"})
    assert user_of(sub="anna", email="anna@example.com").email == "anna@example.com"
    assert refusal_of(sub="carl") == "no name for a new user: email has no text"
    assert "is no email" in refusal_of(sub="carl", email="carl")


def test_two_names_that_tell_nothing_are_never_the_same(issuer, user_of):
    """The default name is a hash of issuer and subject."""
    names = {user_of(sub=sub).username for sub in ("a", "b", "c")}
    assert [len(name) for name in names] == [32, 32, 32]


def test_each_issuer_may_have_accounts_of_its_own(rsa_issuer, settings, user_of, refusal_of):
    """An entry's ACCOUNTS stands for the others', as a whole."""
    entry = {"JWKS_SERVICE": rsa_issuer}
    settings.OAUTH_JWT = {
        "USER_RESOLVER": RESOLVER,
        "ACCOUNTS": {"CREATE": False},
        "ISSUERS": {"https://a.test": entry, "https://b.test": {**entry, "ACCOUNTS": {"USERNAME": "sub"}}},
    }
    assert "CREATE is off" in refusal_of(iss="https://a.test", sub="anna")
    assert user_of(iss="https://b.test", sub="anna").username == "anna"
    assert FederatedIdentity.objects.get().issuer == "https://b.test"
