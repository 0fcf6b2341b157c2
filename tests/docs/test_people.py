"""The pages on people: users, groups, permissions and rows, sessions and the admin, as their code has them."""

import pytest
from asgiref.sync import iscoroutinefunction
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.checks import run_checks
from django.http import HttpResponse, JsonResponse
from django.test import Client
from django.urls import path
from django.utils.decorators import sync_and_async_middleware
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from django_oauth_jwt.conf import AccountSettings, GroupSettings, get_settings
from django_oauth_jwt.contrib.accounts import resolve_user
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.users import TokenUser
from django_oauth_jwt.verification import verify_token

from .manual_text import PAGES, SNIPPETS, code, joined, table

AUDIENCE = "https://books.example.com"
SETTINGS = "docs/reference/settings.md"
RESOLVER = "django_oauth_jwt.contrib.accounts.resolve_user"


def test_the_tables_of_accounts_have_every_key_and_its_default():
    """What is left out is what the table says."""
    rows = {code(key): (code(default), meaning) for key, default, meaning in table(SETTINGS, "Keys of `ACCOUNTS`")}
    defaults = AccountSettings()
    assert {key.lower() for key in rows} == set(vars(defaults))
    shown = {key.lower(): eval(default) for key, (default, _) in rows.items()}
    assert shown == {**vars(defaults), "fields": {"email": "email"}}
    groups = code(rows["GROUPS"][1])
    members = {"NAMES" if key == "MAP" else key: value for key, value in eval(groups).items() if key != "CLAIM"}
    made = vars(GroupSettings(("x",)))
    assert {key.lower(): value or made[key.lower()] for key, value in members.items()} == {
        key: value for key, value in made.items() if key != "claim"
    }


def test_a_token_users_permissions(project, as_issuer):
    """By scope, and by those that a scope implies."""
    project.configure("settings", "token-permissions")
    with as_issuer.installed():
        user = TokenUser(verify_token(as_issuer.token("books.write", aud=AUDIENCE)))
        assert user.has_perm("books.add_book")
        assert not user.has_perm("books.view_book")


def test_permission_required_goes_by_the_token(project, as_issuer, call):
    """With the resolver that the page names."""
    project.configure("settings", "token-permissions")
    view = permission_required("books.add_book", raise_exception=True)(lambda request: HttpResponse())
    project.route(add=secure()(view))
    assert "a resolver that returns `TokenUser(access_token)`" in joined("docs/guides/users.md")
    with as_issuer.installed(USER_RESOLVER=lambda access_token, request: TokenUser(access_token)):
        assert call("/add/", "books.write").status_code == 200
        assert call("/add/", "books.read").status_code == 403


@pytest.mark.django_db
class TestAccounts:
    """Users in the database."""

    @pytest.fixture
    def who(self, project, as_issuer, call):
        """Ask a view who sent a token with these claims."""
        project.configure("settings", "accounts")
        assert "django_oauth_jwt.contrib.accounts" in project.defined("INSTALLED_APPS")
        answer = secure()(lambda request: JsonResponse({"pk": request.user.pk, "name": request.user.get_full_name()}))
        project.route(who=answer)

        def who(**claims):
            with as_issuer.installed():
                assert run_checks(tags=["oauth_jwt"]) == []
                return call("/who/", **claims)

        return who

    def test_the_settings_are_all_that_it_takes(self, who):
        """A user is made, and found, and follows the claims."""
        claims = {"sub": "auth0|5f7c", "email": "anna@example.com", "given_name": "Anna", "family_name": "Berg"}
        first = who(**claims).json()
        assert first["name"] == "Anna Berg"
        assert who(**{**claims, "given_name": "Anne"}).json() == {"pk": first["pk"], "name": "Anne Berg"}

    @pytest.mark.parametrize(
        ("claims", "is_found"),
        [
            ({"email": "ANNA@example.com", "email_verified": True}, True),
            ({"email": "anna@example.com", "email_verified": "true"}, False),
            ({"email": "anna@example.com"}, False),
            ({"email": "admin@example.com", "email_verified": True}, False),
            ({"email": "two@example.com", "email_verified": True}, False),
            ({"email": "a\0@example.com", "email_verified": True}, False),
            ({"email": 5, "email_verified": True}, False),
        ],
    )
    def test_link_finds_those_whom_the_issuer_vouches_for(self, project, as_issuer, settings, claims, is_found):
        """And no administrator, nobody by what is not verified, and nobody where two have the address."""
        project.configure("settings", "accounts")
        project.module("books.people", "link")
        users = get_user_model().objects
        anna = users.create_user("anna", "anna@example.com")
        users.create_superuser("admin", "admin@example.com")
        for name in ("b", "c"):
            users.create_user(name, "two@example.com")
        line = SNIPPETS["link"].strip().splitlines()[0]
        assert line == '# books/people.py; "LINK": "books.people.known_reader" in ACCOUNTS'
        settings.OAUTH_JWT["ACCOUNTS"]["LINK"] = "books.people.known_reader"
        with as_issuer.installed():
            token = verify_token(as_issuer.token(aud=AUDIENCE, **{"given_name": "Anna", **claims}))
            linked = get_settings().issuers[as_issuer.issuer].accounts.link(token)
        assert linked == (anna if is_found else None)

    @pytest.mark.parametrize(
        ("name", "claims"),
        [
            ("KEYCLOAK_ACCOUNTS", lambda roles: {"resource_access": {"books-api": {"roles": roles}}}),
            ("ENTRA_ACCOUNTS", lambda roles: {"roles": [f"Books.{_ENTRA.get(role, role)}" for role in roles]}),
        ],
    )
    def test_groups_from_roles(self, project, as_issuer, settings, name, claims):
        """Of Keycloak and of Entra: others mean nothing, and a role that is taken away takes its groups along."""
        project.configure("settings", "accounts", "groups")
        for group in ("Editors", "Readers", "Own"):
            Group.objects.create(name=group)
        with as_issuer.installed(ACCOUNTS=project.defined(name)):
            for roles, groups in (
                (["editor", "offline_access"], ["Editors", "Readers"]),
                (["reader"], ["Readers"]),
                ([], []),
            ):
                user = resolve_user(verify_token(as_issuer.token(aud=AUDIENCE, **claims(roles))), None)
                assert sorted(user.groups.values_list("name", flat=True)) == groups
            user.groups.add(Group.objects.get(name="Own"))
            user = resolve_user(verify_token(as_issuer.token(aud=AUDIENCE, **claims(["reader"]))), None)
            assert user.groups.count() == 2

    def test_who_came_from_names_keeps_them(self, as_issuer, settings):
        """The line in "Coming from": the user by the name of the subject, then the identity."""
        assert '`contrib.accounts` with `"USERNAME": "sub"`' in PAGES["docs/migration.md"]
        anna = get_user_model().objects.create_user("anna")
        accounts = {
            "USERNAME": "sub",
            "LINK": lambda access_token: get_user_model().objects.filter(username=access_token.subject).first(),
        }
        with as_issuer.installed(USER_RESOLVER=RESOLVER, ACCOUNTS=accounts):
            assert resolve_user(verify_token(as_issuer.token(sub="anna")), None) == anna
            assert resolve_user(verify_token(as_issuer.token(sub="bert")), None).username == "bert"


#: The roles of the other test, as Entra's are called.
_ENTRA = {"editor": "Edit", "reader": "Read"}


@pytest.fixture
def books(project, transactional_db):
    """The project with the model of books."""
    project.configure("settings", "drf-settings", "accounts")
    with project.model("books", "Book", "rows-models") as book:
        yield book


@pytest.fixture
def api(project, books, client, as_issuer):
    """Send a request to the view sets of both snippets, as a subject with these scopes."""
    views = project.module("books.views", "rows")
    more = project.module("books.more_views", "permissions")
    router = SimpleRouter()
    for name in ("MyBooks", "AllBooks", "Shelves"):
        viewset = vars(views).get(name) or vars(more)[name]
        router.register(name.lower(), viewset, basename=name)
    project.urls.urlpatterns += [*router.urls, path("catalogue/", more.Catalogue.as_view())]

    def api(method, name, scope="", sub="anna", **data):
        headers = None if scope is None else as_issuer.headers(scope, sub=sub, aud=AUDIENCE)
        return getattr(client, method)(f"/{name}/", data, headers=headers)

    return api


class TestRows:
    """Rows that belong to a subject, without users."""

    def test_each_sees_and_changes_their_own(self, api, as_issuer, books):
        """By issuer and subject; another subject's row is not there."""
        with as_issuer.installed(USER_RESOLVER=None):
            made = api("post", "mybooks", "books.write", title="Emma")
            assert made.status_code == 201
            assert [book["title"] for book in api("get", "mybooks", "books.read").json()] == ["Emma"]
            assert api("get", "mybooks", "books.read", sub="bert").json() == []
            url = f"mybooks/{made.json()['id']}"
            assert api("delete", url, "books.write", sub="bert").status_code == 404
            assert api("delete", url, "books.write").status_code == 204
        assert not get_user_model().objects.exists()

    def test_scopes_and_a_subject_are_needed(self, api, as_issuer):
        """Without `sub` a row would be everybody's who has none."""
        with as_issuer.installed(USER_RESOLVER=None):
            assert api("post", "mybooks", "books.read", title="Emma").status_code == 403
            assert api("get", "mybooks", "books.read", sub=None).status_code == 403
            assert api("get", "mybooks", None).status_code == 401


class TestPermissions:
    """What the user may, and what the client was allowed."""

    def test_both_must_agree(self, api, as_issuer, books):
        """The scope without the permission, and the permission without the scope, are not enough."""
        with as_issuer.installed(ACCOUNTS={"USERNAME": "sub"}):
            assert api("post", "allbooks", "books.write").status_code == 403
            kind = ContentType.objects.create(app_label="books", model="book")
            permission = Permission.objects.create(codename="add_book", content_type=kind)
            get_user_model().objects.get(username="anna").user_permissions.add(permission)
            assert api("post", "allbooks", "books.write").status_code == 201
            response = api("post", "allbooks", "books.read")
            assert (response.status_code, 'scope="books.write"' in response["WWW-Authenticate"]) == (403, True)

    @pytest.mark.parametrize(
        ("method", "name", "scope"),
        [("get", "shelves", "read"), ("post", "shelves", "write"), ("post", "shelves/archive", "admin")],
    )
    def test_a_scope_for_each_action(self, api, as_issuer, method, name, scope):
        """Each is let in by its own alone, and the challenge names it."""
        with as_issuer.installed(USER_RESOLVER=None):
            for given in ("read", "write", "admin"):
                response = api(method, name, f"books.{given}")
                assert (response.status_code < 300) == (given == scope)
                assert given == scope or f'scope="books.{scope}"' in response["WWW-Authenticate"]
            assert api("put", "shelves", "books.write").status_code == 405

    def test_everybody_reads_and_some_write(self, api, as_issuer):
        """Without a token; with a bad one nobody."""
        with as_issuer.installed(USER_RESOLVER=None):
            assert api("get", "catalogue", None).status_code == 200
            assert api("post", "catalogue", None).status_code == 401
            assert api("post", "catalogue", "books.read").status_code == 403
            assert api("post", "catalogue", "books.write").status_code == 201
        with as_issuer.installed(AUDIENCE="else"):
            assert api("get", "catalogue", "books.read").status_code == 403


class Titles(APIView):
    """A view with the project's permissions."""

    def get(self, request):
        return Response({"user": request.user.get_username(), "has_token": request.auth is not None})

    post = get


@pytest.fixture
def _sessions(settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    settings.MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"


@pytest.mark.django_db
@pytest.mark.usefixtures("_sessions")
def test_people_log_in_and_machines_bring_tokens(project, as_issuer, settings):
    """One API for both; whose session or token will not do is refused, and a session needs its CSRF token."""
    project.module("books.permissions", "sessions")
    project.configure("settings", "sessions-settings")
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    project.route(titles=Titles.as_view())
    client, person = Client(enforce_csrf_checks=True), get_user_model().objects.create_user("anna")
    with as_issuer.installed():
        machine = as_issuer.headers("books.read", sub=None, client_id="job", aud=AUDIENCE)
        assert client.get("/titles/").status_code == 401
        assert client.get("/titles/", headers=machine).json() == {"user": "job", "has_token": True}
        assert client.get("/titles/", headers=as_issuer.headers("x", aud=AUDIENCE)).status_code == 403
        client.force_login(person)
        assert client.get("/titles/").json() == {"user": "anna", "has_token": False}
        assert client.post("/titles/").status_code == 403
        assert client.post("/titles/", headers=machine).status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("_sessions")
def test_the_admin_beside_it(project, as_issuer, settings):
    """The API needs a token, session or not; the rest has the login that it had."""
    project.configure("settings", "accounts", "admin-settings")

    def who(request):
        return HttpResponse(request.user.get_username())

    project.urls.urlpatterns += [path("api/who/", who), path("admin/", who)]
    client, admin = Client(), get_user_model().objects.create_superuser("admin")
    with as_issuer.installed(ACCOUNTS={"USERNAME": "sub"}):
        headers = as_issuer.headers(sub="anna", aud=AUDIENCE)
        client.force_login(admin)
        assert client.get("/admin/").content == b"admin"
        assert client.get("/admin/", headers=headers).content == b"admin"
        assert client.get("/api/who/").status_code == 401
        assert client.get("/api/who/", headers=headers).content == b"anna"


audited = []


@sync_and_async_middleware
def audit(get_response):
    """A project's own, below all others: whose request is it?"""

    def middleware(request):
        audited.append(request.user.get_username())
        return get_response(request)

    async def async_middleware(request):
        audited.append((await request.auser()).get_username())
        return await get_response(request)

    return async_middleware if iscoroutinefunction(get_response) else middleware


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_sessions")
def test_middleware_below_the_printed_list_sees_the_resolvers_user(project, as_issuer, settings, send):
    """Not the session's, as the page on users says."""
    assert "stand above ours, [as printed here](sessions.md)" in joined("docs/guides/users.md")
    project.configure("settings", "accounts", "admin-settings")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.audit"]
    project.urls.urlpatterns += [path("api/", lambda request: HttpResponse(request.user.get_username()))]
    audited.clear()
    with as_issuer.installed(ACCOUNTS={"USERNAME": "sub"}):
        answer = send("get", "/api/", headers=as_issuer.headers(sub="anna", aud=AUDIENCE))
    assert (answer.content, audited) == (b"anna", ["anna"])


def test_the_throttle_counts_tokens(project, as_issuer, call, monkeypatch):
    """With the settings' rate, here of two a minute."""
    project.configure("settings", "drf-settings", "throttling")
    rest_framework = project.defined("REST_FRAMEWORK")
    assert rest_framework["DEFAULT_THROTTLE_RATES"] == {"token": "100/min"}
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"token": "2/min"})
    (name,) = rest_framework["DEFAULT_THROTTLE_CLASSES"]
    throttle = getattr(__import__(name.rpartition(".")[0], fromlist=["x"]), name.rpartition(".")[2])
    project.route(titles=type("Throttled", (Titles,), {"throttle_classes": [throttle]}).as_view())
    with as_issuer.installed():
        assert [call("/titles/", sub=sub).status_code for sub in ("a", "a", "b", "a")] == [200, 200, 200, 429]
