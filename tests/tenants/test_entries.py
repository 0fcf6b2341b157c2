"""What an entry of the resolver says holds for that tenant's tokens and for no others."""

import asyncio

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.http import JsonResponse
from django.test import AsyncClient
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.contrib.accounts.models import FederatedIdentity
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.jwks import get_jwks_service
from django_oauth_jwt.permissions import HasAuthenticationContext
from django_oauth_jwt.testing import ProofKey, SigningKey, TokenIssuer
from django_oauth_jwt.verification import averify_token, verify_token

from .issuers import A, B

AT = 1_800_000_000
#: By what it is about: what the entry of A says, and claims with which A's tokens are refused, and accepted.
HELD = {
    "AUDIENCE": ({"AUDIENCE": "for-a"}, {"aud": "for-b"}, {"aud": ["for-a", "other"]}),
    "LEEWAY": ({"LEEWAY": 5}, {"exp": AT - 10}, {"exp": AT - 4}),
    "ALGORITHMS": ({"ALGORITHMS": ["RS256"]}, {}, None),
    "REQUIRED_CLAIMS": ({"REQUIRED_CLAIMS": ["tid"]}, {"tid": None}, {"tid": "1"}),
    "TOKEN_TYPES": ({"TOKEN_TYPES": ["jwt"]}, {}, None),
    "REQUIRE_BOUND_TOKENS": ({"REQUIRE_BOUND_TOKENS": True}, {}, None),
    "JWKS, of another key": ({"JWKS_SERVICE": None, "JWKS": B.jwks()}, {}, None),
    "JWKS": ({"JWKS_SERVICE": None, "JWKS": A.jwks()}, {"exp": AT - 40}, {}),
}


def who(request):
    return JsonResponse({"user": type(request.user).__name__, "name": request.user.get_username()})


async def awho(request):
    user = await request.auser()
    return JsonResponse({"user": type(user).__name__, "name": user.get_username()})


class RecentLogin(APIView):
    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = (HasAuthenticationContext(max_age=60),)

    def get(self, request):
        return Response({"user": type(request.user).__name__})


urlpatterns = [
    path("who", secure()(who)),
    path("awho", secure()(awho)),
    path("plain", who),
    path("drf-recent", RecentLogin.as_view()),
]


@pytest.fixture
def get(client, settings):
    """Send a token to one of the views above."""
    settings.ROOT_URLCONF = __name__
    return lambda at, token: client.get(at, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize(("entry", "refused", "accepted"), HELD.values(), ids=HELD)
def test_an_entry_holds_by_every_entrance(tenants, enter, frozen_time, entry, refused, accepted):
    """For the tokens of its issuer; those of another tenant know nothing of it. Remembered or not."""
    tenants.add(A, **entry)
    tenants.add(B)
    bad, of_other = A.token("read", **refused), B.token("read", **refused | {"exp": None} | {"exp": AT + 60})
    good = None if accepted is None else A.token("read", **accepted)
    for _ in range(2):
        assert enter(bad)[0] in (401, 403)
        assert enter(of_other)[0] == 200
        assert good is None or enter(good)[0] == 200
    assert sorted(tenants.asked) == [A.issuer, B.issuer]


def test_the_projects_settings_hold_where_an_entry_does_not_say_otherwise(trust_tenants, enter):
    """As for the entries of ISSUERS; where the keys are is never inherited."""
    tenants = trust_tenants(AUDIENCE="api", LEEWAY=0)
    tenants.add(A)
    tenants.add(B, AUDIENCE="for-b")
    assert enter(A.token("read", aud="api"))[0] == 200
    assert enter(A.token("read", aud="for-b"))[0] == 403
    assert enter(B.token("read", aud="for-b"))[0] == 200
    assert enter(B.token("read", aud="api"))[0] == 403


def test_a_bound_token_is_required_of_one_tenant(tenants, client_get, client):
    """With its proof it is accepted, where an unbound one is not."""
    tenants.add(A, REQUIRE_BOUND_TOKENS=True)
    assert client_get(A.token()).status_code == 401
    proof_key = ProofKey.generate()
    token = A.token(bound_to=proof_key)
    headers = proof_key.headers(token, "GET", "http://testserver/middleware")
    assert client.get("/middleware", headers=headers).status_code == 200


@pytest.mark.parametrize("at", ["/who", "/plain"])
def test_users_are_those_of_the_tenants_own_resolver(tenants, settings, get, at):
    """By the decorator, and by the middleware alone."""
    if at == "/plain":
        settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    tenants.add(A, USER_RESOLVER="tests.tenants.issuers.resolve_user_of_a")
    tenants.add(B, USER_RESOLVER="tests.tenants.issuers.resolve_user_of_b")
    assert get(at, B.token()).json()["user"] == "UserOfB"
    assert get(at, A.token()).json()["user"] == "TokenUser"


@pytest.mark.django_db
def test_accounts_of_two_tenants_never_meet(tenants, get):
    """The same subject of both is two users, each made and named as its tenant's entry says."""
    resolver = "django_oauth_jwt.contrib.accounts.resolve_user"
    tenants.add(A, USER_RESOLVER=resolver, ACCOUNTS={"USERNAME": "email"})
    tenants.add(B, USER_RESOLVER=resolver, ACCOUNTS={"CREATE": False})
    anna = {"sub": "auth0|1", "email": "anna@example.com"}
    assert get("/who", A.token(**anna)).json()["name"].startswith("anna@example.com")
    assert get("/who", B.token(**anna)).status_code == 403
    assert [identity.issuer for identity in FederatedIdentity.objects.all()] == [A.issuer]
    tenants.add(B, USER_RESOLVER=resolver)
    user = get_user_model().objects.get()
    assert get("/who", A.token(**anna)).json()["name"] == user.get_username()


@pytest.mark.django_db
def test_accounts_work_in_async_views(tenants, settings):
    """The resolver of issuers and that of users both ask the database from an event loop."""
    settings.ROOT_URLCONF = __name__
    tenants.add(A, USER_RESOLVER="django_oauth_jwt.contrib.accounts.resolve_user")
    headers = A.headers(sub="auth0|2")

    async def ask():
        return await AsyncClient().get("/awho", headers=headers)

    assert async_to_sync(ask)().json()["user"] == "User"


def test_the_age_of_a_login_is_checked_with_the_tenants_leeway(tenants, get, frozen_time):
    """Not with the project's."""
    tenants.add(A, LEEWAY=5)
    tenants.add(B, LEEWAY=20)
    logged_in = {"auth_time": AT - 70}
    assert get("/drf-recent", A.token(**logged_in)).status_code == 401
    assert get("/drf-recent", B.token(**logged_in)).status_code == 200


def test_a_revoked_token_of_a_tenant_is_refused(trust_tenants, enter):
    """IS_REVOKED is asked about tenants' tokens as about all, remembered or not."""
    revoked = set()
    tenants = trust_tenants(IS_REVOKED=lambda access_token: access_token.claims["jti"] in revoked)
    tenants.add(A)
    token = A.token("read", jti="1")
    assert enter(token)[0] == 200
    revoked.add("1")
    assert enter(token)[0] == 403


@pytest.mark.django_db
def test_explain_token_asks_the_resolver(tenants, capsys):
    """And names the rule that a token breaks, with the tenant's own settings."""
    tenants.add(A, AUDIENCE="for-a")
    call_command("explain_token", A.token(aud="for-b"))
    assert 'Token audience is not accepted ("for-b"; accepted: "for-a")' in capsys.readouterr().out
    call_command("explain_token", B.token())
    shown = capsys.readouterr().out
    assert '"https://b.example.com"; trusted: those that ISSUER_RESOLVER knows' in shown
    assert "The token is refused: wrong_issuer" in shown
    assert tenants.asked == [A.issuer, B.issuer]


def test_keys_of_one_tenant_never_verify_a_token_that_names_another(tenants, enter):
    """Whichever was verified before, with the same `kid` at both; by name, and by a key that is its own."""
    tenants.add(A)
    tenants.add(B)
    forged = TokenIssuer(B.issuer, key=A.keys[0])
    for good in (A, B):
        assert enter(good.token("read"))[0] == 200
        for _ in range(2):
            assert enter(forged.token("read"))[0] == 403
    unknown = TokenIssuer(B.issuer, key=SigningKey.generate("ES256", "key"))
    assert enter(unknown.token("read"))[0] == 403


@pytest.fixture(params=["verify_token", "averify_token"])
def verify_by_hand(request):
    """Verify a token with the key service that `get_jwks_service` returns for its issuer, or with another one."""
    verify = verify_token if request.param == "verify_token" else async_to_sync(averify_token)

    def verify_by_hand(token, service=None):
        return verify(token, jwks_service=service or get_jwks_service(A.issuer))

    return verify_by_hand


def test_an_entry_holds_where_the_key_service_is_given_by_hand(trust_tenants, verify_by_hand, frozen_time):
    """The one that is the tenant's own: its audience is not the project's, and its changes are noticed."""
    tenants = trust_tenants(AUDIENCE="api")
    tenants.instead = lambda iss: {"JWKS": A.jwks(), "AUDIENCE": "for-a"}
    token = A.token(aud="for-a")
    for _ in range(2):
        assert verify_by_hand(token).subject == "user-1"
        with pytest.raises(InvalidToken, match="audience"):
            verify_by_hand(A.token(aud="api"))
    tenants.instead = lambda iss: {"JWKS": A.jwks(), "AUDIENCE": "for-a", "REQUIRE_BOUND_TOKENS": True}
    frozen_time.now += 300
    with pytest.raises(InvalidToken) as caught:
        verify_by_hand(A.token(aud="for-a"))
    assert caught.value.reason == "unproven"


def test_a_key_service_of_no_tenant_is_the_projects(trust_tenants, verify_by_hand, frozen_time):
    """What holds for all holds for it, until the table has its issuer."""
    tenants, token = trust_tenants(AUDIENCE="api"), B.token(aud="api", exp=AT + 60)
    for _ in range(2):
        assert verify_by_hand(token, B).issuer == B.issuer
    with pytest.raises(InvalidToken, match="issuer"):
        verify_by_hand(token, A)
    assert tenants.asked == [B.issuer]
    tenants.add(B, AUDIENCE="for-b")
    frozen_time.now += 30
    with pytest.raises(InvalidToken, match="audience"):
        verify_by_hand(token, B)


@pytest.mark.parametrize("other", ["https://a.example.com/", "https://A.example.com", " https://a.example.com"])
def test_an_issuer_is_what_it_is_to_the_letter(tenants, enter, other):
    """A table whose database compares in another way is not asked whether that matters: the `iss` is the tenant's."""
    tenants.add(A)
    tenants.instead = lambda iss: {"JWKS_SERVICE": "tests.tenants.issuers.A"} if iss == A.issuer else None
    assert enter(TokenIssuer(other, key=A.keys[0]).token("read"))[0] == 403
    assert enter(A.token("read"))[0] == 200


class PatientLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still: what waits in it waits for its turn, on a slow machine too."""

    def time(self):
        return 0.0


def test_twenty_at_once_get_each_their_own(bare_project, settings):
    """Each of several requests that ask at the same time has the entry of its own issuer."""
    issuers = [TokenIssuer(f"https://{number}.example.com", key=A.keys[0]) for number in range(20)]
    resolver = {each.issuer: {"JWKS_SERVICE": each, "AUDIENCE": each.issuer} for each in issuers}.get
    settings.OAUTH_JWT = {"ISSUER_RESOLVER": resolver}

    tokens = [each.token(aud=each.issuer) for each in issuers]  # nobody waits while they are signed

    async def all_at_once():
        return await asyncio.gather(*map(averify_token, tokens))

    with asyncio.Runner(loop_factory=PatientLoop) as runner:
        assert [token.issuer for token in runner.run(all_at_once())] == [each.issuer for each in issuers]
