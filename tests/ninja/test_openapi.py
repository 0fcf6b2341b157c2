"""ninja's schema: the bearer scheme and each operation's scopes, as drf-spectacular has them."""

import json

import pytest
from ninja import Router
from ninja.security import APIKeyHeader
from openapi_spec_validator import validate

from django_oauth_jwt.contrib.ninja import BearerJwt

BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class ApiKey(APIKeyHeader):
    param_name = "X-API-Key"

    def authenticate(self, request, key):
        return key


def operation(request):
    return "x"


@pytest.fixture
def schema_of(serve, client):
    """Return an API's schema as ninja serves it, validated."""

    def schema_of(api):
        serve(api)
        schema = client.get("/api/openapi.json").json()
        validate(schema)
        return schema

    return schema_of


@pytest.fixture
def security_of(new_api, schema_of):
    """Return the security of an operation with these authenticators, and the schemes."""

    def security_of(*auth):
        api = new_api()
        api.get("/operation", auth=[*auth])(operation)
        schema = schema_of(api)
        return schema["paths"]["/api/operation"]["get"].get("security"), schema["components"].get("securitySchemes")

    return security_of


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ([BearerJwt()], [{"bearerJwt": []}]),
        ([BearerJwt(scope="read write")], [{"bearerJwt": ["read", "write"]}]),
        ([BearerJwt(scope="read", claims=["email"])], [{"bearerJwt": ["read"]}]),
        ([BearerJwt(scope="admin"), BearerJwt(scope="read")], [{"bearerJwt": ["admin"]}, {"bearerJwt": ["read"]}]),
        ([BearerJwt(scope="read"), BearerJwt(scope="read", claims=["email"])], [{"bearerJwt": ["read"]}]),
    ],
)
def test_the_scheme_and_the_scopes(issuer, security_of, auth, expected):
    """OpenAPI 3.1 lets an HTTP scheme have scopes; a list is of alternatives."""
    assert security_of(*auth) == (expected, {"bearerJwt": BEARER})


@pytest.mark.parametrize("auth", [[BearerJwt(scope="read"), ApiKey()], [ApiKey(), BearerJwt(scope="read")]])
def test_beside_other_authenticators(issuer, security_of, auth):
    """Theirs are listed as ninja does."""
    security, schemes = security_of(*auth)
    assert security == [{"bearerJwt": ["read"]}, {"ApiKey": []}]
    assert schemes == {"bearerJwt": BEARER, "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}


def test_without_ours_nothing_of_ours_is_there(issuer, security_of):
    """What others have is theirs."""
    security, schemes = security_of(ApiKey())
    assert (security, [*schemes]) == ([{"ApiKey": []}], ["ApiKey"])


def test_each_operation_has_its_own(issuer, new_api, schema_of):
    """From the API, the router or itself; `auth=None` is open."""
    api, router = new_api(auth=BearerJwt(scope="api")), Router(auth=BearerJwt(scope="router"))
    api.get("/api")(operation)
    api.get("/own", auth=BearerJwt(scope="own"), operation_id="own")(operation)
    api.post("/own", auth=None, operation_id="open")(operation)
    router.get("/router", operation_id="router")(operation)
    api.add_router("", router)
    paths = schema_of(api)["paths"]
    found = {path.removeprefix("/api/"): at["get"]["security"] for path, at in paths.items()}
    assert found == {name: [{"bearerJwt": [name]}] for name in ("api", "own", "router")}
    assert "security" not in paths["/api/own"]["post"]


def test_a_schema_can_be_made_without_urls(issuer, new_api):
    """As `manage.py export_openapi_schema` of ninja's may."""
    api = new_api(auth=BearerJwt(scope="read"))
    api.get("/operation")(operation)
    schema = json.loads(json.dumps(api.get_openapi_schema(path_prefix="")))
    assert schema["paths"]["/operation"]["get"]["security"] == [{"bearerJwt": ["read"]}]


@pytest.mark.parametrize(
    ("more", "schemes"),
    [
        ({"DPOP": {"OFFER": True}}, {"bearerJwt": BEARER, "dpop": {"type": "http", "scheme": "dpop"}}),
        ({"DPOP": {"OFFER": True}, "REQUIRE_BOUND_TOKENS": True}, {"dpop": {"type": "http", "scheme": "dpop"}}),
        (
            {"INTROSPECTION": {"CLIENT_ID": "books", "CLIENT_SECRET": "secret"}},
            {"bearerJwt": {"type": "http", "scheme": "bearer"}},
        ),
    ],
    ids=["DPoP offered", "DPoP required", "opaque"],
)
def test_bound_and_opaque_tokens(trust, security_of, more, schemes):
    """DPoP is an alternative or the only scheme, with the same scopes; an opaque token has no format."""
    trust(**more)
    assert security_of(BearerJwt(scope="read")) == ([{name: ["read"]} for name in schemes], schemes)


def test_a_scope_that_stands_for_another_is_an_alternative(trust, security_of):
    """What is required comes first (SCOPE_IMPLIES)."""
    trust(SCOPE_IMPLIES={"admin": ["write"], "write": ["read"]})
    security, _ = security_of(BearerJwt(scope="read"))
    assert security == [{"bearerJwt": [scope]} for scope in ("read", "admin", "write")]
