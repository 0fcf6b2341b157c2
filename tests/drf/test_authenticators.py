"""Our authenticator beside others, in any order, and under exception handlers of the project's own."""

from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.http import JsonResponse
from rest_framework.authentication import (
    BaseAuthentication,
    BasicAuthentication,
    SessionAuthentication,
    TokenAuthentication,
)
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView, exception_handler

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.permissions import HasScope, TokenPermission

EXPIRED = 'Bearer error="invalid_token", error_description="Token has expired"'
LACKING = (
    'Bearer error="insufficient_scope", error_description="Token is missing some required scope values", scope="read"'
)
BASIC = 'Basic realm="api"'
ORDERS = [
    pytest.param([BearerJwtAuthentication], "Bearer", id="alone"),
    pytest.param([BearerJwtAuthentication, SessionAuthentication], "Bearer", id="before session"),
    pytest.param([SessionAuthentication, BearerJwtAuthentication], "Bearer", id="after session"),
    pytest.param([BearerJwtAuthentication, BasicAuthentication], "Bearer", id="before basic"),
    pytest.param([BasicAuthentication, BearerJwtAuthentication], f"Bearer, {BASIC}", id="after basic"),
    pytest.param([BearerJwtAuthentication, TokenAuthentication], "Bearer", id="before token"),
    pytest.param([TokenAuthentication, BearerJwtAuthentication], "Bearer, Token", id="after token"),
    pytest.param(
        [SessionAuthentication, BasicAuthentication, BearerJwtAuthentication], "Bearer", id="after session and basic"
    ),
]


@pytest.mark.parametrize(("authenticators", "challenge"), ORDERS)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Digest x"}])
def test_who_brings_nothing_is_challenged_for_a_token(serve, issuer, authenticators, challenge, headers):
    """DRF asks the first authenticator alone, and answers 403 where it has no challenge; ours is there all the same."""
    client = serve(authentication_classes=authenticators, permission_classes=[IsAuthenticated])
    response = client.get("/", headers=headers)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == challenge
    assert response.json() == {"detail": "Authentication credentials were not provided."}
    assert response["Cache-Control"] == "no-store"
    assert "Authorization" in response["Vary"]


@pytest.mark.parametrize(("authenticators", "_"), ORDERS)
@pytest.mark.parametrize("permission", [AllowAny, IsAuthenticated, HasScope("read")])
def test_a_bad_token_is_refused_wherever_we_stand(serve, issuer, authenticators, _, permission):
    """Even where everybody is allowed: it is not turned into an anonymous request."""
    client = serve(authentication_classes=authenticators, permission_classes=[permission])
    response = client.get("/", headers=issuer.headers("read", expired=True))
    challenge = f'{EXPIRED}, scope="read"' if isinstance(permission, HasScope) else EXPIRED
    assert (response.status_code, response["WWW-Authenticate"]) == (403, challenge)
    assert response.json() == {"detail": "Token has expired"}


@pytest.mark.parametrize(("authenticators", "_"), ORDERS)
def test_a_missing_scope_is_challenged_wherever_we_stand(serve, issuer, authenticators, _):
    """A 403 of DRF carries no challenge; ours does."""
    client = serve(authentication_classes=authenticators, permission_classes=[IsAuthenticated, HasScope("read")])
    response = client.get("/", headers=issuer.headers("write"))
    assert (response.status_code, response["WWW-Authenticate"]) == (403, LACKING)
    assert client.get("/", headers=issuer.headers("read")).status_code == 200


@pytest.mark.parametrize(("authenticators", "_"), ORDERS)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Digest x"}])
def test_where_everybody_is_allowed_no_token_is_needed(serve, issuer, authenticators, _, headers):
    """Another scheme is passed over, and nobody is nobody."""
    client = serve(authentication_classes=authenticators)
    response = client.get("/", headers=headers)
    assert response.status_code == 200
    assert response.json() == {"user": "AnonymousUser", "has_token": False}
    assert "WWW-Authenticate" not in response.headers
    assert "Authorization" in response["Vary"]


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b"])
def test_a_header_that_is_for_us_but_broken_is_refused(serve, issuer, header):
    """The scheme says that it is ours, so nobody is asked after us."""
    response = serve().get("/", headers={"Authorization": header})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.django_db
@pytest.mark.usefixtures("weak_passwords")
@pytest.mark.parametrize("ours_first", [True, False])
def test_other_authenticators_let_in_whom_they_know(serve, issuer, ours_first):
    """A user with a password is let in beside users with tokens, but has no scope."""
    get_user_model().objects.create_user("alice", password="secret")
    authenticators = [BearerJwtAuthentication, BasicAuthentication][:: 1 if ours_first else -1]
    headers = {"Authorization": "Basic YWxpY2U6c2VjcmV0"}
    client = serve(authentication_classes=authenticators, permission_classes=[IsAuthenticated])
    assert client.get("/", headers=headers).json() == {"user": "alice", "has_token": False}
    client = serve(authentication_classes=authenticators, permission_classes=[HasScope("read")])
    response = client.get("/", headers=headers)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer scope="read"')


@pytest.mark.django_db
@pytest.mark.usefixtures("weak_passwords")
def test_the_refusal_of_another_authenticator_stays_its_own(serve, issuer):
    """A wrong password is not a matter of tokens."""
    client = serve(authentication_classes=[BasicAuthentication, BearerJwtAuthentication])
    response = client.get("/", headers={"Authorization": "Basic YWxpY2U6eA=="})
    assert response.status_code == 401
    assert response.json() == {"detail": "Invalid username/password."}
    assert BASIC in response["WWW-Authenticate"]


def test_the_realm_is_in_drfs_challenges(serve, trust):
    """Of the request without a token, and of the bad one."""
    issuer = trust(REALM='the "api"')
    client = serve(permission_classes=[IsAuthenticated])
    assert client.get("/")["WWW-Authenticate"] == r'Bearer realm="the \"api\""'
    bad = client.get("/", headers=issuer.headers(expired=True))
    assert bad["WWW-Authenticate"].startswith(r'Bearer realm="the \"api\"", error="invalid_token"')


def own_body(exc, context):
    """Build a response that ignores what the exception would put into the headers."""
    response = exception_handler(exc, context)
    return Response({"problem": str(exc)}, status=response.status_code)


def of_django(exc, context):
    """Answer with a response of Django's own."""
    return JsonResponse({"code": exc.get_codes()}, status=exc.status_code)


@pytest.mark.parametrize("handler", [own_body, of_django])
@pytest.mark.parametrize(
    ("token", "status", "challenge"),
    [
        ({"expired": True}, 403, f'{EXPIRED}, scope="read"'),
        ({"scope": "x"}, 403, LACKING),
        (None, 401, 'Bearer scope="read"'),
    ],
)
@pytest.mark.parametrize("permissions", [[HasScope("read")], [IsAuthenticated, HasScope("read")]])
def test_an_exception_handler_of_the_projects_own_loses_no_challenge(
    serve, issuer, handler, token, status, challenge, permissions
):
    """Problem details, envelopes: whatever the body, the headers stay."""
    client = serve(permission_classes=permissions, get_exception_handler=lambda view: handler)
    response = client.get("/", headers={} if token is None else issuer.headers(**token))
    assert (response.status_code, response["WWW-Authenticate"]) == (status, challenge)
    assert response["Cache-Control"] == "no-store"
    assert "detail" not in response.json()


def test_an_exception_handler_that_handles_nothing_is_drfs_matter(serve, issuer):
    """None means unhandled: the exception goes on, as it does with any of DRF's own."""
    client = serve(permission_classes=[IsAuthenticated], get_exception_handler=lambda view: lambda exc, context: None)
    with pytest.raises(NotAuthenticated):
        client.get("/")
    with pytest.raises(Exception, match="Token has expired"):
        client.get("/", headers=issuer.headers(expired=True))


def test_keys_that_cannot_be_had_are_a_503(serve, settings, rsa_issuer, unreachable_jwks_uri):
    """With Retry-After and no challenge, also under a handler that ignores headers."""
    settings.OAUTH_JWT = {"JWKS_URI": unreachable_jwks_uri}
    for attributes in ({}, {"get_exception_handler": lambda view: own_body}):
        response = serve(**attributes).get("/", headers=rsa_issuer.headers())
        assert response.status_code == 503
        assert int(response["Retry-After"]) >= 1
        assert "WWW-Authenticate" not in response.headers


@pytest.fixture
def default_authenticator(settings):
    """Our class by its dotted path in DRF's own settings."""
    settings.REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["django_oauth_jwt.authentication.BearerJwtAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    }


def test_drfs_default_settings_take_the_dotted_path(default_authenticator, serve, issuer):
    """The usual way to configure it."""
    from rest_framework.settings import api_settings  # noqa: PLC0415  # what the settings are now

    client = serve(
        authentication_classes=api_settings.DEFAULT_AUTHENTICATION_CLASSES,
        permission_classes=api_settings.DEFAULT_PERMISSION_CLASSES,
    )
    assert client.get("/")["WWW-Authenticate"] == "Bearer"
    assert client.get("/", headers=issuer.headers()).json() == {"user": "user-1", "has_token": True}


def test_drfs_test_helpers_pass_us_by(serve, issuer):
    """`force_authenticate` is how DRF's users test."""
    client = serve(permission_classes=[IsAuthenticated])
    client.force_authenticate(user=type("User", (), {"is_authenticated": True, "__str__": lambda self: "forced"})())
    assert client.get("/").json() == {"user": "forced", "has_token": False}


def test_a_request_without_a_view_can_be_authenticated(issuer):
    """Projects call authenticators by hand, with a request of DRF that no view has made."""
    from rest_framework.request import Request  # noqa: PLC0415  # with the one use

    request = Request(APIRequestFactory().get("/", headers=issuer.headers("read")))
    user, token = BearerJwtAuthentication().authenticate(request)
    assert (str(user), token.scopes) == ("user-1", {"read"})


def test_authentication_that_the_view_puts_off_is_challenged_when_it_comes(serve, issuer):
    """DRF's documentation has views that authenticate only when they look at the user."""
    client = serve(perform_authentication=lambda view, request: None)
    response = client.get("/", headers=issuer.headers(expired=True))
    assert (response.status_code, response["WWW-Authenticate"]) == (403, EXPIRED)


class KnowsEverybody(BaseAuthentication):
    """Somebody else's authenticator, such as that of a session."""

    def authenticate(self, request):
        return SimpleNamespace(is_authenticated=True), None


class ReadsClaims(TokenPermission):
    """A permission of the project's, which lets everybody in."""

    def check(self, request, view):
        assert request.claims == {}


class Claims(APIView):
    """A view for which a token is optional; it reads the claims of DRF's request and of Django's."""

    def get(self, request):
        claims, token = request.claims, request.access_token
        assert (claims, token) == (request._request.claims, request._request.access_token)
        return Response({"claims": claims, "token": token and token.subject})


@pytest.mark.parametrize("authenticators", [[], [KnowsEverybody, BearerJwtAuthentication]])
@pytest.mark.parametrize("permission", [HasScope("read") | AllowAny, ~HasScope("read"), ReadsClaims])
@pytest.mark.parametrize("has_token", [False, True])
def test_a_view_with_a_permission_of_ours_reads_no_claims_where_we_were_not_asked(
    serve, issuer, authenticators, permission, has_token
):
    """Another authenticator knows the request before ours, or there is none: no AttributeError."""
    attributes = {"authentication_classes": authenticators, "permission_classes": [permission]}
    client = serve(type("TestView", (Claims,), attributes))
    headers = issuer.headers("read") if has_token else {}
    assert client.get("/", headers=headers).json() == {"claims": {}, "token": None}


def test_a_permission_of_ours_leaves_the_claims_of_another_entry_point(serve, issuer):
    """Those of the decorator, where the view's own authenticator is another one."""
    attributes = {"authentication_classes": [KnowsEverybody], "permission_classes": [HasScope("read")]}
    client = serve(secure()(type("TestView", (Claims,), attributes).as_view()))
    answer = client.get("/", headers=issuer.headers("read", sub="anna")).json()
    assert (answer["claims"]["sub"], answer["token"]) == ("anna", "anna")


def test_a_permission_of_ours_leaves_the_claims_of_another_authenticator(rf):
    """Whose attribute has the same name."""
    request = Request(rf.get("/"))
    request._request.claims = {"theirs": 1}
    assert not HasScope("read")().has_permission(request, APIView())
    assert request.claims == {"theirs": 1}


def test_a_permission_of_ours_takes_djangos_own_request(rf):
    """As code that has no view of DRF asks it."""
    request = rf.get("/")
    assert ReadsClaims().has_permission(request, None)
    assert (request.claims, request.access_token) == ({}, None)
