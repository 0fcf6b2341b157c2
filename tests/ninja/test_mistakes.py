"""`BearerJwt` and our decorators used by mistake: each error says what to do instead, and nobody is let in."""

from unittest.mock import Mock

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from ninja import Router
from ninja.decorators import decorate_view

from django_oauth_jwt.contrib.ninja import BearerJwt
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.middleware import JwtBearerMiddleware
from django_oauth_jwt.permissions import HasAuthenticationContext, HasClaim, HasScope, TokenPermission
from django_oauth_jwt.users import TokenUser

SECURE_INSTEAD = r"auth=BearerJwt\(\.\.\.\).* On a Django view stands @secure\(\.\.\.\)"
BEARER_INSTEAD = r"auth=BearerJwt\(\.\.\.\), from django_oauth_jwt\.contrib\.ninja"


def view(request):
    return HttpResponse()


async def async_view(request):
    return HttpResponse()


class Shelf(View):
    def get(self, request):
        return HttpResponse()


@pytest.mark.parametrize("place", ["API", "router", "operation", "list"])
def test_the_class_instead_of_an_instance(serve, new_api, place):
    """The project does not start, where each request would end in an error."""
    api = new_api(auth={"API": BearerJwt, "list": [BearerJwt(), BearerJwt]}.get(place))
    router = Router(**({"auth": BearerJwt} if place == "router" else {}))
    router.get("/operation", **({"auth": BearerJwt} if place == "operation" else {}))(view)
    api.add_router("", router)
    if api.auth is None:
        api.auth = BearerJwt()
    with pytest.raises(TypeError, match=f"with parentheses, as {SECURE_INSTEAD}"):
        serve(api)


@pytest.mark.parametrize("misplaced", [view, async_view, Shelf, Shelf.as_view(), RequestFactory().get("/")])
def test_without_parentheses(misplaced):
    """As a decorator, or as the function that it is not."""
    with pytest.raises(TypeError, match=SECURE_INSTEAD):
        BearerJwt(misplaced)


@pytest.mark.parametrize("misplaced", [view, async_view, Shelf, Shelf.as_view()])
def test_as_a_decorator(misplaced):
    """On a view of Django, on a class, on an operation."""
    with pytest.raises(TypeError, match=SECURE_INSTEAD):
        BearerJwt(scope="read")(misplaced)


def test_as_a_decorator_of_a_method():
    """`method_decorator` calls it when the class is made, or at the first request."""
    with pytest.raises(TypeError, match=SECURE_INSTEAD):
        method_decorator(BearerJwt(), name="dispatch")(Shelf).as_view()(RequestFactory().get("/"))


@pytest.mark.parametrize("scope", ["read", ["read", "write"]])
def test_scopes_without_their_keyword(scope):
    """The keyword is named, with what was given."""
    with pytest.raises(TypeError) as error:
        BearerJwt(scope)
    assert str(error.value) == f"BearerJwt takes keywords: BearerJwt(scope={scope!r})"


@pytest.mark.parametrize("given", [{"scope": 'a"b'}, {"scope": 7}, {"claims": [{"value": 1}]}])
def test_requirements_that_make_no_sense(given):
    """At once, as with `secure`."""
    with pytest.raises(ValueError, match=r"scope|claim|list"):
        BearerJwt(**given)


@pytest.fixture(params=["sync", "async"])
def operation(request):
    """A function that no other test has made an operation of."""

    def operation(request):
        return "open"

    async def async_operation(request):
        return "open"

    return operation if request.param == "sync" else async_operation


def test_secure_below_an_operation(new_api, operation):
    """It would work only where the operation returns a response, and ninja's schema would not know of it."""
    with pytest.raises(TypeError, match=f"operation is an operation of django-ninja: {BEARER_INSTEAD}"):
        new_api().get("/operation")(secure(scope="read")(operation))


def test_secure_below_other_decorators_of_an_operation(operation):
    """ninja sees through them, as they hand on a function's attributes."""
    with pytest.raises(TypeError, match=BEARER_INSTEAD):
        Router().get("/operation")(token_not_required(secure()(decorate_view(lambda run: run)(operation))))


@pytest.mark.parametrize("decorator", [secure(), token_not_required])
def test_our_decorators_above_an_operation(decorator, operation):
    """ninja has the function already: it would be open, or stay secured, without a word."""
    with pytest.raises(TypeError, match="above an operation of django-ninja changes nothing") as error:
        decorator(Router().get("/operation")(operation))
    instead = "token_not_required stands below it" if decorator is token_not_required else "auth=BearerJwt(...)"
    assert instead in str(error.value)


@pytest.mark.parametrize("auth", [secure(scope="read"), secure], ids=["secure(...)", "secure"])
def test_secure_as_an_authenticator(issuer, serve, new_api, client, auth):
    """It takes the request for a view, or for its arguments, and nobody is let in."""
    api = new_api(auth=auth)
    api.get("/operation")(lambda request: "open")
    serve(api)
    with pytest.raises(TypeError, match=f"{BEARER_INSTEAD}, if this is django-ninja"):
        client.get("/api/operation", headers=issuer.headers("read"))


class OwnPermission(TokenPermission):
    def __init__(self, kind):
        self.kind = kind


@pytest.mark.parametrize(
    "auth",
    [
        *(HasScope, HasClaim, HasAuthenticationContext, HasScope("read"), HasClaim("sub")),
        *(TokenPermission, OwnPermission, JwtBearerMiddleware, TokenUser),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_belongs_elsewhere_as_an_authenticator(issuer, serve, new_api, client, auth, method):
    """ninja takes what it makes of the request for the user: nobody is let in, with a token or without."""
    api = new_api(auth=auth)
    getattr(api, method)("/operation")(lambda request: "open")
    serve(api)
    for headers in ({}, issuer.headers("read")):
        with pytest.raises(TypeError, match=f"{BEARER_INSTEAD}, if this is django-ninja"):
            getattr(client, method)("/api/operation", headers=headers)


@pytest.mark.parametrize("kind", [JwtBearerMiddleware, TokenUser])
def test_a_mock_is_no_request(kind):
    """It has every attribute, and stands for what tests of a project's own need not know."""
    assert isinstance(kind(Mock()), kind)


def test_it_is_no_view_of_django(issuer, settings, client):
    """Nothing is answered."""
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [path("", BearerJwt())]})
    with pytest.raises(ValueError, match="didn't return an HttpResponse"):
        client.get("/")
