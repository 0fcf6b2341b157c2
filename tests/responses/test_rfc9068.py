"""Strict JWT access tokens: what RFC 9068 section 4 has a resource server check, and section 2.2 an issuer send."""

import pytest
from django.http import JsonResponse
from django.test import Client
from django.urls import path

from django_oauth_jwt.decorators import secure

AUDIENCE = "https://api.example.com"
#: Section 2.2: the claims that every JWT access token has.
REQUIRED = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")


@secure()
def view(request):
    return JsonResponse({})


urlpatterns = [path("", view)]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def ask(token_issuer):
    """Ask with a token, where tokens must be what the RFC says; return the status and the description."""

    def ask(token=None, **arguments):
        if token is None:
            token = token_issuer.token(**arguments)
        response = Client().get("/", headers={"Authorization": f"Bearer {token}"})
        return response.status_code, response.json().get("error_description")

    with token_issuer.installed(TOKEN_TYPES=["at+jwt"], AUDIENCE=AUDIENCE, REQUIRED_CLAIMS=list(REQUIRED)):
        yield ask


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "At+Jwt", "application/at+jwt", "Application/AT+JWT"])
def test_the_type_has_several_spellings(ask, typ):
    """A media type compares without regard to case, and ``application/`` may be left out (RFC 7515, 4.1.9)."""
    assert ask(header={"typ": typ}) == (200, None)


@pytest.mark.parametrize(
    "typ", ["JWT", "jwt", "application/jwt", "id+jwt", "logout+jwt", "dpop+jwt", "at+jwt+x", "", None]
)
def test_whatever_is_no_access_token_is_refused(ask, typ):
    """Section 4, first rule: an ID token, a logout token or a token of no type does not pass for an access token."""
    assert ask(header={"typ": typ}) == (403, "Token type is not accepted")


@pytest.mark.parametrize("name", REQUIRED)
def test_each_required_claim_is_required(ask, name):
    """Section 2.2: a token that lacks one of the claims is refused."""
    expected = (
        "Token issuer is not accepted" if name == "iss" else "Token is missing a claim that every token must have"
    )
    assert ask(**{name: None}) == (403, expected)


@pytest.mark.parametrize(
    "aud", [AUDIENCE, [AUDIENCE], ["https://other.example.com", AUDIENCE]], ids=["string", "array", "among others"]
)
def test_the_audience_is_this_api(ask, aud):
    """Section 4: ``aud`` holds an identifier of this resource server."""
    assert ask(aud=aud) == (200, None)


@pytest.mark.parametrize(
    "aud", ["https://other.example.com", f"{AUDIENCE}/", AUDIENCE.upper(), [], [[AUDIENCE]], {AUDIENCE: 1}, 1, True]
)
def test_a_token_for_another_api_is_refused(ask, aud):
    """Section 4: a token whose ``aud`` does not hold this resource server, to the letter, is refused."""
    assert ask(aud=aud) == (403, "Token audience is not accepted")


@pytest.mark.parametrize(
    "iss", ["https://issuer.test/", "HTTPS://issuer.test", "https://other.test", ["https://issuer.test"]]
)
def test_the_issuer_is_equal_to_the_letter(ask, iss):
    """Section 4: ``iss`` is exactly the issuer identifier of the authorization server."""
    assert ask(iss=iss) == (403, "Token issuer is not accepted")


def test_an_encrypted_token_is_refused(ask):
    """Section 4 wants tokens decrypted where encryption was agreed on; it was not, and a JWE is no JWS."""
    assert ask("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AA.AA.AA.AA") == (403, "Token is malformed")


def test_an_unsigned_token_is_refused(ask, token_issuer):
    """Section 4: alg none is refused."""
    token = token_issuer.token(header={"alg": "none"})
    assert ask(token) == (403, "Token algorithm is not accepted")
    assert ask(token.rpartition(".")[0] + ".") == (403, "Token algorithm is not accepted")


def test_an_expired_token_is_refused(ask):
    """Section 4: now is before ``exp``, give or take the leeway."""
    assert ask(expired=True) == (403, "Token has expired")
