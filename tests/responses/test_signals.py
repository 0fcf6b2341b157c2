"""The signals and the log: who listens learns why, and nobody learns the token."""

import logging

import pytest
from django.contrib.auth.models import User
from django.dispatch import receiver
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils.decorators import method_decorator
from rest_framework.authentication import BaseAuthentication
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.errors import BearerError
from django_oauth_jwt.permissions import HasClaim, HasScope
from django_oauth_jwt.signals import token_accepted, token_rejected
from django_oauth_jwt.tokens import AccessToken


def view(request):
    return JsonResponse({})


async def async_view(request):
    return JsonResponse({})


@api_view()
@authentication_classes([BearerJwtAuthentication])
@permission_classes([HasScope("read"), HasClaim("role")])
def drf_view(request):
    return JsonResponse({})


secured = secure(scope="read", claims=["role"])


class Handler(APIView):
    """One method is decorated, which DRF calls with a request of its own."""

    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = ()

    @method_decorator(secured)
    def get(self, request):
        return JsonResponse({"user": str(request.user), "role": request.claims["role"]})


class WithoutAuthenticators(Handler):
    authentication_classes = ()


@method_decorator(secured, name="dispatch")
class Twice(WithoutAuthenticators):
    """The token is accepted before DRF begins."""


class OwnAuthentication(BearerJwtAuthentication):
    def authenticate(self, request):
        found = super().authenticate(request)
        return found and (User(username="Mr Own"), found[1])


class WithOwnUser(Handler):
    authentication_classes = (OwnAuthentication,)


class ForeignAuthentication(BaseAuthentication):
    """Knows somebody by something else than the token."""

    def authenticate(self, request):
        return User(username="Mr Own"), None


class WithForeignUser(Handler):
    authentication_classes = (ForeignAuthentication,)


class Above:
    """Middleware above, which sees the request when its view is done."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        above.append(request)
        return response


above = []
urlpatterns = [
    path("handler/", Handler.as_view()),
    path("handler/alone/", WithoutAuthenticators.as_view()),
    path("handler/twice/", Twice.as_view()),
    path("handler/own/", WithOwnUser.as_view()),
    path("handler/foreign/", WithForeignUser.as_view()),
    path("def/", secured(view)),
    path("async/", secured(async_view)),
    path("drf/", drf_view),
    path("middleware/", view),
]
pytestmark = pytest.mark.urls(__name__)

GOOD = {"scope": "read", "role": "x"}
REJECTIONS = {
    "insufficient_scope": {"role": "x"},
    "missing_claims": {"scope": "read"},
    "expired": {**GOOD, "expired": True},
    "bad_signature": {**GOOD, "forged": True},
    "unknown_kid": {**GOOD, "header": {"kid": "unknown"}},
    "wrong_issuer": {**GOOD, "iss": "https://other.example.com"},
    "wrong_type": {**GOOD, "header": {"typ": "id+jwt"}},
    "missing_claim": {**GOOD, "exp": None},
    "malformed_claim": {**GOOD, "exp": "soon"},
    "not_yet_valid": {**GOOD, "nbf": 99999999999},
    "issued_in_the_future": {**GOOD, "iat": 99999999999},
}


#: What the log and receivers learn beside the reason.
DETAILS = {
    "insufficient_scope": ": read",
    "missing_claims": ': "role"',
    "missing_claim": ": exp",
    "malformed_claim": ": exp",
}


@pytest.fixture(params=["def", "async", "drf", "middleware"])
def url(request, settings, trust):
    """A secured view of each kind."""
    if request.param == "middleware":
        settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    trust(SCOPE="read", CLAIMS=["role"])
    return f"/{request.param}/"


def test_an_accepted_token_is_told_of_once(send, rsa_issuer, url, signals):
    """With the request and the access token, from the request's class."""
    assert send("get", url, headers=rsa_issuer.headers(**GOOD)).status_code == 200
    ((name, sent),) = signals
    assert name == "accepted"
    assert isinstance(sent["request"], HttpRequest)
    assert sent["sender"] is type(sent["request"])
    assert isinstance(sent["access_token"], AccessToken)


@pytest.mark.parametrize("reason", REJECTIONS)
def test_a_rejected_token_is_told_of_once_with_the_reason(send, rsa_issuer, url, signals, reason):
    """A stable word for metrics, and the error for whoever wants more."""
    assert send("get", url, headers=rsa_issuer.headers(**REJECTIONS[reason])).status_code == 403
    rejected = [sent for name, sent in signals if name == "rejected"]
    assert [sent["reason"] for sent in rejected] == [reason]
    assert isinstance(rejected[0]["error"], BearerError)
    assert isinstance(rejected[0]["request"], HttpRequest)
    assert rejected[0]["sender"] is type(rejected[0]["request"])


def somebody(access_token, request):
    """Know everybody, by the one request that receivers and middleware know."""
    assert isinstance(request, HttpRequest)
    return User(username=f"Mr {access_token.subject}")


@pytest.mark.parametrize("url", ["/handler/", "/handler/alone/", "/handler/twice/"])
@pytest.mark.parametrize("ours", [[], ["django_oauth_jwt.middleware.JwtBearerMiddleware"]])
@pytest.mark.parametrize("resolver", [None, f"{__name__}.somebody"])
@pytest.mark.parametrize("reason", [None, "insufficient_scope", "missing_claims", "expired"])
def test_a_handler_of_drf_has_the_request_of_all_others(
    send, rsa_issuer, settings, signals, url, ours, resolver, reason
):
    """DRF's own request wraps it: receivers, resolvers and middleware above see Django's, and what is set on it."""
    settings.MIDDLEWARE = [f"{__name__}.Above", *ours]
    above.clear()
    with rsa_issuer.installed(USER_RESOLVER=resolver):
        response = send("get", url, headers=rsa_issuer.headers(**REJECTIONS.get(reason, GOOD)))
    (request,) = above
    assert all(sent["request"] is request and sent["sender"] is type(request) for _, sent in signals)
    assert [sent.get("reason") for name, sent in signals if name == "rejected"] == [*filter(None, [reason])]
    if reason == "expired":
        assert (request.claims, request.access_token) == ({}, None)
    else:
        assert (request.claims["sub"], request.access_token.subject) == ("user-1", "user-1")
        assert signals[0][0] == "accepted"
    if reason is None and resolver:
        assert (response.json()["user"], request.user.username) == ("Mr user-1", "Mr user-1")


@pytest.mark.parametrize("ours", [[], ["django_oauth_jwt.middleware.JwtBearerMiddleware"]])
@pytest.mark.parametrize("resolver", [None, f"{__name__}.somebody"])
@pytest.mark.parametrize("url", ["/handler/own/", "/handler/foreign/"])
def test_a_handler_of_drf_has_the_user_of_a_projects_own_authenticator(send, rsa_issuer, settings, ours, resolver, url):
    """It says who that is, of the token or of something else, with the middleware and without; as do both requests."""
    settings.MIDDLEWARE = [f"{__name__}.Above", *ours]
    above.clear()
    with rsa_issuer.installed(USER_RESOLVER=resolver):
        response = send("get", url, headers=rsa_issuer.headers(**GOOD))
    assert (response.json()["user"], above[0].user.username) == ("Mr Own", "Mr Own")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic x"}, {"Authorization": "Bearer"}])
def test_a_request_without_a_token_is_no_rejection(send, url, signals, headers):
    """Every first request of a browser would count as an attack."""
    assert send("get", url, headers=headers).status_code == 401
    assert signals == []


def test_missing_keys_are_no_rejection(send, settings, rsa_issuer, url, signals, unreachable_jwks_uri):
    """The token is not at fault."""
    settings.OAUTH_JWT = {"JWKS_URI": unreachable_jwks_uri}
    assert send("get", url, headers=rsa_issuer.headers(**GOOD)).status_code == 503
    assert signals == []


@pytest.mark.parametrize(
    ("claims", "status"), [(GOOD, 200), (REJECTIONS["expired"], 403), (REJECTIONS["missing_claims"], 403)]
)
def test_a_receiver_that_raises_changes_no_answer(send, rsa_issuer, url, claims, status):
    """Metrics that are down keep nobody out and let nobody in."""

    @receiver([token_accepted, token_rejected], weak=False)
    def broken(**kwargs):
        raise RuntimeError

    try:
        assert send("get", url, headers=rsa_issuer.headers(**claims)).status_code == status
    finally:
        token_accepted.disconnect(broken)
        token_rejected.disconnect(broken)


def test_async_receivers_are_called_as_well(send, rsa_issuer, url):
    """Under both servers."""
    seen = []

    @receiver([token_accepted, token_rejected], weak=False)
    async def count(**kwargs):
        seen.append(kwargs.get("reason"))

    try:
        send("get", url, headers=rsa_issuer.headers(**GOOD))
        send("get", url, headers=rsa_issuer.headers(**REJECTIONS["expired"]))
    finally:
        token_accepted.disconnect(count)
        token_rejected.disconnect(count)
    assert seen == [None, "expired"]


@pytest.mark.parametrize("reason", REJECTIONS)
def test_the_log_says_why_and_nothing_of_the_token(send, rsa_issuer, url, caplog, reason):
    """Whoever reads the log finds the cause and can use nothing of it."""
    caplog.set_level(logging.DEBUG)
    token = rsa_issuer.token(**REJECTIONS[reason])
    send("get", url, headers={"Authorization": f"Bearer {token}"})
    ours = [record.getMessage() for record in caplog.records if record.name == "django_oauth_jwt"]
    assert ours == [f"Token rejected: {reason}{DETAILS.get(reason, '')}"]
    assert not any(part in caplog.text for part in token.split("."))


@pytest.mark.parametrize("reason", DETAILS)
def test_receivers_learn_which_claim_or_scope_it_is_and_clients_do_not(send, rsa_issuer, url, signals, reason):
    """The client's answer has the model's words alone, as what is required is nobody else's business."""
    response = send("get", url, headers=rsa_issuer.headers(**REJECTIONS[reason]))
    (sent,) = [sent for name, sent in signals if name == "rejected"]
    assert f": {sent['error'].detail}" == DETAILS[reason]
    assert getattr(sent["error"], "missing", ("role",)) == ("role",)
    if reason != "insufficient_scope":  # whose scopes the RFC has in the challenge
        assert not any(word in response.content.decode() + str(response.headers) for word in ("role", "exp "))


def test_an_accepted_token_leaves_no_trace_in_the_log(send, rsa_issuer, url, caplog):
    """A line per request would drown the others."""
    caplog.set_level(logging.DEBUG, "django_oauth_jwt")
    send("get", url, headers=rsa_issuer.headers(**GOOD))
    assert [record for record in caplog.records if record.name == "django_oauth_jwt"] == []
