"""What people may try who choose their own names and claims, and what a busy database does."""

from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.db import DataError, connection, models
from django.test.utils import CaptureQueriesContext

from django_oauth_jwt.conf import get_settings
from django_oauth_jwt.contrib.accounts import resolver
from django_oauth_jwt.contrib.accounts.fields import settable_field
from django_oauth_jwt.contrib.accounts.models import FederatedIdentity

pytestmark = pytest.mark.django_db


@pytest.fixture
def saved(monkeypatch):
    """How users are saved from now on."""
    options, save = [], User.save

    def record(self, **given):
        options.append(given)
        save(self, **given)

    monkeypatch.setattr(User, "save", record)
    return options


def test_a_new_user_is_never_saved_over_another_one(issuer, user_of, saved):
    """Where the name is the primary key, a plain save would change the user who has it."""
    user_of(sub="mallory")
    assert [options["force_insert"] for options in saved] == [True]


@pytest.mark.parametrize("accounts", [{}, {"USERNAME": "name"}], ids=str)
def test_who_comes_back_after_a_prune_is_let_in(with_accounts, user_of, accounts):
    """As a new user: the one that stayed has the name, and is found by nobody's claims."""
    with_accounts(**accounts)
    users = []
    for _ in range(4):
        users.append(user_of(sub="anna", name="anna"))
        FederatedIdentity.objects.all().delete()
    assert len({user.pk for user in users}) == 4


def test_a_name_that_others_have_taken_in_advance_keeps_nobody_out(with_accounts, user_of):
    """The name with its ending can be computed by anybody; the last one cannot."""
    with_accounts(USERNAME="name")
    foreseen = user_of(sub="x", name="anna"), user_of(sub="victim", name="anna")
    FederatedIdentity.objects.filter(subject="victim").delete()
    assert user_of(sub="victim", name="anna") not in foreseen


@pytest.mark.parametrize("joined", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_beyond_the_calendar_is_refused(with_accounts, refusal_of, joined):
    """The field takes it, and the database does not."""
    with_accounts(FIELDS={"date_joined": "joined"})
    assert "cannot be stored: OverflowError" in refusal_of(sub="a", joined=joined)


def test_what_the_database_refuses_is_a_refusal(issuer, refusal_of, monkeypatch):
    """A number beyond the column, say."""

    def fail(self, **options):
        raise DataError

    monkeypatch.setattr(User, "save", fail)
    assert "cannot be stored: DataError" in refusal_of(sub="a")


@pytest.mark.parametrize("field", [models.FileField(), models.ImageField, models.BinaryField()], ids=str)
def test_a_claim_sets_no_file(field):
    """Its text would be a path on this machine."""
    field = field() if isinstance(field, type) else field
    model = SimpleNamespace(_meta=SimpleNamespace(get_field=lambda name: field))
    assert settable_field(model, "portrait") is None


def test_a_login_name_is_normalized_when_it_changes_too(with_accounts, user_of, refusal_of):
    """Else a full-width "admin" would stand beside the real one."""
    with_accounts(FIELDS={"username": "name"})
    user_of(sub="mallory", name="mallory")
    assert user_of(sub="mallory", name="\uff42\uff4f\uff42").username == "bob"
    get_user_model().objects.create_superuser("admin")
    assert "another user's" in refusal_of(sub="mallory", name="\uff41\uff44\uff4d\uff49\uff4e")


@pytest.mark.parametrize("name", ["", " ", "\n"])
def test_a_blank_is_no_group(with_accounts, refusal_of, name):
    """With a prefix it would make one that nobody has meant."""
    with_accounts(GROUPS={"CLAIM": "groups", "PREFIX": "kc-", "CREATE": True})
    assert "no array of strings with something in them" in refusal_of(sub="a", groups=[name])
    assert not Group.objects.exists()


def test_groups_in_a_set_are_the_same_in_each_process(with_accounts):
    """Whose order differs from process to process; a user would be written at each change of worker."""
    issuer = with_accounts(GROUPS={"CLAIM": "groups", "MAP": {"e": {"c", "a", "b"}}})
    assert get_settings().issuers[issuer.issuer].accounts.groups.names == {"e": ("a", "b", "c")}


def test_an_update_begins_with_a_write(issuer, user_of):
    """SQLite gives two that have both read, and then write, an error: the second has to wait before it reads."""
    user_of(sub="a", email="a@example.com")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        user_of(sub="a", email="b@example.com")
    statements = [query["sql"].split()[0] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert statements[:2] == ["SELECT", "UPDATE"]


def test_an_identity_that_is_moved_in_between_changes_nobody(issuer, user_of, refusal_of, monkeypatch):
    """The token is refused once: whose claims they are was not known any more."""
    before = user_of(sub="a", email="a@example.com")
    other = get_user_model().objects.create_user("other", "other@example.com")
    digest = resolver._digest

    def move(*args):
        FederatedIdentity.objects.update(user=other)
        return digest(*args)

    monkeypatch.setattr(resolver, "_digest", move)
    assert "in between" in refusal_of(sub="a", email="b@example.com")
    assert [get_user_model().objects.get(pk=user.pk).email for user in (before, other)] == [
        "a@example.com",
        "other@example.com",
    ]
