"""Who a token's subject is here: the one that was made for it, and nobody else."""

from datetime import timedelta

import pytest
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import post_save
from django.http import JsonResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

from django_oauth_jwt.contrib import accounts
from django_oauth_jwt.contrib.accounts import resolve_user
from django_oauth_jwt.contrib.accounts.models import FederatedIdentity
from django_oauth_jwt.contrib.accounts.signals import identity_created, identity_linked
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.users import TokenUser
from django_oauth_jwt.verification import verify_token

from .conftest import RESOLVER

pytestmark = pytest.mark.django_db
MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"
SUBJECTS = [
    "auth0|5f7c",
    "https://op.example.com/people/1?x=y#z",
    "x" * 255,
    "ä 日本",
    "a b",
    "'; DROP TABLE",
    "\u202e",
]


def url_of(entrance, settings):
    """Return the URL of a view of this entrance."""
    settings.MIDDLEWARE = [MIDDLEWARE] if entrance == "plain" else []
    return f"/{entrance}/"


requests = []


@sync_and_async_middleware
def keep(get_response):
    """Keep the request for code that is given none."""

    def middleware(request):
        requests.append(request)
        return get_response(request)

    return markcoroutinefunction(middleware) if iscoroutinefunction(get_response) else middleware


@pytest.mark.parametrize("entrance", ["who", "async", "drf", "plain"])
def test_the_second_request_finds_the_user_that_the_first_one_made(send, issuer, settings, entrance):
    """With an Auth0 subject, which is no user name, at every entrance, under WSGI and ASGI."""
    url = url_of(entrance, settings)
    headers = issuer.headers(sub="auth0|5f7c", email="anna@example.com")
    first, second = (send("get", url, headers=headers).json() for _ in range(2))
    assert first == second
    (user,) = get_user_model().objects.all()
    assert first == {"pk": user.pk, "name": user.username, "email": "anna@example.com"}
    assert [user.has_usable_password(), user.is_staff, user.is_superuser] == [False, False, False]


@pytest.mark.parametrize("entrance", ["who", "async", "drf", "plain"])
def test_a_history_of_the_database_may_ask_who_makes_the_new_user(send, issuer, settings, entrance):
    """A receiver reads `request.user` of a request that a middleware has kept: nobody was there before."""
    url, makers = url_of(entrance, settings), []
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.keep"]

    def history(sender, **kwargs):
        makers.append(str(requests[-1].user))

    post_save.connect(history, sender=get_user_model())
    try:
        response = send("get", url, headers=issuer.headers(sub="anna"))
    finally:
        post_save.disconnect(history, sender=get_user_model())
    assert response.json()["pk"] == FederatedIdentity.objects.get().user.pk
    assert makers == [str(AnonymousUser())]


@pytest.mark.parametrize("sub", SUBJECTS)
def test_any_subject_has_a_user(issuer, user_of, sub):
    """As long as OpenID Connect allows, in any script; the name tells nothing of it."""
    user = user_of(sub=sub)
    assert user == user_of(sub=sub)
    assert user.username.isalnum()
    assert FederatedIdentity.objects.get().subject == sub


def test_two_issuers_never_meet(rsa_issuer, settings):
    """Both call somebody alice, and a second issuer in the settings changes nobody's user."""
    first, second = "https://a.example.com", "https://b.example.com"

    def alice_of(iss):
        return resolve_user(verify_token(rsa_issuer.token(iss=iss, sub="alice")), None)

    settings.OAUTH_JWT = {"ISSUER": first, "JWKS_SERVICE": rsa_issuer, "USER_RESOLVER": RESOLVER}
    alice = alice_of(first)
    entries = {iss: {"JWKS_SERVICE": rsa_issuer} for iss in (first, second)}
    settings.OAUTH_JWT = {"ISSUERS": entries, "USER_RESOLVER": RESOLVER}
    assert alice_of(first) == alice
    assert alice_of(second) == alice_of(second) != alice


@pytest.mark.parametrize("claim", ["sub", "preferred_username", "email"])
def test_an_administrators_name_is_nobodys_claim(with_accounts, user_of, claim):
    """Neither as the subject, nor as the name that new users get, nor as an e-mail."""
    admin = get_user_model().objects.create_superuser("admin@example.com", "admin@example.com", "secret")
    with_accounts(USERNAME="preferred_username")
    user = user_of(**{"sub": "mallory", "preferred_username": "mallory", claim: "admin@example.com"})
    assert user != admin
    assert user.username != admin.username
    assert [user.is_staff, user.is_superuser] == [False, False]


def test_the_slower_of_two_first_requests_finds_what_the_faster_one_made(with_accounts, user_of):
    """Here the other one comes while this one is under way; with real threads in `two_at_once`."""
    others = []

    def link(access_token):
        if not others:
            others.append(None)
            others.append(user_of(sub="anna"))

    with_accounts(LINK=link)
    assert user_of(sub="anna") == others[1]
    assert get_user_model().objects.count() == FederatedIdentity.objects.count() == 1


@pytest.mark.parametrize("entrance", ["who", "drf", "plain"])
def test_an_inactive_users_remembered_token_is_refused_on_the_very_next_request(issuer, settings, caplog, entrance):
    """Whoever was switched off in the admin stays out, and no claim is written for them."""
    url = url_of(entrance, settings)
    headers = issuer.headers(sub="anna", email="a@example.com")
    assert Client().get(url, headers=headers).status_code == 200
    get_user_model().objects.update(is_active=False, email="old@example.com")
    FederatedIdentity.objects.update(claims_digest="")
    response = Client().get(url, headers=headers)
    assert response.status_code == 403
    assert "Token belongs to no user" in response["WWW-Authenticate"]
    assert "the user is not active" in caplog.text
    assert get_user_model().objects.get().email == "old@example.com"


@pytest.mark.parametrize("known", ["anna ", "ANNA"])
def test_a_subject_that_the_database_takes_for_another_is_refused(issuer, refusal_of, monkeypatch, user_of, known):
    """MySQL ignores case and blanks at the end, which would make one person's token another's."""
    user_of(sub=known)
    found = FederatedIdentity.objects.all()
    monkeypatch.setattr(type(found), "filter", lambda self, **kwargs: self.all())
    assert "takes the subject for another one" in refusal_of(sub="anna")


@pytest.mark.parametrize("claims", [{"sub": None}, {"sub": ""}, {"sub": "a\0b"}, {"sub": "x" * 256}])
def test_what_is_no_identity_is_refused_without_a_query(issuer, user_of, caplog, django_assert_num_queries, claims):
    """Cut to a length it would be somebody else."""
    with django_assert_num_queries(0), pytest.raises(InvalidToken, match="belongs to no user"):
        user_of(**claims)
    assert "sub is absent or empty, has a NUL in it, or more than 255 characters" in caplog.text
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_an_issuer_that_is_too_long_or_absent_is_refused(rsa_issuer, settings, refusal_of):
    """Where the settings name none, any may come."""
    for iss in (None, "https://" + "x" * 255):
        settings.OAUTH_JWT = {"JWKS_SERVICE": _AnyIssuer(rsa_issuer), "USER_RESOLVER": RESOLVER}
        assert refusal_of(iss=iss).startswith("iss is absent")


class _AnyIssuer:
    """Keys that do not say whose they are."""

    def __init__(self, issuer):
        self.current, self.key_set_for, self.akey_set_for = issuer.current, issuer.key_set_for, issuer.akey_set_for


class TestKeysOfAView:
    """Tokens that a view's own key service has verified."""

    PARTNER = "https://partner.example.net"

    @pytest.fixture
    def status_of(self, rsa_issuer, settings, issuer):
        """Send a token to a view with these keys."""

        def status_of(service, **claims):
            view = secure(jwks_service=service)(lambda request: JsonResponse({"pk": request.user.pk}))
            settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [path("", view)]})
            return Client().get("/", headers=rsa_issuer.headers(**claims)).status_code

        return status_of

    def test_those_with_an_issuer_have_users_of_that_issuer(self, rsa_issuer, status_of, user_of):
        """Listed or not; the subject of the same name is another person."""
        own = user_of(sub="anna")
        service = TokenIssuer(self.PARTNER, key=rsa_issuer.keys[0])
        assert status_of(service, iss=self.PARTNER, sub="anna") == 200
        identity = FederatedIdentity.objects.get(issuer=self.PARTNER)
        assert identity.user != own

    def test_those_without_an_issuer_have_none(self, rsa_issuer, status_of, caplog):
        """Whoever can sign with such keys could put anybody's iss and sub into a token."""
        assert status_of(_AnyIssuer(rsa_issuer), sub="anna") == 403
        assert "a key service without an issuer" in caplog.text
        assert not FederatedIdentity.objects.exists()


class TestCosts:
    """What a request of a known person costs."""

    def test_a_remembered_token_costs_one_query_and_no_write(self, issuer, client, django_assert_num_queries):
        """Groups and fields included, for as long as the claims stay the same."""
        headers = issuer.headers(sub="anna", email="a@example.com")
        client.get("/who/", headers=headers)
        for _ in range(2):
            with django_assert_num_queries(1):
                client.get("/who/", headers=headers)
        with django_assert_num_queries(1):  # another token that says nothing new
            client.get("/who/", headers=issuer.headers(sub="anna", email="a@example.com", jti="2"))

    def test_groups_cost_nothing_while_they_stay_the_same(self, with_accounts, user_of, django_assert_num_queries):
        """They are not looked at."""
        with_accounts(GROUPS={"CLAIM": "groups", "CREATE": True})
        user_of(sub="anna", groups=["a", "b"])
        with django_assert_num_queries(1):
            user_of(sub="anna", groups=["a", "b"])

    def test_a_token_user_costs_none(self, trust, client, django_assert_num_queries):
        """Without a resolver there is no database."""
        issuer = trust()
        with django_assert_num_queries(0):
            assert TokenUser(verify_token(issuer.token(sub="anna"))).has_perm("a.b") is False

    def test_last_seen_is_written_once_a_day(self, issuer, user_of):
        """A write for each request would cost more than all else."""
        user_of(sub="anna")
        for age, writes in ((timedelta(hours=23), 0), (timedelta(hours=25), 1)):
            FederatedIdentity.objects.update(last_seen=timezone.now() - age)
            with CaptureQueriesContext(connection) as queries:
                user_of(sub="anna")
            assert sum(query["sql"].startswith("UPDATE") for query in queries) == writes
        assert timezone.now() - FederatedIdentity.objects.get().last_seen < timedelta(minutes=1)


def test_a_user_deleted_in_between_is_refused(with_accounts, user_of, monkeypatch, refusal_of):
    """Between the query for the identity and the update."""
    with_accounts()
    user_of(sub="anna", email="a@example.com")
    monkeypatch.setattr("django_oauth_jwt.contrib.accounts.resolver._find", _find_and_delete)
    with pytest.raises(InvalidToken) as caught:
        user_of(sub="anna", email="b@example.com")
    assert caught.value.detail == "the identity was deleted, or moved to another user, in between"


def _find_and_delete(identities, issuer, subject):
    found = identities.select_related("user").get(issuer=issuer, subject=subject)
    get_user_model().objects.all().delete()
    return found


class TestSignals:
    """Who is told of new identities."""

    @pytest.fixture
    def sent(self):
        """What was sent, by the signal's name."""
        sent = []

        def on_created(**kwargs):
            sent.append(("created", kwargs))
            raise RuntimeError  # a receiver's mistake refuses nobody

        def on_linked(**kwargs):
            sent.append(("linked", kwargs))

        identity_created.connect(on_created)
        identity_linked.connect(on_linked)
        yield sent
        identity_created.disconnect(on_created)
        identity_linked.disconnect(on_linked)

    def test_a_new_user_is_told_of_once(self, issuer, user_of, sent):
        """With the token, so that a project can keep what else it says."""
        user = user_of(sub="anna")
        user_of(sub="anna")
        ((name, kwargs),) = sent
        assert (name, kwargs["user"], kwargs["sender"]) == ("created", user, FederatedIdentity)
        assert kwargs["identity"] == FederatedIdentity.objects.get()
        assert kwargs["access_token"].subject == "anna"

    def test_a_linked_user_is_told_of_by_another(self, with_accounts, user_of, sent):
        """The user was there before."""
        bert = get_user_model().objects.create_user("bert")
        with_accounts(LINK=lambda access_token: bert)
        assert user_of(sub="b") == bert
        ((name, kwargs),) = sent
        assert (name, kwargs["user"], kwargs["access_token"].subject) == ("linked", bert, "b")


def test_migrations_are_complete(capsys):
    """No change of the models is left without one."""
    call_command("makemigrations", check=True, dry_run=True)
    assert capsys.readouterr().out == "No changes detected\n"


def test_an_identity_says_whose_it_is(issuer, user_of):
    """For the admin and for logs."""
    user_of(sub="anna")
    assert str(FederatedIdentity.objects.get()) == "anna of https://issuer.test"


def test_the_app_has_one_name_to_import():
    """Loaded at its first use, since Django imports the package before there are models."""
    assert accounts.resolve_user is resolve_user
    with pytest.raises(AttributeError, match="no attribute 'resolve'"):
        accounts.resolve  # noqa: B018  # it is asked for on purpose
