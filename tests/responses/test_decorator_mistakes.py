"""The decorators used by mistake: each error says what to do instead, and nobody is let in meanwhile."""

import asyncio
import re
from functools import partial
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.views import View
from django.views.decorators.cache import never_cache
from rest_framework.decorators import action, api_view
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ModelViewSet

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.jwks import get_jwks_service
from django_oauth_jwt.testing import SigningKey, TokenIssuer
from django_oauth_jwt.verification import averify_token, verify_token


def view(request):
    return HttpResponse()


async def async_view(request):
    return HttpResponse()


class Shelf(View):
    def get(self, request):
        return HttpResponse()


class Api(APIView):
    """A class of Django REST framework."""


class Books(ModelViewSet):
    """One of its view sets."""


@pytest.mark.parametrize("misplaced", [view, async_view, Shelf, Api, Shelf.as_view(), Shelf.as_view])
def test_secure_without_parentheses(misplaced):
    """On whatever it stands, the parentheses are what is missing."""
    with pytest.raises(TypeError, match=r"with parentheses: @secure\(\)"):
        secure(misplaced)


def test_secure_without_parentheses_on_a_class():
    """`method_decorator` calls it at once, so the project does not start."""
    with pytest.raises(TypeError, match=r"with parentheses: @secure\(\)"):
        method_decorator(secure, name="dispatch")(type("Forgotten", (Shelf,), {}))


@pytest.mark.parametrize("scope", ["read", ["read", "write"]])
def test_scopes_without_their_keyword(scope):
    """The keyword is named, with what was given."""
    with pytest.raises(TypeError) as error:
        secure(scope)
    assert str(error.value) == f"secure takes keywords: secure(scope={scope!r})"


class Lent:
    """A key service whose methods are those of another one."""

    def __init__(self, lender):
        self.lender = lender

    def __getattr__(self, name):
        return getattr(self.lender, name)


class Late:
    """A key service that cannot be had yet."""

    def __getattr__(self, name):
        raise RuntimeError("not yet")


def _verify_in_a_loop(encoded_token, **kwargs):
    return asyncio.run(averify_token(encoded_token, **kwargs))


SERVICE = TokenIssuer(key=SigningKey.generate("ES256", "key"))
#: By what an error calls it: what is given as ``jwks_service`` by mistake.
NO_SERVICES = {
    "str": "https://user:secret@as.example.com/jwks",
    "class": TokenIssuer,
    "KeySet": SERVICE.current(),
    "dict": SERVICE.jwks(),
    "function": get_jwks_service,
    "SimpleNamespace": SimpleNamespace(key_set_for=SERVICE.key_set_for, akey_set_for=SERVICE.akey_set_for),
}


@pytest.mark.parametrize("verify", [verify_token, _verify_in_a_loop])
@pytest.mark.parametrize("kind", NO_SERVICES)
def test_a_key_service_that_is_none(issuer, kind, verify):
    """Told where the view is made, and by a verification at once; it would be a 503 at each request."""
    for use in (secure, lambda **given: verify(issuer.token(), **given)):
        with pytest.raises(TypeError) as error:
            use(jwks_service=NO_SERVICES[kind])
        methods = "current, key_set_for, akey_set_for"
        assert str(error.value) == f"jwks_service must be an object with the methods {methods}, not a {kind}"


@pytest.mark.parametrize("make", [Lent, lambda service: Mock(wraps=service, issuer=service.issuer)])
def test_a_key_service_that_lends_its_methods(settings, make):
    """As the setting JWKS_SERVICE takes it."""
    settings.OAUTH_JWT, service = {}, make(SERVICE)
    assert verify_token(SERVICE.token(sub="anna"), jwks_service=service).subject == "anna"
    request = RequestFactory().get("/", headers=SERVICE.headers())
    assert secure(jwks_service=service)(view)(request).status_code == 200


def test_a_key_service_that_cannot_be_had_yet():
    """The project starts; a request tells. What Django makes at its first use is not made before that."""
    secure(jwks_service=Late())(view)
    secure(jwks_service=SimpleLazyObject(pytest.fail))(view)


@pytest.mark.parametrize("realm", [5, ["api"], b"api", "caf\u00e9", "a\nb"])
def test_a_realm_that_cannot_stand_in_a_header(realm):
    """The one of the decorator; that of the settings is checked there."""
    with pytest.raises(ValueError, match="must be a string of printable ASCII"):
        secure(realm=realm)


@pytest.mark.parametrize(("decorator", "name"), [(secure(), "secure(...)"), (token_not_required, "token_not_required")])
class TestNoView:
    @pytest.mark.parametrize("kind", [Shelf, View, dict])
    def test_on_a_class(self, decorator, name, kind):
        """A class of Django wants `method_decorator`."""
        with pytest.raises(TypeError) as error:
            decorator(kind)
        remedy = f'@method_decorator({name}, name="dispatch")'
        assert str(error.value) == f"{name} stands on views, {kind.__name__} is a class: {remedy}"

    @pytest.mark.parametrize("kind", [Api, APIView, Books])
    def test_on_a_class_of_rest_framework(self, decorator, name, kind):
        """To secure it there are the authentication and permission classes, too."""
        with pytest.raises(TypeError, match=rf"class: .*@method_decorator\({re.escape(name)}, name=") as error:
            decorator(kind)
        classes = "BearerJwtAuthentication in authentication_classes, HasScope in permission_classes, or @"
        assert (classes in str(error.value)) is (name == "secure(...)")

    @pytest.mark.parametrize("kind", [Shelf, Api, Books])
    def test_on_as_view_without_its_parentheses(self, decorator, name, kind):
        """It would end in an error of Django's at the first request."""
        with pytest.raises(TypeError, match=r"as_view\(\) with its parentheses"):
            decorator(kind.as_view)

    @pytest.mark.parametrize("value", ["books.views.shelf", 1, path("", view), RequestFactory().get("/")])
    def test_on_what_cannot_be_called(self, decorator, name, value):
        """A name, a route, a request of a view that was forgotten in the URLconf."""
        with pytest.raises(TypeError, match=f"got a {type(value).__name__}"):
            decorator(value)


def test_token_not_required_with_parentheses():
    """It takes nothing, so it has none."""
    with pytest.raises(TypeError, match="without parentheses: @token_not_required"):
        token_not_required()


ACTIONS = ["list", "create", "retrieve", "update", "partial_update", "destroy"]


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options", "trace", *ACTIONS])
@pytest.mark.parametrize("base", [View, APIView, ModelViewSet])
def test_token_not_required_on_one_method_of_a_class(base, method):
    """The middleware asks the class: the method alone would stay secured, without a word."""

    def handler(self, request):
        return HttpResponse()

    handler.__name__, handler.__qualname__ = method, f"Open.{method}"
    with pytest.raises(TypeError, match=r"name=\"dispatch\"\) on Open"):
        type("Open", (base,), {method: token_not_required(handler)})


@pytest.mark.parametrize("action", ACTIONS)
def test_a_function_in_a_class_may_be_named_as_an_action_is(action):
    """A class may be no more than the place where views stand."""

    def list_books(request):
        return HttpResponse()

    for view in (list_books, partial(list_books)):
        view.__name__, view.__qualname__ = action, f"Books.{action}"
        assert token_not_required(view)(None).status_code == 200


@pytest.mark.parametrize("method", ["get", "post", *ACTIONS])
def test_a_method_of_an_object_is_a_view(method):
    """It is called without the object, by whatever name: views of an `AdminSite` are such methods, wrapped."""

    def handler(self, request):
        return HttpResponse()

    handler.__name__, handler.__qualname__ = method, f"Site.{method}"
    bound = getattr(type("Site", (), {method: handler})(), method)
    for view in (bound, never_cache(bound)):
        assert token_not_required(view)(RequestFactory().get("/")).status_code == 200


def test_a_decorated_action_is_one():
    """Whatever stands below."""
    with pytest.raises(TypeError, match=r"name=\"dispatch\"\) on .*Cached"):

        class Cached(ModelViewSet):
            @token_not_required
            @method_decorator(never_cache)
            def list(self, request):
                return Response()


def test_above_the_decorator_of_an_action():
    """An action may have any name."""
    with pytest.raises(TypeError, match=r"name=\"dispatch\"\) on .*Loans"):

        class Loans(ModelViewSet):
            @token_not_required
            @action(detail=False)
            def overdue(self, request):
                return Response()


@pytest.mark.parametrize("name", ["get", "list"])
def test_a_view_may_be_named_as_a_method_is(name):
    """A function is one, be it made in a module or in another function."""

    def get(request):
        return HttpResponse()

    for place in ("test_a_view_may_be_named.<locals>.", ""):
        get.__qualname__ = f"{place}{name}"
        assert token_not_required(view=get)(None).status_code == 200


@pytest.mark.parametrize("base", [APIView, ModelViewSet])
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("write", 403), ("read", 200)])
def test_method_decorator_secures_a_class_of_rest_framework(send, issuer, settings, base, token, status):
    """What the error recommends does what it should."""

    class Secured(base):
        authentication_classes = permission_classes = ()

        def get(self, request):
            return Response(request.access_token.subject)

        list = get

    secured = method_decorator(secure(scope="read"), name="dispatch")(Secured)
    made = secured.as_view(**({"actions": {"get": "list"}} if base is ModelViewSet else {}))
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [path("drf/", made)]})
    assert send("get", "/drf/", headers=token and issuer.headers(token)).status_code == status


@pytest.mark.parametrize("returned", [None, {"sub": "anna"}, "text", [1]])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_view_that_returns_no_response_is_named(send, issuer, settings, returned, is_async):
    """A forgotten `return`, or a framework that makes the response by itself, such as django-ninja's operations."""

    def forgetful(request):
        return returned

    async def aforgetful(request):
        return returned

    secured = secure()(aforgetful if is_async else forgetful)
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [path("", secured)]})
    with pytest.raises(TypeError, match=rf"return an HttpResponse; .*forgetful returned a {type(returned).__name__}"):
        send("get", "/", headers=issuer.headers())


@pytest.mark.parametrize("authentication", [[], [BearerJwtAuthentication]])
@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda function: secure(scope="read")(api_view(["GET"])(function)), id="above"),
        pytest.param(lambda function: api_view(["GET"])(secure(scope="read")(function)), id="below"),
    ],
)
def test_a_function_of_rest_framework_may_be_secured(send, issuer, settings, signals, made, authentication):
    """`@api_view` makes a view of it: above or below, beside our authenticator or not, the token is verified once."""

    def whoami(request):
        return Response(request.access_token.subject)

    whoami.authentication_classes = authentication  # as DRF's own decorator sets them
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [path("drf/", made(whoami))]})
    assert send("get", "/drf/").status_code == 401
    assert send("get", "/drf/", headers=issuer.headers("write")).status_code == 403
    signals.clear()
    response = send("get", "/drf/", headers=issuer.headers("read", sub="anna"))
    assert (response.status_code, response.data) == (200, "anna")
    assert "Authorization" in response["Vary"]
    assert [name for name, _ in signals] == ["accepted"]
