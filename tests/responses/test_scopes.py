"""All scopes of an operation in each challenge, whoever requires them, and scopes that stand for others."""

import asyncio
from unittest.mock import Mock

import pytest
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission, IsAdminUser, IsAuthenticated
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.errors import InsufficientScope, InvalidToken
from django_oauth_jwt.http import get_access_token
from django_oauth_jwt.permissions import HasAuthenticationContext, HasClaim, HasScope

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"


def view(request):
    return HttpResponse(" ".join(sorted(request.access_token.scopes)))


async def async_view(request):
    return view(request)


class Shelf(View):
    def get(self, request):
        return view(request)


class Books(APIView):
    """A view whose permissions are given to `as_view`."""

    authentication_classes = (BearerJwtAuthentication,)

    def get(self, request):
        return Response(" ".join(sorted(get_access_token(request).scopes)))

    post = get


def drf(*permissions, **attributes):
    return type("Drf", (Books,), {"permission_classes": permissions, **attributes}).as_view()


class Actions(ViewSet):
    """A view that decides by the action and the method, in code of its own."""

    permission_classes = (HasScope("unused"),)
    made = 0

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        type(self).made += 1

    authentication_classes = (BearerJwtAuthentication,)

    def get_permissions(self):
        return [HasScope(f"{self.action}:{self.request.method}:{self.kwargs.get('pk', '')}")]

    def list(self, request, **kwargs):
        return Response()

    create = list  # noqa: A003  # DRF's names


class Decorated(ViewSet):
    """One whose actions are decorated, behind a router and without permissions."""

    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = ()

    @method_decorator(secure(scope="a b"))
    def list(self, request):
        return Response()

    @method_decorator(secure(scope="c"))
    def create(self, request):
        return Response()

    @action(detail=False, methods=["get", "put"])
    @method_decorator(secure(scope="d"))
    def stock(self, request):
        return Response()


router = SimpleRouter(trailing_slash=False)
router.register("set", Decorated, basename="set")


class Named(BasePermission):
    """Somebody else's permission, with names of its own."""

    alternatives = refusals = ("x",)


class Demanding(Books):
    """Its permissions cannot be told of a request without a user."""

    def get_permissions(self):
        return [HasScope("a")] if self.request.user.email else []


def raising(error):
    def view(request):
        raise error

    return view


def decorated(view_class, *decorators):
    return method_decorator(list(decorators), name="dispatch")(type("Decorated", (view_class,), {}))


class Handlers(View):
    """One that is decorated method by method."""

    @method_decorator(secure(scope="b c"))
    def get(self, request):
        return view(request)

    @method_decorator(secure(scope="d"))
    def post(self, request):
        return view(request)


class DrfHandlers(Books):
    """The same with a permission."""

    permission_classes = (HasScope("c"),)
    get = method_decorator(secure(scope="a b"))(Books.get)


class HeadHandler(Handlers):
    """One with a `head` of its own."""

    @method_decorator(secure(scope="h"))
    def head(self, request):
        return HttpResponse()


class Untold:
    """An object that asks the database whether it is true, as a queryset does."""

    def __bool__(self):
        raise RuntimeError("a query")


class Attributes(View):
    """A class with attributes that are no methods."""

    queryset, trace = Untold(), Untold()


class AttributesOfDrf(Decorated):
    """The same as a view set."""

    queryset, trace = Untold(), Untold()


def with_actions(request):
    """A function with an attribute of that name, which is none of DRF's."""


class_with_actions = Attributes.as_view()
with_actions.actions = class_with_actions.actions = {"get": view}


class AnyName:
    """A view that answers to any name."""

    def __getattr__(self, name):
        return "anything"

    def __call__(self, request):
        return HttpResponse()


class Faulty:
    """A view with an attribute that cannot be read."""

    @property
    def cls(self):
        raise RuntimeError("no cls")

    def __call__(self, request):
        return HttpResponse()


ALL = HasScope("a", "b", "c")
A, BC = secure(scope="a"), secure(scope="b c")
urlpatterns = [
    path("plain", view),
    path("plain-async", async_view),
    path("open", token_not_required(secure(scope="a")(view))),
    path("def", secure(scope="a b c")(view)),
    path("async", secure(scope="a b c")(async_view)),
    path("class", method_decorator(secure(scope="a b c"), name="dispatch")(Shelf).as_view()),
    path("stacked", secure(scope="a")(secure(scope="b c")(view))),
    path("stacked-async", secure(scope="a")(secure(scope="b c")(async_view))),
    path("list", decorated(Shelf, A, BC).as_view()),
    path("twice", decorated(decorated(Shelf, BC), A).as_view()),
    path("handlers", decorated(Handlers, A).as_view()),
    path("wrapped", csrf_exempt(never_cache(A(never_cache(BC(view)))))),
    path("head-handler", HeadHandler.as_view()),
    path("drf-handlers", DrfHandlers.as_view()),
    path("named", drf(Named, ALL)),
    path("mock", Mock(return_value=HttpResponse())),
    path("any-name", AnyName()),
    path("faulty", Faulty()),
    path("with-actions", with_actions),
    path("class-with-actions", class_with_actions),
    path("attributes", Attributes.as_view()),
    path("attributes-of-drf", AttributesOfDrf.as_view({"get": "list"})),
    path("session", drf(HasScope("a"), authentication_classes=[SessionAuthentication])),
    path("open-session", token_not_required(drf(HasScope("a"), authentication_classes=[SessionAuthentication]))),
    path("many", drf(*(HasScope(f"a{n}") | HasScope(f"b{n}") for n in range(30)))),
    path("drf", drf(ALL)),
    path("drf-list", drf(IsAuthenticated, HasScope("a"), HasScope("b c"))),
    path("drf-sum", drf(HasScope("a") & HasScope("b") & HasScope("c"))),
    path("drf-bare", drf(HasScope, required_scopes="a b c")),
    path("drf-decorated", secure(scope="a")(drf(HasScope("b"), HasScope("c")))),
    path(
        "drf-dispatch",
        method_decorator(secure(scope="a"), name="dispatch")(
            type(Books)(
                "D",
                (Books,),
                {
                    "permission_classes": (HasScope("b c"),),
                },
            )
        ).as_view(),
    ),
    path("drf-methods", drf(HasScope({"GET": "a b c", "POST": "d"}))),
    path("drf-initkwargs", Books.as_view(permission_classes=[ALL])),
    path("raised", secure(scope="a b")(raising(InsufficientScope(["c"])))),
    path("actions/<pk>", Actions.as_view({"get": "list", "post": "create"})),
    *router.urls,
    path("demanding", Demanding.as_view()),
    path("misconfigured", drf(HasScope("a") & HasScope)),
    path("wrong-tenant", secure(scope="a b c")(raising(InvalidToken("wrong_tenant", "Another tenant")))),
    path("either", drf(HasScope("a") | HasScope("b"))),
    path("claim-or-scope", drf((HasClaim("role") & HasScope("a")) | HasScope("b"))),
    path("scope-or-claim", drf((HasScope("a") & HasClaim("role")) | HasScope("b"))),
    path("step-up-or-scope", drf((HasScope("a") & HasAuthenticationContext("mfa")) | HasScope("b"))),
    path("staff-or-scope", drf(IsAdminUser | HasScope("b"))),
    path("claims-alone", drf(HasClaim("role") | HasClaim("team"))),
    path("claim-and-scope", drf(HasClaim("role") & HasScope("a"))),
]
pytestmark = pytest.mark.urls(__name__)

#: Each requires the scopes a, b and c, however they are spread.
SPREAD = {
    "/list": "", "/twice": "", "/handlers": "", "/wrapped": "", "/drf-handlers": "", "/named": "",
    "/plain": "a b c", "/plain-async": "a b c", "/def": "", "/async": "", "/class": "", "/stacked": "",
    "/stacked-async": "", "/drf": "", "/drf-list": "", "/drf-sum": "", "/drf-bare": "", "/drf-decorated": "",
    "/drf-dispatch": "", "/drf-methods": "", "/drf-initkwargs": "",
}  # fmt: skip
EXPIRED = 'Bearer error="invalid_token", error_description="Token has expired", scope="a b c"'
LACKING = 'Bearer error="insufficient_scope", error_description="Token is missing some required scope values", scope='


@pytest.fixture(params=["alone", "middleware that requires a"])
def ask(request, send, settings, rsa_issuer):
    """Ask for a view of `SPREAD`; what the middleware requires of it, the view requires once more or in its stead."""

    def ask(url, *, implies=None, **token):
        scope = SPREAD[url] or ("a" if request.param.endswith("a") else "")
        settings.MIDDLEWARE = [MIDDLEWARE] if SPREAD[url] or request.param != "alone" else []
        with rsa_issuer.installed(SCOPE=scope, SCOPE_IMPLIES=implies or {}):
            response = send("get", url, headers=rsa_issuer.headers(**token) if token else {})
        return response.status_code, response.headers.get("WWW-Authenticate"), response.content.decode().strip('"')

    return ask


@pytest.mark.parametrize("url", SPREAD)
class TestEachEntryPoint:
    """The whole challenge, with the scopes in the order in which they are required."""

    def test_no_token(self, ask, url):
        """Section 3 of RFC 6750: who asks for a token learns which scopes it needs."""
        assert ask(url)[:2] == (401, 'Bearer scope="a b c"')

    def test_an_expired_token(self, ask, url):
        """The next one can be asked for with all scopes."""
        assert ask(url, expired=True)[:2] == (403, EXPIRED)

    @pytest.mark.parametrize("granted", ["a", "b c", "x"])
    def test_some_scopes_of_three(self, ask, url, granted):
        """One step up is enough: all are named, and not the one that was missed first."""
        assert ask(url, scope=granted)[:2] == (403, f'{LACKING}"a b c"')

    @pytest.mark.parametrize("granted", ["all", "lower c"])
    def test_a_scope_that_stands_for_others(self, ask, url, granted):
        """It opens what they open, transitively, and the token is said to hold what was granted."""
        implies = {"all": ["upper", "c"], "upper": ["lower", "b"], "lower": ["a", "b"]}
        status, challenge, scopes = ask(url, implies=implies, scope=granted)
        assert (status, challenge, scopes) == (200, None, " ".join(sorted(granted.split())))

    def test_a_scope_that_stands_for_too_few(self, ask, url):
        """What is still missing is told with all the rest, in the words of the requirement."""
        assert ask(url, implies={"upper": ["a", "b"], "c": ["x"]}, scope="upper")[:2] == (403, f'{LACKING}"a b c"')


CASES = [
    # What a token without "a" and "b" should be renewed with: the first way that scopes alone open.
    ("/either", {}, '"a"'),
    ("/claim-or-scope", {}, '"b"'),
    ("/claim-or-scope", {"role": "admin"}, '"a"'),
    ("/scope-or-claim", {}, '"b"'),
    ("/scope-or-claim", {"role": "admin"}, '"a"'),
    ("/step-up-or-scope", {}, '"b"'),
    ("/step-up-or-scope", {"acr": "mfa"}, '"a"'),
    ("/staff-or-scope", {}, '"b"'),
]


@pytest.mark.parametrize("middleware", [[], [MIDDLEWARE]])
@pytest.mark.parametrize(("url", "claims", "scope"), CASES)
def test_of_alternatives_the_first_that_is_short_of_scopes_only(send, settings, issuer, middleware, url, claims, scope):
    """A client cannot get a claim for itself, but it can ask for a scope."""
    settings.MIDDLEWARE = middleware
    response = send("get", url, headers=issuer.headers("x", **claims))
    assert (response.status_code, response["WWW-Authenticate"]) == (403, LACKING + scope)


@pytest.mark.parametrize("middleware", [[], [MIDDLEWARE]])
@pytest.mark.parametrize("url", ["/stacked", "/list", "/twice", "/handlers", "/wrapped"])
def test_the_outermost_decorator_requires_first(send, settings, issuer, middleware, url):
    """However they are stacked, whether or not it is they who refuse the request."""
    settings.MIDDLEWARE = middleware
    assert send("get", url)["WWW-Authenticate"] == 'Bearer scope="a b c"'


@pytest.mark.parametrize("middleware", [[], [MIDDLEWARE]])
@pytest.mark.parametrize(
    ("url", "challenge"),
    [
        ("/either", 'Bearer scope="a"'),
        ("/claim-or-scope", 'Bearer scope="b"'),
        ("/staff-or-scope", 'Bearer scope="b"'),
        ("/claim-and-scope", 'Bearer scope="a"'),
        ("/claims-alone", "Bearer"),
    ],
)
def test_without_a_token_the_way_that_takes_scopes_alone(send, settings, issuer, middleware, url, challenge):
    """Nothing is known of the claims yet; where each way takes one, the first that takes scopes is told."""
    settings.MIDDLEWARE = middleware
    assert send("get", url)["WWW-Authenticate"] == challenge


def test_what_scopes_cannot_mend_asks_for_none(send, issuer):
    """A missing claim stays what it is: with more scopes the request would be refused again."""
    response = send("get", "/claim-and-scope", headers=issuer.headers("a"))
    assert response["WWW-Authenticate"] == (
        'Bearer error="invalid_token", error_description="Token is missing some required claims"'
    )


@pytest.mark.parametrize(("method", "scope"), [("get", "a b c"), ("head", "a b c"), ("post", "d"), ("delete", "s")])
def test_the_scopes_are_those_of_the_method(send, settings, rsa_issuer, method, scope):
    """The middleware learns them from the view; of a method that is not allowed there, nothing more than its own."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    with rsa_issuer.installed(SCOPE="s"):
        challenge = send(method, "/drf-methods")["WWW-Authenticate"]
    assert challenge == f'Bearer scope="{"s" if scope == "s" else f"s {scope}"}"'


@pytest.mark.parametrize("middleware", [[], [MIDDLEWARE]])
@pytest.mark.parametrize("token", [{}, {"expired": True}, {"scope": "s"}])
@pytest.mark.parametrize(("url", "scope"), [("/handlers", "a b c"), ("/drf-handlers", "a b c"), ("/head-handler", "h")])
def test_head_is_get_unless_the_class_has_its_own(send, settings, rsa_issuer, middleware, token, url, scope):
    """Django calls `get` for HEAD, so HEAD requires what is required of `get`."""
    settings.MIDDLEWARE = middleware
    with rsa_issuer.installed(SCOPE="s" if middleware else ""):
        challenge = send("head", url, headers=rsa_issuer.headers(**token) if token else {})["WWW-Authenticate"]
    of_middleware = "s " if middleware else ""
    assert challenge.endswith(f'scope="{of_middleware}{scope}"')


@pytest.mark.parametrize("middleware", [[], [MIDDLEWARE]])
@pytest.mark.parametrize("token", [{}, {"expired": True}, {"scope": "s"}])
@pytest.mark.parametrize(
    ("method", "url", "scope"),
    [
        ("head", "/set", "a b"), ("get", "/set", "a b"), ("post", "/set", "c"),
        ("head", "/set/stock", "d"), ("get", "/set/stock", "d"), ("put", "/set/stock", "d"),
    ],
)  # fmt: skip
def test_an_action_of_a_view_set_is_found_by_its_method(
    send, settings, rsa_issuer, middleware, token, method, url, scope
):
    """A router says which action answers which method; what is required of it is named from the first refusal on."""
    settings.MIDDLEWARE = middleware
    with rsa_issuer.installed(SCOPE="s" if middleware else ""):
        challenge = send(method, url, headers=rsa_issuer.headers(**token) if token else {})["WWW-Authenticate"]
    of_middleware = "s " if middleware else ""
    assert challenge.endswith(f'scope="{of_middleware}{scope}"')


@pytest.mark.parametrize(("method", "scope"), [("get", "list:GET:7"), ("head", "list:HEAD:7")])
def test_the_middleware_runs_no_code_of_a_view_for_a_request_that_it_refuses(send, settings, issuer, method, scope):
    """A `get_permissions` of the project's own may use the database; DRF asks it, and then its scopes are named."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    before = Actions.made
    assert send(method, "/actions/7")["WWW-Authenticate"] == "Bearer"
    assert Actions.made == before
    assert send(method, "/actions/7", headers=issuer.headers("x"))["WWW-Authenticate"] == f'{LACKING}"{scope}"'
    settings.MIDDLEWARE = []
    assert send(method, "/actions/7")["WWW-Authenticate"] == f'Bearer scope="{scope}"'


@pytest.mark.parametrize("url", ["/attributes", "/attributes-of-drf"])
@pytest.mark.parametrize("method", ["QUERYSET", "TRACE", "STOCK"])
@pytest.mark.parametrize("send_any", [Client().generic, lambda *given: asyncio.run(AsyncClient().generic(*given))])
def test_a_client_names_no_attribute_of_a_class(send_any, settings, rsa_issuer, url, method):
    """Whatever word it sends as the method: a queryset whose truth is asked has the whole table read, for anybody."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    with rsa_issuer.installed(SCOPE="s"):
        assert send_any(method, url)["WWW-Authenticate"] == 'Bearer scope="s"'


@pytest.mark.parametrize("url", ["/mock", "/any-name", "/faulty", "/with-actions", "/class-with-actions"])
@pytest.mark.parametrize("token", [{}, {"expired": True}])
def test_a_view_of_any_kind_is_refused(send, settings, rsa_issuer, url, token):
    """What it says of itself is no matter, as long as it is none of ours."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    with rsa_issuer.installed(SCOPE="s"):
        response = send("get", url, headers=rsa_issuer.headers(**token) if token else {})
    assert response.status_code == (403 if token else 401)
    assert response["WWW-Authenticate"].endswith('scope="s"')
    assert secure(scope="a")(Mock())


def test_a_token_that_was_verified_and_no_more_is_none(send, settings, issuer):
    """On an exempt view without our authenticator one with the scope is asked for a token as well."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    for scope in ("x", "a"):
        response = send("get", "/open-session", headers=issuer.headers(scope))
        assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer scope="a"')
    assert send("get", "/session", headers=issuer.headers("a")).status_code == 200


def test_many_alternatives_at_once_take_no_time(send, settings, issuer):
    """2 to the power of 30 ways lead into this view, and the challenge names the first."""
    every = " ".join(f"a{n}" for n in range(30))
    assert send("get", "/many")["WWW-Authenticate"] == f'Bearer scope="{every}"'
    assert send("get", "/many", headers=issuer.headers("a1"))["WWW-Authenticate"] == f'{LACKING}"{every}"'
    settings.MIDDLEWARE = [MIDDLEWARE]
    assert send("get", "/many")["WWW-Authenticate"] == f'Bearer scope="{every}"'


@pytest.mark.parametrize("url", ["/demanding", "/misconfigured", "/unknown"])
@pytest.mark.parametrize("middleware", [[], [MIDDLEWARE]])
def test_a_view_that_cannot_tell_its_scopes_is_refused_all_the_same(send, settings, issuer, middleware, url):
    """Such as one whose permissions need the user whom a refused request has not: no scopes, and no error."""
    settings.MIDDLEWARE = middleware
    response = send("get", url, headers=issuer.headers(expired=True))
    if middleware or url != "/unknown":
        assert (response.status_code, "scope" in response["WWW-Authenticate"]) == (403, False)


def test_a_misconfigured_permission_that_is_not_asked_costs_no_answer(send, issuer):
    """The one before it has refused."""
    assert send("get", "/misconfigured", headers=issuer.headers("x"))["WWW-Authenticate"] == f'{LACKING}"a"'


def test_an_exempt_view_requires_nothing_of_the_middlewares(send, settings, rsa_issuer):
    """What it requires itself is all that is named."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    with rsa_issuer.installed(SCOPE="s"):
        assert send("get", "/open")["WWW-Authenticate"] == 'Bearer scope="a"'


@pytest.mark.parametrize("middleware", [[], [MIDDLEWARE]])
def test_a_view_may_ask_for_more(send, settings, rsa_issuer, middleware):
    """Raised by the view: a tool, an object; the challenge has the scopes that were required before as well."""
    settings.MIDDLEWARE = middleware
    with rsa_issuer.installed(SCOPE="s"):
        response = send("get", "/raised", headers=rsa_issuer.headers("s a b"))
    assert (response.status_code, response["WWW-Authenticate"]) == (
        403,
        f'{LACKING}"{"s " if middleware else ""}a b c"',
    )


def test_a_views_own_refusal_of_a_token_carries_the_scopes(send, issuer):
    """The token is invalid there, too, and the next one needs them."""
    response = send("get", "/wrong-tenant", headers=issuer.headers("a b c"))
    assert response["WWW-Authenticate"] == (
        'Bearer error="invalid_token", error_description="Another tenant", scope="a b c"'
    )
