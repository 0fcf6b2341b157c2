"""The manual's snippets do what it says of them, each in a project that holds no more than that."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from django.views import View

from django_oauth_jwt.conf import get_settings
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.jwks import JwksService, get_jwks_service
from django_oauth_jwt.permissions import HasScope
from django_oauth_jwt.testing import TokenIssuer

from ..channels.clients import PatientClient
from .manual_text import run_snippet


def test_the_least_settings_discover_the_keys(project):
    """ISSUER and AUDIENCE are enough: the key service asks the issuer's metadata."""
    project.configure("settings")
    (trusted,) = get_settings().issuers.values()
    assert (trusted.issuer, trusted.jwks_uri) == ("https://as.example.com", None)
    assert trusted.audience == {"https://books.example.com"}
    assert isinstance(get_jwks_service(), JwksService)


@pytest.fixture
def views_behind_middleware(project, as_issuer):
    """The project of the tutorial up to the middleware."""
    project.configure("settings", "middleware")
    views = project.module("books.views", "views")
    project.route(whoami=views.whoami, health=views.health, admin=lambda request: HttpResponse("admin"))
    with as_issuer.installed():
        yield


@pytest.mark.usefixtures("views_behind_middleware")
class TestMiddleware:
    def test_a_view_sees_the_claims_and_the_scopes(self, call):
        """`request.claims` and `request.access_token` are there."""
        assert call("/whoami/", "books.read x").json() == {"sub": "user-1", "scopes": ["books.read", "x"]}

    @pytest.mark.parametrize(("scope", "status"), [(None, 401), ("x", 403)])
    def test_a_request_without_token_or_scope_is_refused(self, call, scope, status):
        """Every view needs the token and the setting's SCOPE."""
        assert call("/whoami/", scope).status_code == status

    def test_a_token_for_another_api_is_refused(self, call):
        """The settings' AUDIENCE counts."""
        assert call("/whoami/", "books.read", aud="https://other.example.com").status_code == 403

    @pytest.mark.parametrize("path", ["/health/", "/admin/"])
    def test_exempt_views_and_paths_need_no_token(self, call, path):
        """`token_not_required` and EXEMPT_PATHS let everybody in."""
        assert call(path, None).status_code == 200


def test_the_decorator(project, as_issuer, call):
    """Scopes and claims in all the forms that the snippet shows, on a sync and an async view."""
    project.configure("settings")
    views = project.module("books.views", "decorator")
    project.route(profile=views.profile, shelf=views.Shelf.as_view(), add=views.add, publish=views.publish)
    with as_issuer.installed():
        assert call("/profile/", None).status_code == 401
        assert call("/profile/").content == b"user-1"
        assert [call("/shelf/", scope).status_code for scope in (None, "x", "books.read")] == [401, 403, 200]
        assert call("/add/", None)["WWW-Authenticate"] == 'Bearer realm="books", scope="books.read books.write"'
        assert call("/add/", "books.read").status_code == 403
        assert call("/add/", "books.read books.write").status_code == 201
        good = {"email": "a@example.com", "role": "editor", "realm_access": {"roles": ["x", "staff"]}}
        assert call("/publish/", **good).content == b"a@example.com"
        for changed in ({"email": None}, {"role": "reader"}, {"realm_access": {"roles": ["x"]}}):
            assert call("/publish/", **good | changed).status_code == 403


def test_own_refusals(project, as_issuer, call):
    """Each with its status and its words; what is for the project is in neither body nor header."""
    project.configure("settings")
    project.route(shelf=project.module("books.views", "own-refusals").shelf)
    with as_issuer.installed():
        assert call("/shelf/", tenant="a").content == b"a"
        refused, unpaid = call("/shelf/"), call("/shelf/", tenant="late")
    assert (refused.status_code, refused.json()["error_description"]) == (403, "Token is for another tenant")
    assert "no tenant" not in refused.content.decode() + str(refused.headers)
    assert (unpaid.status_code, unpaid.json()["error"]) == (402, "payment_required")


@pytest.mark.usefixtures("views_behind_middleware")
def test_a_class_may_need_no_token(project, call):
    """`token_not_required` stands on a class as `secure` does."""
    project.route(open=method_decorator(token_not_required, name="dispatch")(type("Open", (View,), {})).as_view())
    assert call("/open/", None).status_code == 405


def test_a_mapping_of_methods(project, as_issuer, call):
    """A method that is not in it is refused, OPTIONS too; HEAD is GET, and "*" stands for all others."""
    project.configure("settings", "drf-settings")
    books = project.module("books.views", "drf-views").Books
    rest = type("Rest", (books,), {"permission_classes": [HasScope({"GET": "books.read", "*": "rest"})]})
    project.route(books=books.as_view(), rest=rest.as_view())
    with as_issuer.installed():
        assert call("/books/", "books.read", "head").status_code == 200
        assert call("/books/", "books.read books.write", "options").status_code == 403
        assert call("/rest/", "rest", "options").status_code == 200
        assert call("/rest/", "rest").status_code == 403


def test_rest_framework(project, as_issuer, call):
    """Scopes by method, a bare HasScope, composition, `request.auth`."""
    project.configure("settings", "drf-settings")
    views = project.module("books.views", "drf-views")
    project.route(books=views.Books.as_view(), report=views.Report.as_view())
    with as_issuer.installed():
        assert call("/books/", None).status_code == 401
        assert call("/books/", "books.read").json() == {"sub": "user-1"}
        assert 'scope="books.read books.write"' in call("/books/", "books.read", "post")["WWW-Authenticate"]
        assert call("/report/", "reports").status_code == 403
        assert call("/report/", "reports", role="editor").json() == {"client": "client-1"}


def test_several_issuers(project, client):
    """Each issuer's tokens are checked with its own keys and audience; an unlisted issuer's are refused."""
    namespace = run_snippet("issuers", {})
    issuers = {
        name: TokenIssuer(name, alg="ES256")
        for name in ("https://as.example.com", "https://partner.example.net", "https://else.example.org")
    }
    for name, entry in namespace["OAUTH_JWT"]["ISSUERS"].items():
        entry["JWKS_SERVICE"] = issuers[name]  # instead of the network
    project._settings.OAUTH_JWT = namespace["OAUTH_JWT"]
    project.route(view=secure()(lambda request: HttpResponse()))

    def status(name, aud):
        return client.get("/view/", headers=issuers[f"https://{name}"].headers(aud=aud)).status_code

    assert status("as.example.com", "https://books.example.com") == 200
    assert status("as.example.com", "books") == 403
    assert status("partner.example.net", "books") == 200
    assert status("partner.example.net", "https://books.example.com") == 403
    assert status("else.example.org", "books") == 403


@pytest.mark.django_db
def test_a_user_resolver(project, as_issuer, call):
    """The resolver's user is the request's; None refuses the token."""
    project.configure("settings")
    project.module("books.users", "user-resolver")
    seen = []
    project.route(view=secure()(lambda request: seen.append(request.user) or HttpResponse()))
    anna = User.objects.create_user("anna")
    User.objects.create_user("ben", is_active=False)
    with as_issuer.installed(USER_RESOLVER="books.users.member"):
        assert call("/view/", sub="anna").status_code == 200
        assert seen == [anna]
        for sub in ("ben", "carl"):
            assert call("/view/", sub=sub).json()["error_description"] == InvalidToken("unknown_user").description


def test_without_a_request(project, as_issuer):
    """A task checks a token; a websocket takes it as its first message and closes on a bad one."""
    project.configure("settings")
    code = project.module("books.tasks", "verify")
    with as_issuer.installed():
        assert code.import_books(as_issuer.token("books.write"), ["1"]) == ["user-1 imports 1"]
        with pytest.raises(PermissionError):
            code.import_books(as_issuer.token("books.read"), ["1"])
        with pytest.raises(InvalidToken):
            code.import_books(as_issuer.token(expired=True), ["1"])
        assert _talk(code.feed, as_issuer.token()) == {"type": "websocket.send", "text": "hello user-1"}
        assert _talk(code.feed, "rubbish") == {"type": "websocket.close", "code": 3000, "reason": "malformed"}


def _talk(app, text):
    @async_to_sync
    async def talk():
        socket = PatientClient(app, {"type": "websocket"})
        await socket.send_input({"type": "websocket.connect"})
        assert await socket.receive_output() == {"type": "websocket.accept"}
        await socket.send_input({"type": "websocket.receive", "text": text})
        answer = await socket.receive_output()
        await socket.wait()
        return answer

    return talk()
