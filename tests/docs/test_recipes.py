"""The settings for the large vendors: each is valid, takes an access token as the vendor issues it, and no other."""

import time
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse

from django_oauth_jwt.conf import read
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.tokens import claim_requirement
from django_oauth_jwt.verification import verify_token

from .manual_text import run_snippet

RECIPES = {name: value for name, value in run_snippet("recipes", {}).items() if name.isupper() and "ISSUER" in value}
API = "00001111-aaaa-2222-bbbb-3333cccc4444"
CLIENT = "1example23456789"
#: What the vendors document of their access tokens: the header's typ (None: none), and the claims that differ.
ACCESS_TOKENS = {
    "KEYCLOAK": (
        "JWT",
        {
            "aud": ["account", "books-api"],
            "typ": "Bearer",
            "azp": "spa",
            "scope": "openid email",
            "realm_access": {"roles": ["offline_access", "editor"]},
            "resource_access": {"books-api": {"roles": ["editor"]}},
        },
    ),
    "AUTH0": (
        "JWT",
        {
            "aud": ["https://books.example.com", "https://example.eu.auth0.com/userinfo"],
            "azp": "spa",
            "scope": "openid read:books",
            "permissions": ["read:books"],
        },
    ),
    "ENTRA_V2": ("JWT", {"aud": API, "ver": "2.0", "azp": "spa", "scp": "Books.Read Books.Write"}),
    "ENTRA_V1": ("JWT", {"aud": f"api://{API}", "ver": "1.0", "appid": "job", "roles": ["Books.Read.All"]}),
    "COGNITO": (
        None,
        {
            "aud": None,
            "token_use": "access",
            "client_id": CLIENT,
            "scope": "books/read",
            "cognito:groups": ["editors"],
        },
    ),
    "OKTA": (None, {"aud": "api://default", "cid": "spa", "scp": ["openid", "books"], "groups": ["editors"]}),
    "CURITY": ("JWT", {"aud": "books.example.com", "purpose": "access_token", "scope": "openid books"}),
}
SCOPES = {
    "KEYCLOAK": {"openid", "email"},
    "AUTH0": {"openid", "read:books"},
    "ENTRA_V2": {"Books.Read", "Books.Write"},
    "ENTRA_V1": set(),
    "COGNITO": {"books/read"},
    "OKTA": {"openid", "books"},
    "CURITY": {"openid", "books"},
}
ROLES = {
    "KEYCLOAK": [(["realm_access", "roles"], "editor"), (["resource_access", "books-api", "roles"], "editor")],
    "AUTH0": [("permissions", "read:books")],
    "ENTRA_V1": [("roles", "Books.Read.All")],
    "COGNITO": [("cognito:groups", "editors")],
}
#: Where the vendors publish the keys.
JWKS_PATHS = {
    "KEYCLOAK": "/realms/main/protocol/openid-connect/certs",
    "AUTH0": "/.well-known/jwks.json",
    "ENTRA_V2": "/aaaabbbb-0000-cccc-1111-dddd2222eeee/discovery/v2.0/keys",
    "ENTRA_V1": "/aaaabbbb-0000-cccc-1111-dddd2222eeee/discovery/keys",
    "COGNITO": "/eu-west-1_EXAMPLE/.well-known/jwks.json",
    "OKTA": "/oauth2/default/v1/keys",
    "CURITY": "/oauth/v2/oauth-anonymous/jwks",
}
#: What differs in tokens that must not be taken: for another API, or no access tokens at all.
REFUSED = {
    "KEYCLOAK": [("JWT", {"aud": "account"}), ("JWT", {"aud": None}), ("JWT", {"aud": "spa", "typ": "ID"})],
    "AUTH0": [("JWT", {"aud": "spa"}), ("JWT", {"iss": "https://example.eu.auth0.com"})],
    "ENTRA_V2": [("JWT", {"aud": f"api://{API}"}), ("JWT", {"iss": "https://login.microsoftonline.com/common/v2.0"})],
    "ENTRA_V1": [("JWT", {"aud": "https://graph.microsoft.com"})],
    "COGNITO": [
        (None, {"client_id": "another"}),
        (None, {"token_use": "id"}),
        (None, {"aud": CLIENT, "client_id": None}),
    ],
    "OKTA": [(None, {"iss": "https://example.okta.com"}), ("application/okta-internal-at+jwt", {})],
    "CURITY": [("JWT", {"purpose": "id"}), ("JWT", {"aud": "spa"}), ("token-introspection+jwt", {})],
}


def test_each_recipe_is_tried():
    """No recipe is added without an access token that it takes and one that it does not."""
    assert RECIPES.keys() == ACCESS_TOKENS.keys() == REFUSED.keys() == SCOPES.keys()


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_valid(name):
    """The settings hold no problem, and the keys are where the vendor publishes them."""
    settings, problems = read(RECIPES[name])
    assert problems == []
    (trusted,) = settings.issuers.values()
    host = "login.microsoftonline.com" if name == "ENTRA_V1" else urlsplit(trusted.issuer).netloc
    assert trusted.jwks_uri == f"https://{host}{JWKS_PATHS[name]}"


@pytest.fixture
def send_to_recipe(project, settings, client):
    """Send an access token of a vendor, with these changes, to a project of its recipe; return answer and token."""
    settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    accepted = []
    project.route(view=lambda request: accepted.append(request.access_token) or HttpResponse())

    def send_to_recipe(name, typ, claims):
        settings.OAUTH_JWT = RECIPES[name]
        issuer = TokenIssuer(RECIPES[name]["ISSUER"], alg="ES256")
        with issuer.installed():
            standard = {"sub": "u", "client_id": None, "exp": int(time.time()) + 300}
            headers = issuer.headers(header={"typ": typ}, **standard | ACCESS_TOKENS[name][1] | claims)
            response = client.get("/view/", headers=headers)
        return response, accepted

    return send_to_recipe


@pytest.mark.parametrize("name", RECIPES)
def test_an_access_token_is_taken(send_to_recipe, name):
    """The vendor's access token is accepted, its scopes are found, and its roles are where the page says."""
    response, (token,) = send_to_recipe(name, ACCESS_TOKENS[name][0], {})
    assert response.status_code == 200
    assert token.scopes == SCOPES[name]
    for path, value in ROLES.get(name, []):
        assert claim_requirement(path, value).is_met_by(token.claims)


@pytest.mark.parametrize(("name", "typ", "claims"), [(name, *case) for name in REFUSED for case in REFUSED[name]])
def test_another_token_is_refused(send_to_recipe, name, typ, claims):
    """ID tokens, and tokens for other APIs and clients, are refused."""
    response, accepted = send_to_recipe(name, typ, claims)
    assert response.status_code == 403
    assert accepted == []


@pytest.mark.parametrize(("token_use", "reason"), [("id", "wrong_type"), ("access", "missing_claim")])
def test_a_cognito_id_token_is_refused_at_every_entrance(settings, token_use, reason):
    """By what it says it is, and by REQUIRED_CLAIMS: ID tokens have no client_id. CLAIMS bind the middleware only."""
    settings.OAUTH_JWT = RECIPES["COGNITO"]
    issuer = TokenIssuer(RECIPES["COGNITO"]["ISSUER"], alg="ES256")
    with issuer.installed(), pytest.raises(InvalidToken) as refused:
        verify_token(issuer.token(aud=CLIENT, token_use=token_use, client_id=None))
    assert refused.value.reason == reason
