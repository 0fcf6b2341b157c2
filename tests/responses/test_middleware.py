"""The middleware: which requests it secures, beside what it stands, and that no event loop waits for a thread."""

import asyncio
import gc
from weakref import ref

import pytest
from asgiref.sync import SyncToAsync, async_to_sync, iscoroutinefunction
from django.http import HttpResponse, JsonResponse
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory
from django.urls import path
from django.utils.decorators import (
    async_only_middleware,
    method_decorator,
    sync_and_async_middleware,
    sync_only_middleware,
)
from django.views import View
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.errors import KeysUnavailable
from django_oauth_jwt.middleware import JwtBearerMiddleware
from django_oauth_jwt.testing import TokenIssuer

OURS = "django_oauth_jwt.middleware.JwtBearerMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"


def view(request):
    assert (request.claims == {}) is (request.access_token is None)
    return JsonResponse({"has_claims": request.claims != {}, "user": str(getattr(request, "user", None))})


async def async_view(request):
    return view(request)


@token_not_required
def open_view(request):
    return view(request)


@token_not_required
async def open_async_view(request):
    return view(request)


@method_decorator(token_not_required, name="dispatch")
class OpenClass(View):
    def get(self, request):
        return view(request)


@method_decorator(token_not_required, name="dispatch")
class OpenAsyncClass(View):
    async def get(self, request):
        return view(request)


@api_view()
@authentication_classes([BearerJwtAuthentication])
@permission_classes([AllowAny])
def open_drf_view(request):
    return view(request)


@token_not_required
@secure(scope="read")
def secured_by_itself(request):
    return view(request)


@token_not_required
async def refusal_of_the_views_own(request):
    return HttpResponse(status=403)


def failing_view(request):
    raise ValueError


urlpatterns = [
    path("api/books/", view),
    path("api/async/", async_view),
    path("api/open/", open_view),
    path("api/open-async/", open_async_view),
    path("api/async-refusal/", refusal_of_the_views_own),
    path("api/open-class/", OpenClass.as_view()),
    path("api/open-async-class/", OpenAsyncClass.as_view()),
    path("open-drf/", open_drf_view),
    path("api/by-itself/", secured_by_itself),
    path("api/failing/", failing_view),
    path("both/", secure(scope="read")(view)),
    path("both/async/", secure(scope="read")(async_view)),
    path("health/", view),
    path("a/health/", view),
    path("<str:name>", lambda request, name: view(request)),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.usefixtures("_installed")]


@pytest.fixture
def _installed(settings):
    settings.MIDDLEWARE = [OURS]


@sync_only_middleware
def sync_middleware(get_response):
    def middleware(request):
        response = get_response(request)
        response["X-Passed"] = "yes"
        return response

    return middleware


@async_only_middleware
def async_middleware(get_response):
    async def middleware(request):
        response = await get_response(request)
        response["X-Passed"] = "yes"
        return response

    return middleware


@pytest.mark.parametrize(
    ("protected", "exempt", "secured", "free"),
    [
        ([], [], ["/api/books/", "/health/", "/a/health/"], []),
        (["^/api/"], [], ["/api/books/", "/api/async/"], ["/health/", "/a/health/"]),
        (["/.*books", "^/health"], [], ["/api/books/", "/health/"], ["/api/async/", "/a/health/"]),
        (["/health"], [], ["/health/"], ["/api/books/", "/a/health/"]),
        ([], ["/health/"], ["/api/books/", "/a/health/"], ["/health/"]),
        ([], ["/health/$", ".*async"], ["/api/books/"], ["/health/", "/api/async/"]),
        (["^/api/"], ["/api/books/"], ["/api/async/"], ["/api/books/", "/health/"]),
        (["/api/"], [], ["/api/books/"], ["/health/", "/a/health/"]),
        (["^/(api|a)/"], [], ["/api/books/", "/a/health/"], ["/health/"]),
        (["^/(?P<version>a|b)/", r"\A/health"], [], ["/a/health/", "/health/"], ["/api/books/"]),
        ([], ["^/health/$", "^/api/async"], ["/api/books/"], ["/health/", "/api/async/"]),
        # All but these.
        ([], ["(?!/api/)"], ["/api/books/"], ["/health/", "/a/health/"]),
        ([], ["^(?!/api/).*"], ["/api/books/"], ["/health/"]),
    ],
)
def test_the_paths_that_are_protected_but_not_exempt_need_a_token(send, rsa_issuer, protected, exempt, secured, free):
    """Both kinds of pattern are matched from the beginning of the path, whose first character is a slash."""
    with rsa_issuer.installed(PROTECTED_PATHS=protected, EXEMPT_PATHS=exempt):
        assert [send("get", url).status_code for url in secured] == [401] * len(secured)
        assert [send("get", url).status_code for url in free] == [200] * len(free)


@pytest.mark.parametrize("url", ["//health/", "/x/health/", "/api/health/", "/healt/"])
def test_an_exemption_is_from_the_first_slash_on(send, rsa_issuer, url):
    """Neither two slashes nor another beginning make a path an exempt one."""
    with rsa_issuer.installed(EXEMPT_PATHS=["/health/", "^/health/"]):
        assert send("get", url).status_code == 401


@pytest.mark.parametrize(
    ("protected", "exempt", "url"),
    [
        # Django's own "$" matches before a line break, too.
        (["^/health$"], [], "/health%0A"),
        (["^/.*x$"], [], "/%0Ax"),
        (["^/.+"], [], "/%0A"),
        ([], ["/health$"], "/health%0A"),
        ([], ["^/\\w*$"], "/%0A"),
        # What an exemption leaves out stays secured, before a line break and behind one.
        ([], ["(?!/health$)"], "/health%0A"),
        ([], ["(?!/.*x$)"], "/%0Ax"),
        ([], ["(?m)/health$"], "/health%0A/x"),
    ],
)
def test_a_line_break_in_the_path_gets_round_no_pattern(send, rsa_issuer, protected, exempt, url):
    """A path with one needs a token if it would need one with another character in its place, or as it is."""
    with rsa_issuer.installed(PROTECTED_PATHS=protected, EXEMPT_PATHS=exempt):
        assert send("get", url).status_code == 401


def test_paths_are_looked_at_without_the_scripts_name(rsa_issuer):
    """A project that is mounted below a prefix has the same settings."""
    with rsa_issuer.installed(EXEMPT_PATHS=["^/health/"]):
        assert Client().get("/health/", SCRIPT_NAME="/below").status_code == 200


@pytest.mark.parametrize("url", ["open", "open-async", "open-class", "open-async-class"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer rubbish"}])
def test_a_view_can_need_no_token(send, issuer, url, headers):
    """`token_not_required` works on functions and classes of both kinds; a bad token that is sent is no matter."""
    response = send("get", f"/api/{url}/", headers=headers)
    assert response.status_code == 200
    assert response.json()["has_claims"] is False
    assert "Vary" not in response.headers


def test_a_view_that_needs_no_token_of_the_middleware_can_secure_itself(send, issuer):
    """The exemption is from the middleware alone."""
    assert send("get", "/api/by-itself/").status_code == 401
    assert send("get", "/api/by-itself/", headers=issuer.headers("read")).json()["has_claims"]


@pytest.mark.parametrize("url", ["open", "open-async", "open-class", "open-async-class"])
@pytest.mark.parametrize("granted", ["read", "other"])
def test_a_view_that_needs_no_token_has_the_claims_of_a_good_one(send, rsa_issuer, signals, url, granted):
    """Whatever SCOPE says, and whoever it is: nothing is required, refused or told of."""

    def nobody(access_token, request):
        raise AssertionError

    with rsa_issuer.installed(SCOPE="read", USER_RESOLVER=nobody):
        response = send("get", f"/api/{url}/", headers=rsa_issuer.headers(granted))
    assert response.json() == {"has_claims": True, "user": "None"}
    assert response["Vary"] == "Authorization"
    assert signals == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer rubbish"}, {"Authorization": "good"}])
@pytest.mark.parametrize("url", ["/health/", "/api/async/"])
def test_an_exempt_path_has_the_same_attributes_without_claims(send, rsa_issuer, url, headers):
    """Nobody looks at a token there, so the answer is the same for all; no view ends in an AttributeError."""
    if headers.get("Authorization") == "good":
        headers = rsa_issuer.headers("read")
    with rsa_issuer.installed(EXEMPT_PATHS=["/health/", "/api/async/"]):
        response = send("get", url, headers=headers)
    assert (response.status_code, response.json()["has_claims"]) == (200, False)
    assert "Vary" not in response.headers


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic x"}])
@pytest.mark.parametrize("middleware", [[], [OURS]])
def test_an_optional_token_in_drf_ends_in_no_attribute_error(rsa_issuer, settings, headers, middleware):
    """With and without the middleware, where everybody is allowed."""
    settings.MIDDLEWARE = middleware
    with rsa_issuer.installed(EXEMPT_PATHS=["/open-drf/"]):
        assert Client().get("/open-drf/", headers=headers).json()["has_claims"] is False


def test_a_view_that_needs_no_token_needs_no_keys(send, settings):
    """It is answered while a token that is sent cannot be checked."""
    settings.OAUTH_JWT = {"JWKS_SERVICE": NoKeys()}
    headers = TokenIssuer().headers()
    assert send("get", "/api/open/", headers=headers).status_code == 200
    assert send("get", "/api/books/", headers=headers).status_code == 503


class NoKeys:
    """A service whose authorization server is down."""

    def current(self):
        return None

    def key_set_for(self, kid, alg):
        raise KeysUnavailable

    async def akey_set_for(self, kid, alg):
        raise KeysUnavailable


@pytest.mark.parametrize(("granted", "status"), [(None, 401), ("other", 403), ("read", 404)])
def test_a_path_that_leads_nowhere_needs_a_token(send, rsa_issuer, granted, status):
    """Nobody without one learns which URLs there are."""
    with rsa_issuer.installed(SCOPE="read"):
        response = send("get", "/nowhere/", headers=rsa_issuer.headers(granted) if granted else {})
    assert (response.status_code, response["Vary"]) == (status, "Authorization")


def test_a_path_that_leads_nowhere_can_be_exempt(send, rsa_issuer):
    """Then it is the project's own 404."""
    with rsa_issuer.installed(EXEMPT_PATHS=["/nowhere/"]):
        assert send("get", "/nowhere/").status_code == 404


@sync_and_async_middleware
def answers_itself(get_response):
    """A middleware that answers from the claims, and asks no view: a cache, say, or files."""

    def answer(request):
        return JsonResponse({"sub": getattr(request, "claims", {}).get("sub")})

    async def async_answer(request):
        return answer(request)

    return async_answer if iscoroutinefunction(get_response) else answer


def test_the_answer_of_a_middleware_below_needs_a_token(send, rsa_issuer, settings):
    """It sees the claims already, and what it answers is kept back where there is no good token."""
    settings.MIDDLEWARE = [OURS, f"{__name__}.answers_itself"]
    with rsa_issuer.installed(SCOPE="read", EXEMPT_PATHS=["/health/"]):
        assert send("get", "/api/books/").status_code == 401
        assert send("get", "/api/books/", headers=rsa_issuer.headers("read", expired=True)).status_code == 403
        assert send("get", "/api/books/", headers=rsa_issuer.headers("other")).status_code == 403
        response = send("get", "/api/books/", headers=rsa_issuer.headers("read"))
        assert response.json() == {"sub": "user-1"}
        assert response["Vary"] == "Authorization"
        assert send("get", "/health/").json() == {"sub": None}


@sync_and_async_middleware
def leads_to_the_books(get_response):
    """A middleware that serves another path than the one that was asked for."""

    def moved(request):
        request.path_info = "/api/books/"
        return get_response(request)

    async def async_moved(request):
        return await moved(request)

    return async_moved if iscoroutinefunction(get_response) else moved


def test_a_path_that_another_middleware_changes_is_looked_at_again(send, rsa_issuer, settings):
    """What counts is the path whose view is called."""
    settings.MIDDLEWARE = [OURS, f"{__name__}.leads_to_the_books"]
    with rsa_issuer.installed(EXEMPT_PATHS=["/health/"]):
        assert send("get", "/health/").status_code == 401
        response = send("get", "/health/", headers=rsa_issuer.headers())
        assert (response.status_code, response["Vary"]) == (200, "Authorization")


@pytest.mark.parametrize("last", [[f"{__name__}.answers_itself"], []], ids=["answered", "nowhere"])
@pytest.mark.parametrize("exempt", ["/health/", "/api/"])
def test_a_changed_path_that_no_view_answers_needs_a_token(send, rsa_issuer, settings, monkeypatch, last, exempt):
    """If either path needs one: the path of the URL, or the one that it became."""
    monkeypatch.setattr(f"{__name__}.urlpatterns", [])
    settings.MIDDLEWARE = [OURS, f"{__name__}.leads_to_the_books", *last]
    with rsa_issuer.installed(EXEMPT_PATHS=[exempt]):
        for headers, status in (({}, 401), (rsa_issuer.headers(expired=True), 403)):
            response = send("get", "/health/", headers=headers)
            assert (response.status_code, response["Vary"]) == (status, "Authorization")
        response = send("get", "/health/", headers=rsa_issuer.headers())
        assert (response.status_code, response["Vary"]) == (200 if last else 404, "Authorization")
    with rsa_issuer.installed(EXEMPT_PATHS=["/health/", "/api/"]):
        assert "Vary" not in send("get", "/health/").headers


@pytest.mark.parametrize("url", ["/both/", "/both/async/", "/nowhere/"])
def test_a_bad_token_is_verified_and_told_of_once(send, rsa_issuer, signals, monkeypatch, url):
    """Though it is looked at when it comes and again when the view is known."""
    asked_for = []

    def key_set_for(kid, alg):
        asked_for.append(kid)
        return rsa_issuer.current()

    async def akey_set_for(kid, alg):
        return key_set_for(kid, alg)

    monkeypatch.setattr(rsa_issuer, "key_set_for", key_set_for)
    monkeypatch.setattr(rsa_issuer, "akey_set_for", akey_set_for)
    with rsa_issuer.installed():
        assert send("get", url, headers=rsa_issuer.headers("read", forged=True)).status_code == 403
    assert len(asked_for) == 1
    assert [name for name, _ in signals] == ["rejected"]


@pytest.mark.parametrize("token", [{"expired": True}, {"header": {"crit": ["x"]}}, {"cnf": {"x5t#S256": "x"}}, None])
def test_a_refused_request_holds_no_reference_to_itself(trust, token):
    """Else a flood of bad tokens would fill the memory until the garbage is collected."""
    issuer = trust(CLIENT_CERTIFICATE={"SOURCE": "wsgi"}, INVALID_TOKEN_STATUS=401)
    headers = issuer.headers(**token) if token else {"Authorization": "Bearer a.b.c"}
    request = RequestFactory().get("/", headers=headers, SSL_CLIENT_CERT="junk")
    seen = ref(request)
    gc.collect()
    gc.disable()
    try:
        assert JwtBearerMiddleware(lambda request: HttpResponse("passed"))(request).status_code == 401
        del request
        assert seen() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("url", ["/both/", "/both/async/"])
def test_middleware_and_decorator_verify_a_token_once(send, issuer, signals, url):
    """The decorator adds its scope to what the middleware has found."""
    assert send("get", url, headers=issuer.headers("read")).status_code == 200
    assert [name for name, _ in signals] == ["accepted"]
    assert send("get", url, headers=issuer.headers("write")).status_code == 403
    assert [name for name, _ in signals] == ["accepted", "accepted", "rejected"]


@pytest.mark.parametrize("middleware", [[OURS, CSRF], [CSRF, OURS]], ids=["before", "after"])
@pytest.mark.parametrize("url", ["/both/", "/both/async/"])
def test_a_token_makes_csrf_checks_needless(send, issuer, settings, middleware, url):
    """No other site can make a browser send the header, so a POST is let in; without a token it stays refused."""
    settings.MIDDLEWARE = middleware
    assert send("post", url, headers=issuer.headers("read")).status_code == 200
    assert send("post", url).status_code == 401


@pytest.mark.parametrize("url", ["/api/books/", "/api/async/"])
def test_the_middleware_spares_the_views_it_secures_the_csrf_checks(send, issuer, settings, url):
    """Those that it does not secure are checked as ever."""
    settings.MIDDLEWARE = [OURS, CSRF]
    assert send("post", url, headers=issuer.headers()).status_code == 200
    assert send("post", "/api/open/", headers=issuer.headers()).status_code == 403


@pytest.mark.parametrize("other", ["sync_middleware", "async_middleware"])
@pytest.mark.parametrize("ours_first", [True, False])
@pytest.mark.parametrize("url", ["/api/books/", "/api/async/"])
def test_it_stands_beside_middleware_of_both_kinds(send, issuer, settings, other, ours_first, url):
    """Django adapts what is sync only or async only, on either side of ours."""
    others = [f"{__name__}.{other}"]
    settings.MIDDLEWARE = [OURS, *others] if ours_first else [*others, OURS]
    assert send("get", url).status_code == 401
    response = send("get", url, headers=issuer.headers())
    assert response.status_code == 200
    assert response["X-Passed"] == "yes"
    assert response["Vary"] == "Authorization"


@pytest.fixture
def thread_hops(monkeypatch):
    """What asgiref was asked to run in a thread."""
    hops = []
    hop = SyncToAsync.__call__

    async def counted(self, *args, **kwargs):
        hops.append(self.func)
        return await hop(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    return hops


def resolve(access_token, request):
    return access_token.subject


@pytest.mark.parametrize("resolver", [None, resolve])
def test_an_async_request_goes_through_no_thread(rsa_issuer, thread_hops, resolver):
    """To an async view and back everything runs on the event loop; a resolver alone, which may block, does not."""

    def hops_of(url, **kwargs):
        thread_hops.clear()
        asyncio.run(AsyncClient().get(url, **kwargs))
        return len(thread_hops)

    with rsa_issuer.installed(USER_RESOLVER=resolver):
        of_django_itself = hops_of("/api/open-async/")
        of_the_resolver = 1 if resolver else 0
        good, bad = ({"headers": rsa_issuer.headers("read", expired=expired)} for expired in (False, True))
        assert hops_of("/api/async/", **good) == of_django_itself + of_the_resolver
        assert hops_of("/both/async/", **good) == of_django_itself + of_the_resolver
        # Django writes its log line of a refusal in a thread.
        assert hops_of("/api/async/", **bad) == hops_of("/api/async-refusal/")


def test_a_sync_request_goes_through_no_event_loop(issuer, thread_hops):
    """Under WSGI the middleware is as sync as the view: nothing has to come back from a loop."""
    assert Client().get("/api/books/", headers=issuer.headers()).status_code == 200
    assert thread_hops == []


def test_the_answers_to_different_tokens_are_kept_apart_beside_what_varies_already(send, issuer, settings):
    """Whatever the view's Vary says stays there."""
    settings.MIDDLEWARE = [OURS, "django.middleware.locale.LocaleMiddleware"]
    response = send("get", "/api/books/", headers=issuer.headers())
    assert response["Vary"].split(", ") == ["Accept-Language", "Authorization"]


def test_an_error_in_a_secured_view_is_still_an_answer_to_one_token(issuer):
    """The error page of a secured view varies by the token as well."""
    response = Client(raise_request_exception=False).get("/api/failing/", headers=issuer.headers())
    assert (response.status_code, response["Vary"]) == (500, "Authorization")


def test_it_can_be_called_without_a_handler_of_django(issuer):
    """A project's tests may call the middleware by itself: nothing passes without a token."""
    middleware = JwtBearerMiddleware(lambda request: JsonResponse(getattr(request, "claims", {})))
    assert middleware(RequestFactory().get("/")).status_code == 401
    assert middleware(RequestFactory().get("/", headers=issuer.headers(expired=True))).status_code == 403
    assert b"user-1" in middleware(RequestFactory().get("/", headers=issuer.headers())).content


class Stricter(JwtBearerMiddleware):
    """A project's own, which lets nobody into some views."""

    def process_view(self, request, view, args, kwargs):
        return super().process_view(request, view, args, kwargs) or HttpResponse("not today", status=403)


def test_the_hook_of_a_subclass_is_heard(send, issuer, settings):
    """Under ASGI as well, where ours is another one."""
    settings.MIDDLEWARE = [f"{__name__}.Stricter"]
    assert send("get", "/api/books/").status_code == 401
    assert send("get", "/api/books/", headers=issuer.headers()).content == b"not today"


def test_a_request_keeps_no_claims_of_a_token_that_it_no_longer_brings(issuer):
    """Where one request object is used twice, the second token's refusal takes the first one's claims along."""
    middleware = JwtBearerMiddleware(lambda request: HttpResponse("passed"))
    request = RequestFactory().get("/", headers=issuer.headers())
    assert middleware(request).status_code == 200
    request.META["HTTP_AUTHORIZATION"] = issuer.headers(expired=True)["Authorization"]
    assert middleware(request).status_code == 403
    assert request.claims == {}
    assert request.access_token is None


def test_its_hook_lets_nobody_pass_by_itself(issuer):
    """Whoever calls it without the rest is not let in on that account."""
    middleware = JwtBearerMiddleware(lambda request: HttpResponse("passed"))
    assert middleware.process_view(RequestFactory().get("/"), view, (), {}).status_code == 401
    assert middleware.process_view(RequestFactory().get("/", headers=issuer.headers()), view, (), {}) is None
    assert middleware.process_view(RequestFactory().get("/"), open_view, (), {}) is None


def test_it_can_be_called_without_a_handler_of_djangos_under_asgi(issuer):
    """The same for its other side."""

    async def answer(request):
        return JsonResponse(getattr(request, "claims", {}))

    call = async_to_sync(JwtBearerMiddleware(answer))
    assert call(AsyncRequestFactory().get("/")).status_code == 401
    assert b"user-1" in call(AsyncRequestFactory().get("/", headers=issuer.headers())).content
