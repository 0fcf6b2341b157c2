"""Several authorization servers: each with keys, audience, algorithms and users of its own."""

import pytest
from django.http import JsonResponse
from django.urls import path
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import IsAuthenticated

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.testing import SigningKey, TokenIssuer
from django_oauth_jwt.users import TokenUser

A = TokenIssuer("https://a.example.com", key=SigningKey.generate("ES256", "key"))
B = TokenIssuer("https://b.example.com", key=SigningKey.generate("Ed25519", "key"))


def view(request):
    return JsonResponse(
        {"iss": request.access_token.claims["iss"], "user": type(getattr(request, "user", None)).__name__}
    )


async def async_view(request):
    return view(request)


@api_view()
@authentication_classes([BearerJwtAuthentication])
@permission_classes([IsAuthenticated])
def drf_view(request):
    return view(request._request)


urlpatterns = [path("def/", secure()(view)), path("async/", secure()(async_view)), path("drf/", drf_view)]
pytestmark = pytest.mark.urls(__name__)


class UserOfB(TokenUser):
    """Users of B are told from those of A."""


def resolve_for_b(access_token, request):
    return UserOfB(access_token)


@pytest.fixture(params=["def", "async", "drf"])
def url(request, settings):
    """A secured view of a project that trusts A and B, each for its own."""
    settings.OAUTH_JWT = {
        "AUDIENCE": "https://api.example.com",
        "ISSUERS": {
            A.issuer: {"JWKS_SERVICE": A, "ALGORITHMS": ["ES256"]},
            B.issuer: {
                "JWKS_SERVICE": B,
                "AUDIENCE": ["b-audience"],
                "ALGORITHMS": ["Ed25519", "EdDSA"],
                "USER_RESOLVER": f"{__name__}.resolve_for_b",
            },
        },
    }
    return f"/{request.param}/"


def test_each_issuers_tokens_are_let_in(send, url):
    """Each is checked with its own keys, for its own audience, and B has users of its own."""
    assert send("get", url, headers=A.headers(aud="https://api.example.com")).json()["iss"] == A.issuer
    response = send("get", url, headers=B.headers(aud=["x", "b-audience"])).json()
    assert (response["iss"], response["user"]) == (B.issuer, "UserOfB")


@pytest.mark.parametrize(
    ("signer", "claims", "description"),
    [
        pytest.param(A, {"iss": "https://c.example.com"}, "Token issuer is not accepted", id="unlisted"),
        pytest.param(A, {"iss": None}, "Token issuer is not accepted", id="no issuer"),
        pytest.param(A, {"iss": A.issuer + "/"}, "Token issuer is not accepted", id="almost the issuer"),
        pytest.param(A, {"iss": [A.issuer]}, "Token issuer is not accepted", id="issuer in a list"),
        pytest.param(A, {"aud": "b-audience"}, "Token audience is not accepted", id="B's audience"),
        pytest.param(B, {"aud": "https://api.example.com"}, "Token audience is not accepted", id="A's audience"),
        pytest.param(B, {"aud": None}, "Token audience is not accepted", id="no audience"),
        pytest.param(B, {"iss": A.issuer}, "Token algorithm is not accepted", id="A's token, B's key and algorithm"),
    ],
)
def test_what_one_issuer_may_do_another_may_not(send, url, signer, claims, description):
    """No token is let in by another issuer's rules."""
    response = send("get", url, headers=signer.headers(**{"aud": "https://api.example.com", **claims}))
    assert response.status_code == 403
    assert response["WWW-Authenticate"] == f'Bearer error="invalid_token", error_description="{description}"'


@pytest.mark.parametrize("url", ["/def/", "/async/", "/drf/"])
def test_a_token_of_one_issuer_signed_with_anothers_key_is_refused(send, settings, url):
    """The same algorithm and the same kid: the issuer says whose key it has to be."""
    other = TokenIssuer("https://b.example.com", key=SigningKey.generate("ES256", "key"))
    settings.OAUTH_JWT = {"ISSUERS": {A.issuer: {"JWKS_SERVICE": A}, other.issuer: {"JWKS_SERVICE": other}}}
    assert send("get", url, headers=A.headers()).status_code == 200
    assert send("get", url, headers=other.headers()).status_code == 200
    response = send("get", url, headers=other.headers(iss=A.issuer))
    assert response.status_code == 403
    assert 'error_description="signature verification failed"' in response["WWW-Authenticate"]


def test_an_unlisted_issuers_token_costs_no_fetch(send, url, settings, unreachable_jwks_uri):
    """It is refused before anybody is asked for keys: with the keys out of reach it is still no 503."""
    settings.OAUTH_JWT = {"ISSUERS": {A.issuer: {"JWKS_URI": unreachable_jwks_uri}}}
    assert send("get", url, headers=B.headers()).status_code == 403
    assert send("get", url, headers=A.headers()).status_code == 503


def test_one_issuer_out_of_reach_leaves_the_other_in_service(send, url, settings, unreachable_jwks_uri):
    """An outage of one authorization server is no outage of the API."""
    settings.OAUTH_JWT = {"ISSUERS": {A.issuer: {"JWKS_URI": unreachable_jwks_uri}, B.issuer: {"JWKS_SERVICE": B}}}
    assert send("get", url, headers=A.headers()).status_code == 503
    assert send("get", url, headers=B.headers()).status_code == 200
