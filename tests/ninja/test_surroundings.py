"""What stands around an operation: the middleware, a cache, a transaction, and an API that was made before."""

import gc
import subprocess
import sys
import weakref

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group
from django.db import connection
from django.test import RequestFactory
from django.urls import resolve
from django.views.decorators.cache import cache_page
from ninja import Router
from ninja.decorators import decorate_view
from ninja.pagination import paginate
from ninja.testing import TestAsyncClient, TestClient

from django_oauth_jwt.contrib.ninja import BearerJwt
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.errors import InvalidToken

from .conftest import MIDDLEWARE


class TestTokenNotRequired:
    @pytest.fixture(autouse=True)
    def _middleware(self, issuer, settings):
        settings.MIDDLEWARE = [MIDDLEWARE]

    def test_one_operation_of_a_path(self, serve, new_api, send):
        """The others of that path, and other methods, stay secured."""
        api = new_api()

        @api.get("/books")
        @token_not_required
        def list_books(request):
            return [request.claims, request.access_token]

        @api.post("/books")
        def add_book(request):
            return "added"

        serve(api)
        responses = [send(method, "/api/books").status_code for method in ("get", "post", "delete", "head", "options")]
        assert responses == [200, 401, 401, 401, 401]
        assert send("get", "/api/books", headers={"Authorization": "Bearer rubbish"}).json() == [{}, None]

    def test_below_other_decorators(self, serve, new_api, send):
        """Of ninja, of the project, and as a coroutine function."""
        api = new_api()

        @api.get("/paginated", response=list[int])
        @paginate
        @token_not_required
        def numbers(request):
            return [1, 2]

        @api.get("/async")
        @decorate_view(cache_page(1))
        @token_not_required
        @decorate_view(lambda run: run)
        async def native(request):
            return "open"

        serve(api)
        assert send("get", "/api/paginated").json() == {"items": [1, 2], "count": 2}
        assert send("get", "/api/async").json() == "open"

    def test_an_authenticator_of_its_own_is_asked_all_the_same(self, issuer, serve, new_api, send):
        """The middleware lets the request pass, `auth` does what it says."""
        api = new_api()
        api.get("/operation", auth=BearerJwt(scope="read"))(token_not_required(lambda request: request.auth.subject))
        serve(api)
        assert send("get", "/api/operation")["WWW-Authenticate"] == 'Bearer scope="read"'
        assert send("get", "/api/operation", headers=issuer.headers("read", sub="anna")).json() == "anna"

    def test_the_documents_may_be_for_all(self, serve, new_api, send):
        """ninja's own views are views of Django: `docs_decorator` takes our decorators."""
        for decorator, status in ((token_not_required, 200), (None, 401)):
            serve(new_api(docs_decorator=decorator, auth=BearerJwt()))
            assert [send("get", f"/api/{name}").status_code for name in ("docs", "openapi.json")] == [status] * 2

    def test_it_works_where_nobody_has_imported_ours(self):
        """ninja tells of its operations, and only then our part for ninja is imported."""
        program = """
import sys
import django
from django.conf import settings
settings.configure(
    ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"],
    OAUTH_JWT={"ISSUER": "https://as.example.com"}, MIDDLEWARE=["django_oauth_jwt.middleware.JwtBearerMiddleware"],
)
django.setup()
from django.test import Client
from django.urls import path
from ninja import NinjaAPI
from django_oauth_jwt.decorators import token_not_required
assert "django_oauth_jwt.contrib.ninja" not in sys.modules
api = NinjaAPI()
api.get("/health")(token_not_required(lambda request: "well"))
urlpatterns = [path("", api.urls)]
assert Client().get("/health").json() == "well"
"""
        run = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, run.stderr


def test_without_ninja_nothing_needs_it():
    """The app, the middleware and the decorators, put to use where it cannot be imported."""
    program = """
import sys
import django
from django.conf import settings
sys.modules["ninja"] = sys.modules["pydantic"] = None  # they cannot be imported
settings.configure(
    ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "django_oauth_jwt"],
    OAUTH_JWT={"ISSUER": "https://as.example.com"}, MIDDLEWARE=["django_oauth_jwt.middleware.JwtBearerMiddleware"],
)
django.setup()
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from django_oauth_jwt.decorators import secure, token_not_required
view = lambda request: HttpResponse()
urlpatterns = [path("secured", secure()(view)), path("open", token_not_required(view))]
call_command("check")
assert [Client().get(at).status_code for at in ("/secured", "/open")] == [401, 200]
"""
    run = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr


def test_a_cache_around_an_operation_knows_that_answers_vary_by_token(issuer, serve, new_api, send):
    """ninja's `decorate_view` stands outside of `auth`: without Vary everybody would get the first one's answer."""
    api = new_api(auth=BearerJwt())
    cached = decorate_view(cache_page(60))
    api.get("/sync")(cached(lambda request: request.auth.subject))

    @api.get("/async")
    @cached
    async def native(request):
        return request.auth.subject

    serve(api)
    for at in ("/api/sync", "/api/async"):
        headers = issuer.headers(sub="anna"), issuer.headers(sub="ben"), None
        assert [send("get", at, headers=one).content for one in headers][:2] == [b'"anna"', b'"ben"']
        assert send("get", at).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_refusal_undoes_what_the_operation_wrote(issuer, serve, new_api, client, monkeypatch):
    """Where each request is one transaction, as for views."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    api = new_api(auth=BearerJwt())

    @api.post("/groups")
    def add_group(request):
        Group.objects.create(name="readers")
        raise InvalidToken("wrong_tenant")

    serve(api)
    assert client.post("/api/groups", headers=issuer.headers()).status_code == 403
    assert not Group.objects.exists()


def test_a_router_may_be_mounted_twice(issuer, serve, new_api, send):
    """Each time with requirements of its own."""
    router = Router()
    router.get("/operation")(lambda request: request.auth.subject)
    api = new_api()
    for scope in ("read", "write"):
        api.add_router(f"/{scope}", router, auth=BearerJwt(scope=scope), url_name_prefix=scope)
    serve(api)
    responses = [send("get", f"/api/{at}/operation", headers=issuer.headers("read")) for at in ("read", "write")]
    assert [response.status_code for response in responses] == [200, 403]


def test_secure_may_decorate_the_view_of_an_operation(issuer, serve, new_api, send):
    """`decorate_view` hands it what takes a request and returns a response; the operation has no `auth` then."""
    api = new_api()
    api.get("/operation")(decorate_view(secure(scope="read"))(lambda request: request.access_token.subject))
    serve(api)
    assert send("get", "/api/operation").status_code == 401
    assert send("get", "/api/operation", headers=issuer.headers("read", sub="anna")).json() == "anna"


def test_ninjas_own_test_client(issuer, new_api):
    """It makes requests without a URLconf, of an API or a router, and leaves headers in their case."""
    router = Router(auth=BearerJwt(scope="read"))
    router.get("/sync")(lambda request: request.auth.subject)

    @router.get("/async")
    async def native(request):
        return request.auth.subject

    api = new_api()
    api.add_router("", router)
    for case in (str, str.upper, str.lower):
        headers = {case(name): value for name, value in issuer.headers("read", sub="anna").items()}
        assert TestClient(router).get("/sync", headers=headers).json() == "anna"
        assert async_to_sync(TestAsyncClient(api).get)("/async", headers=headers).json() == "anna"
    refused = TestClient(router).get("/sync")
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, 'Bearer scope="read"')


@pytest.mark.parametrize("scope", [None, "other", "read", "read raise"])
def test_an_answered_request_is_gone(issuer, serve, new_api, scope):
    """No circle of frames and errors keeps it, with its token, until the next garbage collection."""
    api = new_api(auth=BearerJwt(scope="read"))

    @api.get("/operation")
    def operation(request):
        if "raise" in request.auth.scopes:
            raise InvalidToken("wrong_tenant")

    serve(api)
    view = resolve("/api/operation").func
    request = RequestFactory().get("/api/operation", headers=issuer.headers(scope) if scope else None)
    left = weakref.ref(request)
    gc.collect()
    gc.disable()
    try:
        assert view(request).status_code in (200, 401, 403)
        del request
        assert left() is None
    finally:
        gc.enable()
