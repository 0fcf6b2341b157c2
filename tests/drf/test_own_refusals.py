"""A project's own refusals, raised by a permission: they stand where a scope is missing as well."""

import time

import pytest
from django.http import HttpRequest
from rest_framework.request import Request

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.errors import BearerError, InsufficientScope, RevocationCheckUnavailable
from django_oauth_jwt.permissions import HasAuthenticationContext, HasClaim, HasScope, TokenPermission

from .conftest import Endpoint


class UnpaidBill(BearerError):
    status = 402
    error = "payment_required"


class HasPaid(TokenPermission):
    def check(self, request, view):
        raise UnpaidBill("unpaid_bill", "The bill of last month is not paid")


class NeedsMore(TokenPermission):
    def check(self, request, view):
        raise InsufficientScope("z")


class IsBanned(TokenPermission):
    """The list of the banned cannot be asked."""

    def check(self, request, view):
        raise RevocationCheckUnavailable(9)


class Unpaid:
    """What a project adds to the check of ours."""

    def check(self, request, view):
        super().check(request, view)
        raise UnpaidBill("unpaid_bill", "The bill of last month is not paid")


class PaidScope(Unpaid, HasScope):
    pass


class PaidClaim(Unpaid, HasClaim):
    pass


class PaidLogin(Unpaid, HasAuthenticationContext):
    pass


MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"
PAYMENT = (402, "unpaid_bill", None)


@pytest.fixture(params=["authenticator", "decorator"])
def ask(request, serve, issuer):
    """Send a token of the scope "read" to a view of these permissions; once BearerJwtAuthentication is not there."""

    def ask(permissions):
        is_ours = request.param == "authenticator"
        authenticators = [BearerJwtAuthentication] if is_ours else []
        attributes = {"authentication_classes": authenticators, "permission_classes": permissions}
        view = type("TestView", (Endpoint,), attributes).as_view()
        client = serve(view if is_ours else secure()(view))
        return client.get("/", headers=issuer.headers("read", sub="anna", auth_time=int(time.time())))

    return ask


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        pytest.param([HasPaid, HasScope("x")], PAYMENT, id="before a scope"),
        pytest.param([HasPaid & HasScope("x")], PAYMENT, id="and a scope"),
        pytest.param([HasScope("read"), HasPaid, HasScope("x")], PAYMENT, id="between scopes"),
        pytest.param([PaidScope("read"), HasScope("x")], PAYMENT, id="a child of HasScope"),
        pytest.param([PaidClaim("sub"), HasScope("x")], PAYMENT, id="a child of HasClaim"),
        pytest.param([PaidLogin(max_age=60), HasScope("x")], PAYMENT, id="a child of HasAuthenticationContext"),
        pytest.param([NeedsMore, HasScope("x")], (403, "insufficient_scope", "x z"), id="its own scope"),
        pytest.param([HasPaid | HasScope("x")], (403, "insufficient_scope", "x"), id="a scope would do"),
        pytest.param([PaidScope("x"), HasScope("y")], (403, "insufficient_scope", "x y"), id="asked for a scope first"),
        pytest.param(
            [HasClaim("role") | PaidScope("x")], (403, "insufficient_scope", "x"), id="a scope may do, on the right"
        ),
    ],
)
def test_a_refusal_of_the_projects_own_stands(ask, signals, permissions, expected):
    """Answer, log and signal tell of it, unless more scopes would have let the request in."""
    response = ask(permissions)
    reason = signals[-1][1].get("reason")
    scope = response.headers["WWW-Authenticate"].partition(' scope="')[2].rstrip('"') or None
    assert (response.status_code, reason, scope) == expected


@pytest.mark.parametrize(
    "permission",
    [
        IsBanned(),
        ~IsBanned(),
        HasScope("read") & ~IsBanned(),
        ~(HasScope("read") & IsBanned()),
        HasScope("x") | ~IsBanned(),
        IsBanned() | HasScope("read"),
    ],
)
def test_what_nobody_can_tell_lets_nobody_in(ask, signals, permission):
    """It is no yes under `~`, and no reason to ask for more scopes."""
    response = ask([permission, HasScope("y")])
    assert (response.status_code, response.headers["Retry-After"]) == (503, "9")
    assert response.json() == {"detail": "Whether the token was revoked cannot be told for now"}
    assert [name for name, _ in signals] == ["accepted"]


def test_what_nobody_can_tell_is_not_asked_where_the_request_is_let_in_before(ask):
    """By the left side of `|`."""
    assert ask([HasScope("read") | IsBanned()]).status_code == 200


def test_what_nobody_can_tell_is_answered_where_nobody_else_of_ours_is(serve):
    """A view without our authenticator, our decorator and the middleware."""
    response = serve(authentication_classes=[], permission_classes=[~IsBanned()]).get("/")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "9")


def test_what_nobody_can_tell_is_raised_where_no_view_answers():
    """A permission that is asked by hand, as GraphQL's are: False would be a yes under `~`."""
    with pytest.raises(RevocationCheckUnavailable):
        IsBanned().has_permission(Request(HttpRequest()), None)


def test_a_form_is_not_shown_where_nobody_can_tell(serve, issuer):
    """The browsable API asks the permissions of each method, and shows the page without that form."""

    class NotToWrite(TokenPermission):
        def check(self, request, view):
            if request.method == "POST":
                raise RevocationCheckUnavailable(9)

    headers = {**issuer.headers("read"), "Accept": "text/html"}
    response = serve(permission_classes=[NotToWrite]).get("/", headers=headers)
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")


class OfATenant(BearerJwtAuthentication):
    """Refuses before or after it has asked ours."""

    asks_first = True

    def authenticate(self, request):
        if self.asks_first:
            super().authenticate(request)
        raise UnpaidBill("unpaid_bill", "The bill of last month is not paid")


@pytest.mark.parametrize(("asks_first", "middleware"), [(True, []), (True, [MIDDLEWARE]), (False, [MIDDLEWARE])])
def test_an_authentication_class_of_the_projects_own_may_refuse(serve, issuer, settings, asks_first, middleware):
    """Under the middleware at any time, else after it has asked ours: as the manual says."""
    settings.MIDDLEWARE = middleware
    kind = type("Early", (OfATenant,), {"asks_first": asks_first})
    response = serve(authentication_classes=[kind]).get("/", headers=issuer.headers("read"))
    assert (response.status_code, "payment_required" in response["WWW-Authenticate"]) == (402, True)


@pytest.mark.parametrize("method", ["get", "options"])
def test_a_form_of_a_permission_that_was_not_asked_before_is_not_shown(serve, method):
    """Without our authenticator as well: the request itself has met no permission of ours yet."""

    class Down(TokenPermission):
        def check(self, request, view):
            raise RevocationCheckUnavailable(9)

    def get_permissions(self):
        return [Down()] if self.request.method == "POST" else []

    client = serve(authentication_classes=[], get_permissions=get_permissions)
    assert getattr(client, method)("/", headers={"Accept": "text/html"}).status_code == 200
