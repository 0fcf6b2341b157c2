"""Identities in Django's admin: searched, moved to another user, deleted, and not edited otherwise."""

from importlib import import_module

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from django_oauth_jwt.contrib.accounts.models import FederatedIdentity

from ..fixtures.browsers import chromium
from ..fixtures.projects import table_of
from .conftest import RESOLVER

ISSUER = "https://issuer.test"
URL = "/admin/oauth_accounts/federatedidentity/"
PASSWORD = "secret"


@pytest.fixture
def admin_site(settings, transactional_db):
    """A project with the admin in it; sessions and messages are kept in cookies, the log in a table of its own."""
    settings.INSTALLED_APPS = [
        *settings.INSTALLED_APPS,
        *("django.contrib.admin", "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles"),
    ]
    contrib = "django.contrib"
    settings.MIDDLEWARE = [
        f"{contrib}.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        f"{contrib}.auth.middleware.AuthenticationMiddleware",
        f"{contrib}.messages.middleware.MessageMiddleware",
    ]
    settings.SESSION_ENGINE = f"{contrib}.sessions.backends.signed_cookies"
    settings.MESSAGE_STORAGE = f"{contrib}.messages.storage.cookie.CookieStorage"
    settings.STATIC_URL = "/static/"
    processors = ["django.template.context_processors.request", f"{contrib}.auth.context_processors.auth"]
    processors += [f"{contrib}.messages.context_processors.messages"]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {"context_processors": processors}}]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with table_of(import_module("django.contrib.admin.models").LogEntry):
        site = import_module("django.contrib.admin").site
        for name in ("django.contrib.auth.admin", "django_oauth_jwt.contrib.accounts.admin"):
            import_module(name)
        urls = [path("admin/", site.urls), path("api/", include("tests.accounts.urls"))]
        settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": urls})
        yield site


@pytest.fixture
def people():
    """An administrator, and two users with three identities."""
    users = {name: get_user_model().objects.create_user(name, password=PASSWORD) for name in ("anna", "bert")}
    users["admin"] = get_user_model().objects.create_superuser("admin", password=PASSWORD)
    for issuer, subject, name in ((ISSUER, "auth0|1", "anna"), (ISSUER, "auth0|2", "bert"), ("https://b", "3", "bert")):
        FederatedIdentity.objects.create(issuer=issuer, subject=subject, user=users[name], claims_digest="x")
    return users


@pytest.fixture
def browse(admin_site, people):
    """A client in which the administrator is logged in."""
    client = Client()
    client.force_login(people["admin"])
    return client


@pytest.mark.parametrize(
    ("searched", "subjects"),
    [("auth0|1", {"auth0|1"}), ("issuer.test", {"auth0|1", "auth0|2"}), ("bert", {"auth0|2", "3"}), ("x", set())],
)
def test_identities_are_found_by_issuer_subject_and_user(browse, searched, subjects):
    """Whichever of them a support ticket names."""
    page = browse.get(URL, {"q": searched})
    assert {identity.subject for identity in page.context["cl"].result_list} == subjects


def test_the_list_costs_as_many_queries_whatever_its_length(browse, people, django_assert_num_queries):
    """Users are read together with their identities."""
    with CaptureQueriesContext(connection) as few:
        browse.get(URL)
    for number in range(20):
        user = get_user_model().objects.create_user(f"u{number}")
        FederatedIdentity.objects.create(issuer=ISSUER, subject=str(number), user=user)
    with django_assert_num_queries(len(few)):
        browse.get(URL)


def test_an_identity_moves_to_another_user_and_is_not_changed_otherwise(browse, people, rsa_issuer, trust):
    """Whatever is posted; the next token brings the new user up to date."""
    identity = FederatedIdentity.objects.get(subject="auth0|1")
    posted = {"user": people["bert"].pk, "issuer": "https://evil", "subject": "admin", "claims_digest": "y"}
    page = browse.get(f"{URL}{identity.pk}/change/")
    assert [*page.context["adminform"].form.fields] == ["user"]
    assert browse.post(f"{URL}{identity.pk}/change/", posted).status_code == 302
    identity.refresh_from_db()
    assert (identity.issuer, identity.subject, identity.user) == (ISSUER, "auth0|1", people["bert"])
    assert identity.claims_digest == ""
    issuer = trust(USER_RESOLVER=RESOLVER)
    headers = issuer.headers(sub="auth0|1", email="new@example.com")
    answer = Client().get("/api/who/", headers=headers).json()
    assert answer == {"pk": people["bert"].pk, "name": "bert", "email": "new@example.com"}


def test_an_identity_that_is_saved_as_it_was_is_as_it_was(browse, people):
    """Its user needs no update."""
    identity = FederatedIdentity.objects.get(subject="auth0|1")
    browse.post(f"{URL}{identity.pk}/change/", {"user": people["anna"].pk})
    assert FederatedIdentity.objects.get(subject="auth0|1").claims_digest == "x"


def test_nobody_adds_an_identity_by_hand(browse):
    """It comes from a token, or from the command, which says so where the issuer is not listed."""
    assert browse.get(f"{URL}add/").status_code == 403
    assert "Add federated identity" not in browse.get(URL).content.decode()


def test_an_identity_is_deleted_without_its_user(browse, people):
    """Who comes again is new then."""
    identity = FederatedIdentity.objects.get(subject="auth0|1")
    assert browse.post(f"{URL}{identity.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not FederatedIdentity.objects.filter(subject="auth0|1").exists()
    assert get_user_model().objects.filter(username="anna").exists()


def test_only_a_superuser_moves_an_identity(admin_site, people):
    """It is worth the user that it leads to: a clerk could become an administrator with it."""
    clerk = get_user_model().objects.create_user("clerk", is_staff=True)
    for codename in ("view_federatedidentity", "change_federatedidentity"):
        clerk.user_permissions.add(Permission.objects.get(codename=codename))
    client = Client()
    client.force_login(clerk)
    identity = FederatedIdentity.objects.get(subject="auth0|1")
    client.post(f"{URL}{identity.pk}/change/", {"user": people["admin"].pk})
    identity.refresh_from_db()
    assert identity.user == people["anna"]


def test_who_may_look_and_no_more_cannot_move_anybody(admin_site, people):
    """The admin's own permissions hold."""
    clerk = get_user_model().objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_federatedidentity"))
    client = Client()
    client.force_login(clerk)
    identity = FederatedIdentity.objects.get(subject="auth0|1")
    assert client.get(f"{URL}{identity.pk}/change/").status_code == 200
    assert client.post(f"{URL}{identity.pk}/change/", {"user": clerk.pk}).status_code == 403


@pytest.fixture
def live(admin_site):
    """The same project over HTTP, with the admin's style sheets."""
    server = LiveServer("127.0.0.1")
    yield server
    server.stop()


@pytest.fixture
def own_browser(live, tmp_path):
    """Headless Chromium, which ends before the server does: what it still asks for would find no database."""
    with chromium(tmp_path / "chromium") as browser:
        yield browser


@pytest.mark.browser
def test_an_administrator_finds_an_identity_and_moves_it(live, people, own_browser, tmp_path):
    """As people do it: log in, search, open, choose the other user by its key, save."""
    browser = own_browser
    browser.get(f"{live.url}{URL}")
    for name, text in (("username", "admin"), ("password", PASSWORD)):
        browser.find_element(By.NAME, name).send_keys(text)
    browser.find_element(By.CSS_SELECTOR, "[type=submit]").click()
    browser.find_element(By.NAME, "q").send_keys("auth0|1", Keys.ENTER)
    WebDriverWait(browser, 30).until(lambda page: "q=" in page.current_url)
    browser.save_screenshot(str(tmp_path / "list.png"))
    (row,) = browser.find_elements(By.CSS_SELECTOR, "#result_list tbody tr")
    assert row.text.split()[:3] == ["auth0|1", ISSUER, "anna"]
    row.find_element(By.TAG_NAME, "a").click()
    user = WebDriverWait(browser, 30).until(lambda page: page.find_element(By.NAME, "user"))
    fields = browser.find_elements(By.CSS_SELECTOR, "#content form input:not([type=hidden]):not([type=submit])")
    assert [field.get_attribute("name") for field in fields] == ["user"]
    user.clear()
    user.send_keys(str(people["bert"].pk))
    browser.save_screenshot(str(tmp_path / "change.png"))
    browser.find_element(By.NAME, "_save").click()
    message = WebDriverWait(browser, 30).until(lambda page: page.find_element(By.CSS_SELECTOR, ".messagelist .success"))
    assert "was changed successfully" in message.text
    assert FederatedIdentity.objects.get(subject="auth0|1").user == people["bert"]
