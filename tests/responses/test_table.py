"""Each answer of the package, to the letter, at each entrance, under WSGI and ASGI."""

import pytest

from . import urls

pytestmark = pytest.mark.unmeasured

INSUFFICIENT = "Token is missing some required scope values"
CLAIMS_LACK = "Token is missing some required claims"
UNAVAILABLE = "The keys to check the token with are unavailable for now"
ALL = {"scope": "read write", "role": "admin"}

# What is sent, and the description of a request that brings no token at all.
WITHOUT_TOKEN = {
    "no header": (None, "No Authorization header with a Bearer token"),
    "empty header": ("", "No Authorization header with a Bearer token"),
    "another scheme": ("Basic dXNlcjpwYXNz", "The Authorization scheme is not Bearer"),
    "a longer scheme": ("BearerX abc", "The Authorization scheme is not Bearer"),
    "the scheme alone": ("Bearer", "The Authorization header is not Bearer and one token"),
    "three parts": ("Bearer a.b.c d", "The Authorization header is not Bearer and one token"),
}
FOR_ANOTHER_AUTHENTICATOR = ("no header", "empty header", "another scheme", "a longer scheme")


def headers_of(value):
    return {} if value is None else {"Authorization": value}


def body_of(entrance, error, description):
    if entrance.startswith("/drf"):
        return {"detail": description}
    return {"error": error, "error_description": description}


@pytest.fixture(params=[401, 403], ids="INVALID_TOKEN_STATUS={}".format)
def invalid_token_status(request):
    """Both values of the setting."""
    return request.param


@pytest.fixture
def trusted(trust, invalid_token_status):
    """The issuer, trusted, with the requirements of the middleware."""
    return trust(INVALID_TOKEN_STATUS=invalid_token_status, SCOPE=urls.SCOPE, CLAIMS=urls.CLAIMS)


def assert_refused(response, status, challenge, body):
    assert response.status_code == status
    assert response.headers.get("WWW-Authenticate") == challenge
    assert response.json() == body
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert "Authorization" in response["Vary"].split(", ")


@pytest.mark.parametrize("sent", WITHOUT_TOKEN)
def test_a_request_without_a_token_is_challenged_for_the_scopes_without_an_error_code(send, entrance, trusted, sent):
    """Section 3.1 of RFC 6750: who brought no token learns which scopes are needed, and nothing else."""
    header, description = WITHOUT_TOKEN[sent]
    if entrance.startswith("/drf"):
        description = _said_by_drf(entrance, sent, description)
    response = send("get", entrance, headers=headers_of(header))
    assert_refused(response, 401, 'Bearer scope="read write"', body_of(entrance, None, description))


def _said_by_drf(entrance, sent, description):
    """Who brings no bearer token passes our authenticator, and is refused by the first permission."""
    if sent not in FOR_ANOTHER_AUTHENTICATOR:
        return description
    if entrance == "/drf/class":
        return "Authentication credentials were not provided."
    return "No Authorization header with a Bearer token"


def test_an_empty_token_is_an_invalid_one(send, entrance, trusted, invalid_token_status):
    """As in the model, `Bearer ` with nothing behind it is a token, and a bad one."""
    response = send("get", entrance, headers={"Authorization": "Bearer "})
    challenge = 'Bearer error="invalid_token", error_description="Bearer token is empty", scope="read write"'
    assert_refused(
        response, invalid_token_status, challenge, body_of(entrance, "invalid_token", "Bearer token is empty")
    )


@pytest.mark.parametrize(
    ("fault", "description"),
    [
        ({"expired": True}, "Token has expired"),
        ({"forged": True}, "signature verification failed"),
        ({"header": {"kid": "nobody's"}}, "Token is signed with an unknown key"),
        ({"iss": "https://evil.example.com"}, "Token issuer is not accepted"),
        ({"exp": None}, "Token is missing a claim that every token must have"),
        ({"header": {"alg": "none"}}, "Token algorithm is not accepted"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_token_that_fails_validation_is_refused_with_the_cause(
    send, entrance, trusted, invalid_token_status, fault, description
):
    """The client's developer reads what is wrong with the token; the status is the setting's."""
    response = send("get", entrance, headers=trusted.headers(**ALL, **fault))
    challenge = f'Bearer error="invalid_token", error_description="{description}", scope="read write"'
    assert_refused(response, invalid_token_status, challenge, body_of(entrance, "invalid_token", description))


@pytest.mark.parametrize("scope", [None, "", "read", "write other"])
def test_a_missing_scope_is_a_403_that_names_all_scopes(send, entrance, trusted, scope):
    """Section 3.1 of RFC 6750: with the scope parameter a client knows what to ask the authorization server for."""
    response = send("get", entrance, headers=trusted.headers(scope, role="admin"))
    challenge = f'Bearer error="insufficient_scope", error_description="{INSUFFICIENT}", scope="read write"'
    assert_refused(response, 403, challenge, body_of(entrance, "insufficient_scope", INSUFFICIENT))


@pytest.mark.parametrize("role", [None, "user"])
def test_a_missing_claim_is_a_403_whatever_the_setting(send, entrance, trusted, role):
    """The token is good, only not good enough: INVALID_TOKEN_STATUS does not apply."""
    response = send("get", entrance, headers=trusted.headers("read write", role=role))
    challenge = f'Bearer error="invalid_token", error_description="{CLAIMS_LACK}"'
    assert_refused(response, 403, challenge, body_of(entrance, "invalid_token", CLAIMS_LACK))


@pytest.mark.parametrize(("method", "scheme"), [("get", "Bearer"), ("post", "bearer"), ("get", "BEARER")])
def test_a_good_token_is_let_in_with_its_claims(send, entrance, trusted, method, scheme):
    """The scheme matches in any case, no CSRF token is asked for, and caches keep the answers of tokens apart."""
    headers = {"Authorization": f"{scheme} {trusted.token(**ALL)}"}
    response = send(method, entrance, headers=headers)
    assert response.status_code == 200
    assert response.json()["role"] == "admin"
    assert "WWW-Authenticate" not in response.headers
    assert "Cache-Control" not in response.headers
    assert "Authorization" in response["Vary"].split(", ")


def test_keys_that_cannot_be_had_are_a_503(send, entrance, rsa_issuer, settings, unreachable_jwks_uri):
    """The fault is not the client's: no challenge, nothing about the JWKS, and when to try again."""
    settings.OAUTH_JWT = {"JWKS_URI": unreachable_jwks_uri}
    response = send("get", entrance, headers=rsa_issuer.headers(**ALL))
    assert_refused(response, 503, None, body_of(entrance, "temporarily_unavailable", UNAVAILABLE))
    assert response["Retry-After"] == "1"
