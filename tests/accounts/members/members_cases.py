"""Accounts in the project of this folder; `test_other_projects` runs them in a process of its own."""

import uuid

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connections
from django.http import JsonResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path

from django_oauth_jwt.contrib.accounts.models import FederatedIdentity
from django_oauth_jwt.decorators import secure

pytestmark = pytest.mark.django_db(databases=["default", "people"])
ANNA = {"sub": "auth0|1", "email": "anna@EXAMPLE.com", "org": "Books"}


@secure()
def failing(request):
    raise LookupError(request.user.pk)


@secure()
async def company(request):
    return JsonResponse({"company": (await request.auser()).company})


@secure()
def atomic_company(request):
    return JsonResponse({"company": request.user.company})


urlpatterns = [path("failing/", failing), path("async/", company), path("sync/", atomic_company)]


@pytest.fixture
def accounts(with_accounts):
    """A project in which a claim says whose company it is."""
    return with_accounts(FIELDS={"company": "org"})


def test_a_member_is_made_with_the_e_mail_for_a_name(accounts, user_of):
    """And found again by the subject, with a key that is a UUID."""
    member = user_of(**ANNA)
    assert (member.email, member.company) == ("anna@example.com", "Books")
    assert isinstance(member.pk, uuid.UUID)
    assert user_of(sub="auth0|1") == member
    assert FederatedIdentity.objects.get().user_id == member.pk


def test_the_name_stays_where_fields_do_not_say_otherwise(accounts, with_accounts, user_of):
    """What one logs in with changes by the project's will alone."""
    user_of(**ANNA)
    changed = {**ANNA, "email": "new@example.com"}
    assert user_of(**changed).email == "anna@example.com"
    with_accounts()
    assert user_of(**{**changed, "jti": "2"}).email == "anna@example.com"
    with_accounts(FIELDS={"company": "org", "email": "email"})
    assert user_of(**changed).email == "new@example.com"


def test_an_e_mail_that_is_taken_finds_nobody(accounts, refusal_of):
    """Whoever owns the address at one issuer is not whoever owns the account here."""
    get_user_model().objects.create(email="anna@example.com", company="Books")
    assert "is another user's already" in refusal_of(**ANNA)


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email": None}, "no name for a new user: email has no text"),
        ({"email": "none"}, "the claim email is no email"),
        ({"email": ["a@example.com"]}, "no name for a new user: email has no text"),
        ({"org": None}, "the claims make no user (company: This field cannot be blank.)"),
        ({"org": 5}, "the claim org is a int"),
    ],
)
def test_what_a_member_needs_and_no_claim_gives_is_refused(accounts, refusal_of, claims, words):
    """With the field's name in the log."""
    assert words in refusal_of(**{**ANNA, **claims})


def test_another_claim_may_be_the_e_mail(with_accounts, user_of, refusal_of):
    """USERNAME is what one logs in with, whatever its field is called; it gets no ending, which would be no address."""
    with_accounts(USERNAME="upn", FIELDS={"company": "org"})
    assert user_of(**ANNA, upn="upn@example.com").email == "upn@example.com"
    assert "is another user's already" in refusal_of(**{**ANNA, "sub": "2"}, upn="upn@example.com")


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        ({"GROUPS": {"CLAIM": "groups"}}, "GROUPS is set, and members.Member has no groups."),
        ({"FIELDS": {"first_name": "given_name"}}, "FIELDS has 'first_name', and members.Member has no such field"),
    ],
)
def test_the_checks_say_what_a_member_does_not_have(with_accounts, refusal_of, accounts, words):
    """And so does the log where nobody ran them."""
    with_accounts(USERNAME="email", **accounts)
    (message,) = run_checks(tags=["oauth_jwt"])
    assert message.id == "oauth_jwt.E007"
    assert words in message.msg
    assert refusal_of(**ANNA, given_name="Anna")


def test_people_are_asked_for_in_their_own_database(accounts, user_of):
    """One query for a known one, none of it elsewhere."""
    user_of(**ANNA)
    captured = [CaptureQueriesContext(connections[alias]) for alias in ("default", "people")]
    with captured[0], captured[1]:
        assert user_of(**ANNA)._state.db == "people"
    assert [len(queries) for queries in captured] == [0, 1]


def test_migrations_stand_where_the_router_says():
    """And none is missing."""
    tables = {alias: set(connections[alias].introspection.table_names()) for alias in ("default", "people")}
    assert {alias: "oauth_accounts_federatedidentity" in names for alias, names in tables.items()} == {
        "default": False,
        "people": True,
    }
    call_command("makemigrations", "oauth_accounts", check=True, dry_run=True)


@pytest.mark.django_db(databases=["default", "people"], transaction=True)
class TestRequests:
    """Each request is one transaction (ATOMIC_REQUESTS)."""

    @pytest.fixture(autouse=True)
    def _urls(self, settings):
        settings.ROOT_URLCONF = __name__

    def test_a_first_request_that_fails_leaves_nothing_half_done(self, accounts):
        """Its user goes with it, and the next request makes them."""
        client = Client(raise_request_exception=False)
        assert client.get("/failing/", headers=accounts.headers(**ANNA)).status_code == 500
        assert get_user_model().objects.count() == FederatedIdentity.objects.count()
        assert client.get("/sync/", headers=accounts.headers(**ANNA)).json() == {"company": "Books"}

    def test_a_refusal_within_the_transaction_does_not_break_it(self, accounts):
        """A name that is taken ends a statement of the database, and not the request."""
        get_user_model().objects.create(email="anna@example.com", company="Books")
        assert Client().get("/sync/", headers=accounts.headers(**ANNA)).status_code == 403

    def test_async_views_have_users(self, send, settings, accounts):
        """Under WSGI and ASGI; Django itself has no transactions around them."""
        for alias in ("default", "people"):
            connections[alias].settings_dict["ATOMIC_REQUESTS"] = False
        try:
            for _ in range(2):
                assert send("get", "/async/", headers=accounts.headers(**ANNA)).json() == {"company": "Books"}
        finally:
            for alias in ("default", "people"):
                connections[alias].settings_dict["ATOMIC_REQUESTS"] = True


def test_the_command_knows_members_by_what_they_log_in_with(accounts, user_of, capsys):
    """The e-mail."""
    user_of(**ANNA)
    call_command("oauth_accounts", "list", "--user", "anna@example.com")
    assert "auth0|1" in capsys.readouterr().out
    get_user_model().objects.create(email="bert@example.com", company="Books")
    call_command("oauth_accounts", "link", "https://issuer.test", "auth0|1", "bert@example.com")
    assert user_of(**ANNA).email == "bert@example.com"
