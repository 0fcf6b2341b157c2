"""The model's own cases: what express-oauth-jwt answers, with its words, and what it gets wrong put right."""

import pytest
from django.http import JsonResponse
from django.urls import path

from django_oauth_jwt.decorators import secure


def view(request):
    return JsonResponse(request.claims)


urlpatterns = [
    path("token", secure()(view)),
    path("scope", secure(scope=["scope1", "scope2"])(view)),
    path("claim", secure(claims=[{"name": "someClaim"}])(view)),
    path("value", secure(claims=[{"name": "someClaim", "value": "withValue"}])(view)),
    path("claims", secure(claims=[{"name": "roles"}, {"name": "someClaim", "value": "withValue"}])(view)),
]
pytestmark = pytest.mark.urls(__name__)

SCOPES_MISSING = (
    'Bearer error="insufficient_scope", error_description="Token is missing some required scope values", '
    'scope="scope1 scope2"'
)
CLAIMS_MISSING = 'Bearer error="invalid_token", error_description="Token is missing some required claims"'


@pytest.mark.parametrize("header", [None, "Bearer", "Basic abcdef"])
def test_no_token_in_the_request_is_a_401(send, issuer, header):
    """'If no JWT token is found in the request, a 401 response will be returned.'"""
    response = send("get", "/token", headers={} if header is None else {"Authorization": header})
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_an_empty_token_is_a_403(send, issuer):
    """'If the token does not pass validation, a 403 response will be returned.'"""
    response = send("get", "/token", headers={"Authorization": "Bearer "})
    assert response.status_code == 403
    assert response.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')


def test_a_cut_signature_is_a_403_that_says_so(send, issuer):
    """The signature of a token that lost its end does not verify."""
    token = issuer.token()[:-4]
    response = send("get", "/token", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 403
    assert response.headers["WWW-Authenticate"] == (
        'Bearer error="invalid_token", error_description="signature verification failed"'
    )


def test_a_valid_token_sets_all_its_claims(send, issuer):
    """'All its claims will be set in the request in a claims field.'"""
    claims = send("get", "/token", headers=issuer.headers("a b", someClaim={"deep": [1, None, True]})).json()
    assert claims["someClaim"] == {"deep": [1, None, True]}
    assert claims["scope"] == "a b"
    assert claims["iss"] == "https://issuer.test"


@pytest.mark.parametrize(
    ("scope", "challenge"),
    [(None, SCOPES_MISSING), ("scope1", SCOPES_MISSING), ("scope1 scope2", None), ("scope2 other scope1", None)],
)
def test_all_scopes_must_be_in_the_token(send, issuer, scope, challenge):
    """'In order to limit the request to given scope values'."""
    response = send("get", "/scope", headers=issuer.headers(scope))
    assert response.status_code == (403 if challenge else 200)
    assert response.headers.get("WWW-Authenticate") == challenge


@pytest.mark.parametrize(
    ("url", "claim", "let_in"),
    [
        ("/claim", None, False),
        ("/claim", "anything", True),
        ("/value", None, False),
        ("/value", "otherValue", False),
        ("/value", "withValue", True),
        ("/value", ["otherValue"], False),
        ("/value", ["otherValue", "withValue"], True),
        ("/value", [], False),
    ],
)
def test_a_claim_must_be_there_and_have_its_value(send, issuer, url, claim, let_in):
    """'If value is set as well, then the value of the claim in the token must also match.'"""
    response = send("get", url, headers=issuer.headers(someClaim=claim))
    assert response.status_code == (200 if let_in else 403)
    assert response.headers.get("WWW-Authenticate") == (None if let_in else CLAIMS_MISSING)


@pytest.mark.parametrize("roles", ["admin", ["admin"], []])
@pytest.mark.parametrize(("claim", "status"), [("withValue", 200), ("otherValue", 403), (None, 403)])
def test_a_name_alone_takes_an_array_and_the_claims_after_it_are_checked(send, issuer, roles, claim, status):
    """The model fails on an array where a name alone is asked for, and skips the claims behind it; we do neither."""
    response = send("get", "/claims", headers=issuer.headers(roles=roles, someClaim=claim))
    assert response.status_code == status
