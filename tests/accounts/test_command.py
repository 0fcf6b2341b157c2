"""`manage.py oauth_accounts`: identities listed, linked and pruned."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from django_oauth_jwt.contrib.accounts.models import FederatedIdentity

pytestmark = pytest.mark.django_db
ISSUER = "https://issuer.test"


@pytest.fixture
def run():
    """Run the command; return its lines, and those of the error output."""

    def run(*arguments):
        out, err = StringIO(), StringIO()
        call_command("oauth_accounts", *arguments, stdout=out, stderr=err)
        return out.getvalue().splitlines(), err.getvalue().splitlines()

    return run


@pytest.fixture
def _people(issuer):
    """Two users, one of them with two identities."""
    seen = timezone.now() - timedelta(days=100)
    for subject, issuer_, name in (
        ("auth0|1", ISSUER, "anna"),
        ("2\x1b[2J", ISSUER, "bert"),
        ("3", "https://b", "bert"),
    ):
        user, _ = get_user_model().objects.get_or_create(username=name)
        FederatedIdentity.objects.create(issuer=issuer_, subject=subject, user=user, last_seen=seen, claims_digest="x")
        seen += timedelta(days=50)


@pytest.mark.usefixtures("_people")
class TestListing:
    """`list` says which subjects are which users."""

    def test_all(self, run):
        """In columns; what a terminal would obey is shown in its place."""
        (head, *rows), _ = run("list")
        assert head.split() == ["subject", "issuer", "user", "last", "seen"]
        assert [row.split()[:3] for row in rows] == [
            ["3", "https://b", "bert"],
            ["2\\x1b[2J", ISSUER, "bert"],
            ["auth0|1", ISSUER, "anna"],
        ]
        assert rows[0].endswith(f"{timezone.now():%Y-%m-%d}")

    @pytest.mark.parametrize(
        ("arguments", "count"),
        [(["--issuer", ISSUER], 2), (["--user", "bert"], 2), (["--issuer", "https://b", "--user", "anna"], 0)],
    )
    def test_some(self, run, arguments, count):
        """By issuer and by user."""
        lines, _ = run("list", *arguments)
        assert len(lines) == count + 1

    def test_a_user_who_is_not_there(self, run):
        """A typing error is no empty list."""
        with pytest.raises(CommandError, match="There is no user 'nobody'"):
            run("list", "--user", "nobody")


@pytest.mark.usefixtures("_people")
class TestLinking:
    """`link` says whose user a subject is."""

    def test_a_subject_that_was_never_seen(self, run, user_of):
        """Its first token finds the user, whom the claims bring up to date."""
        out, err = run("link", ISSUER, "auth0|9", "anna")
        assert (out, err) == ([f"auth0|9 of {ISSUER} is the user anna."], [])
        user = user_of(sub="auth0|9", email="new@example.com")
        assert (user.username, user.email) == ("anna", "new@example.com")

    def test_a_subject_that_moves(self, run, user_of):
        """With the next token the other user is brought up to date."""
        out, _ = run("link", ISSUER, "auth0|1", "bert")
        assert out == [f"auth0|1 of {ISSUER} is now the user bert."]
        assert FederatedIdentity.objects.get(subject="auth0|1").claims_digest == ""
        assert user_of(sub="auth0|1").username == "bert"

    def test_an_issuer_that_the_settings_do_not_list(self, run):
        """Most likely a final slash; a view's own keys may have it, so it is linked all the same."""
        _, err = run("link", f"{ISSUER}/", "1", "anna")
        assert err == [f"OAUTH_JWT does not list that issuer, but {ISSUER}."]

    def test_any_issuer_will_do_where_the_settings_name_none(self, run, trust):
        """There is nothing to compare it with."""
        trust(ISSUER=None)
        assert run("link", "https://c", "1", "anna")[1] == []

    @pytest.mark.parametrize("arguments", [("", "1"), (ISSUER, ""), (ISSUER, "x" * 256), ("x" * 256, "1")])
    def test_what_no_token_can_have(self, run, arguments):
        """It would be cut, or an error of the database."""
        with pytest.raises(CommandError, match="must have 1 to 255 characters"):
            run("link", *arguments, "anna")

    def test_a_user_who_is_not_there(self, run):
        """Nobody is made here."""
        with pytest.raises(CommandError, match="There is no user"):
            run("link", ISSUER, "1", "nobody")
        assert FederatedIdentity.objects.count() == 3


@pytest.mark.usefixtures("_people")
class TestPruning:
    """`prune` deletes identities that were not seen for long."""

    def test_those_that_are_old(self, run):
        """Their users stay."""
        lines, _ = run("prune", "--days", "99")
        assert [line.split()[0] for line in lines] == ["subject", "auth0|1", "Deleted:"]
        assert lines[-1] == "Deleted: 1."
        assert get_user_model().objects.count() == 2
        assert FederatedIdentity.objects.count() == 2

    def test_dry(self, run):
        """Listed, and there still."""
        lines, _ = run("prune", "--days", "49", "--dry-run")
        assert len(lines) == 4
        assert lines[-1] == "None is deleted (--dry-run)."
        assert FederatedIdentity.objects.count() == 3

    @pytest.mark.parametrize("days", ["0", "-1", "36501", "x"])
    def test_a_number_of_days_that_means_everything_or_nothing(self, run, days):
        """With -1 all identities would be old."""
        with pytest.raises(CommandError, match="--days"):
            run("prune", f"--days={days}")


@pytest.mark.usefixtures("_people")
def test_user_names_need_not_be_text(run, monkeypatch):
    """A name that is no value of the field is no user's."""
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "id")
    with pytest.raises(CommandError, match="There is no user 'anna'"):
        run("list", "--user", "anna")
