"""Users and sessions beside tokens, and one verification per request."""

import pytest
from django.contrib.auth import get_user_model
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import token_not_required
from django_oauth_jwt.permissions import HasScope
from django_oauth_jwt.tokens import AccessToken
from django_oauth_jwt.users import TokenUser

RESOLVER = "django_oauth_jwt.contrib.accounts.resolve_user"
MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"


def look(view, request):
    """Keep what the view sees."""
    view.seen.append(request)
    return Response({})


def test_the_view_sees_user_token_and_claims(serve, issuer):
    """`request.auth` is the `AccessToken`; claims and token stand on the request as they do everywhere."""
    seen = []
    serve(get=look, seen=seen).get("/", headers=issuer.headers("read"))
    (request,) = seen
    assert isinstance(request.auth, AccessToken)
    assert request.auth is request.access_token
    assert request.auth.scopes == {"read"}
    assert request.claims == request.auth.claims
    assert isinstance(request.user, TokenUser)
    assert request.user.access_token is request.auth
    assert isinstance(request.successful_authenticator, BearerJwtAuthentication)


@pytest.mark.parametrize("middleware", [[], [MIDDLEWARE]])
def test_a_token_is_verified_once_whoever_looks_at_it(serve, trust, settings, signals, middleware):
    """Middleware, authenticator and permissions, with the memory of verified tokens switched off."""
    settings.MIDDLEWARE = middleware
    issuer = trust(TOKEN_CACHE_SIZE=0)
    client = serve(permission_classes=[IsAuthenticated, HasScope("a") | HasScope("b")])
    assert client.get("/", headers=issuer.headers("b")).status_code == 200
    assert [name for name, _ in signals] == ["accepted"]


def test_the_middlewares_token_is_enough_for_the_permissions(serve, issuer, settings):
    """A view with session authentication alone can ask for scopes where the middleware checks tokens."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    client = serve(authentication_classes=[SessionAuthentication], permission_classes=[HasScope("read")])
    assert client.get("/", headers=issuer.headers("read")).status_code == 200
    response = client.get("/", headers=issuer.headers("write"))
    assert (response.status_code, 'scope="read"' in response["WWW-Authenticate"]) == (403, True)


def test_a_permission_without_any_of_our_entrances_asks_for_a_token(serve, issuer):
    """Nobody has looked at the token, so nobody is let in, whatever it says."""
    client = serve(authentication_classes=[SessionAuthentication], permission_classes=[HasScope("read")])
    response = client.get("/", headers=issuer.headers("read"))
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer scope="read"')
    assert "Authorization" in response["Vary"]


@pytest.mark.django_db
@pytest.mark.parametrize("middleware", [[], [MIDDLEWARE]])
def test_users_of_the_user_model_have_its_rights(serve, trust, settings, middleware):
    """With the resolver that is shipped, `IsAdminUser` asks the database's user; no claim makes anybody one."""
    settings.MIDDLEWARE = middleware
    issuer = trust(USER_RESOLVER=RESOLVER, ACCOUNTS={"USERNAME": "sub"})
    client = serve(permission_classes=[IsAdminUser])
    headers = issuer.headers(sub="chief", is_staff=True, is_superuser=True)
    assert client.get("/", headers=headers).status_code == 403
    get_user_model().objects.filter(username="chief").update(is_staff=True)
    assert client.get("/", headers=headers).json()["user"] == "chief"


@pytest.mark.django_db
def test_a_user_of_nobody_is_refused(serve, trust):
    """Not turned into an anonymous user, also where everybody is allowed."""
    issuer = trust(USER_RESOLVER=RESOLVER)
    response = serve().get("/", headers=issuer.headers(sub=None))
    assert response.status_code == 403
    assert response.json() == {"detail": "Token belongs to no user"}


@pytest.mark.parametrize("ours_first", [True, False])
def test_a_post_with_a_token_needs_no_csrf_token(serve, issuer, ours_first):
    """Session authentication asks those for it who have a session."""
    authenticators = [BearerJwtAuthentication, SessionAuthentication][:: 1 if ours_first else -1]
    client = serve(authentication_classes=authenticators, permission_classes=[IsAuthenticated])
    client.handler.enforce_csrf_checks = True
    assert client.post("/", headers=issuer.headers()).status_code == 200


@pytest.mark.parametrize(("exempt", "status"), [(True, 401), (False, 403)])
def test_a_token_of_nobody_meets_no_permission_on_an_exempt_view(serve, rsa_issuer, settings, exempt, status):
    """The middleware verifies it there and asks no resolver, so it is not accepted."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    attributes = {"authentication_classes": [], "permission_classes": [HasScope("read")], "get": look, "seen": []}
    view = type("Bare", (APIView,), attributes).as_view()
    client = serve(token_not_required(view) if exempt else view)
    with rsa_issuer.installed(USER_RESOLVER=lambda access_token, request: None):
        assert client.get("/", headers=rsa_issuer.headers("read")).status_code == status
