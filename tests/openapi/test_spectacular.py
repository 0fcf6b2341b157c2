"""drf-spectacular's schema: the bearer scheme and each operation's scopes, with nothing to configure."""

import json
import subprocess
import sys

import pytest
from django.test import modify_settings
from django.urls import path
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import spectacular_settings
from openapi_spec_validator import validate
from rest_framework.authentication import BasicAuthentication
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.response import Response
from rest_framework.views import APIView

import django_oauth_jwt.contrib.spectacular  # noqa: F401  # as if drf_spectacular were in INSTALLED_APPS
from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.permissions import HasAuthenticationContext, HasClaim, HasScope

READ, WRITE, ADMIN = HasScope("read"), HasScope("write"), HasScope("admin")


class Foreign(BasePermission):
    """Somebody else's permission."""


class OwnAuthentication(BearerJwtAuthentication):
    """A project's subclass."""


def view(*permissions, authentication=(BearerJwtAuthentication,), **attributes):
    class View(APIView):
        schema = AutoSchema()
        authentication_classes = authentication
        permission_classes = permissions

        def get(self, request):
            return Response({})

        def post(self, request):
            return Response({})

    for name, value in attributes.items():
        setattr(View, name, value)
    return View.as_view()


@pytest.fixture
def schema_of(settings):
    """Make the schema of one view, as drf-spectacular does, and have it validated."""

    def schema_of(one):
        schema = SchemaGenerator(patterns=[path("books/", one)]).get_schema(request=None, public=True)
        schema = json.loads(json.dumps(schema))
        validate(schema)
        return schema

    return schema_of


@pytest.fixture(params=["3.0.3", "3.1.0"])
def version(request, monkeypatch):
    """Both versions that drf-spectacular can write."""
    monkeypatch.setattr(spectacular_settings, "OAS_VERSION", request.param)
    return request.param


@pytest.fixture
def v31(monkeypatch):
    """The version in which a bearer scheme may list scopes."""
    monkeypatch.setattr(spectacular_settings, "OAS_VERSION", "3.1.0")


def security(schema, method="get"):
    return schema["paths"]["/books/"][method].get("security")


def ways(schema, method="get"):
    """Return the alternatives of an operation: the scopes of each, None for one without a token."""
    version = schema["openapi"][:3]
    scheme = "oauth2" if version == "3.0" else "bearerJwt"
    return [way.get(scheme, []) if way else None for way in security(schema, method)]


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        ([READ], [["read"]]),
        ([HasScope("read", "write")], [["read", "write"]]),
        ([HasScope("read write")], [["read", "write"]]),
        ([READ & WRITE], [["read", "write"]]),
        ([READ | WRITE], [["read"], ["write"]]),
        ([READ, WRITE], [["read", "write"]]),
        ([READ, READ], [["read"]]),
        ([READ | READ], [["read"]]),
        ([READ, WRITE | ADMIN], [["read", "write"], ["read", "admin"]]),
        ([(READ & WRITE) | ADMIN], [["read", "write"], ["admin"]]),
        ([(READ | WRITE) & (ADMIN | READ)], [["read", "admin"], ["read"], ["write", "admin"], ["write", "read"]]),
        ([Foreign & READ], [["read"]]),
        ([READ & Foreign], [["read"]]),
        ([Foreign | READ], [[], ["read"]]),
        ([READ | Foreign], [["read"], []]),
        ([IsAuthenticated], [[]]),
        ([~READ], [[]]),
        ([~READ & WRITE], [["write"]]),
        ([HasClaim("role", "admin")], [[]]),
        ([HasClaim("role", "admin") & READ], [["read"]]),
        ([HasAuthenticationContext(max_age=60) & READ], [["read"]]),
        ([AllowAny], [[], None]),
        ([], [[], None]),
        ([AllowAny | READ], [[], ["read"], None]),
        ([AllowAny & AllowAny], [[], None]),
        ([AllowAny & READ], [["read"]]),
        ([IsAuthenticatedOrReadOnly], [[], None]),
    ],
)
def test_permissions_become_alternatives_and_sums_of_scopes(issuer, version, schema_of, permissions, expected):
    """``|`` makes alternatives, ``&`` sums; what lets everybody in makes the token optional."""
    assert ways(schema_of(view(*permissions))) == expected


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        ([READ], [["read"], ["admin"], ["write"]]),
        ([WRITE], [["write"], ["admin"]]),
        ([ADMIN], [["admin"]]),
        ([HasScope("audit")], [["audit"]]),
        ([READ, WRITE], [["read", "write"], ["admin"], ["write"]]),
        ([WRITE, HasScope("audit")], [["write", "audit"], ["admin", "audit"]]),
        ([ADMIN | READ], [["admin"], ["read"], ["write"]]),
    ],
)
def test_a_scope_that_stands_for_another_is_an_alternative(issuer, version, schema_of, settings, permissions, expected):
    """What is required comes first, then the fewest broader ones that do as well (SCOPE_IMPLIES)."""
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "SCOPE_IMPLIES": {"admin": ["write"], "write": ["read"]}}
    assert ways(schema_of(view(*permissions))) == expected


def test_many_scopes_with_many_broader_ones_take_no_time(issuer, v31, schema_of, settings):
    """Each broader scope is one more alternative, and not one for each combination."""
    implies = {f"x{n}.admin": [f"x{n}.write"] for n in range(12)} | {f"x{n}.write": [f"x{n}.read"] for n in range(12)}
    implies["root"] = [f"x{n}.admin" for n in range(12)]
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "SCOPE_IMPLIES": implies}
    found = ways(schema_of(view(HasScope(*(f"x{n}.read" for n in range(12))))))
    assert (len(found), ["root"] in found) == (26, True)


def test_each_method_has_its_own_scopes(issuer, version, schema_of):
    """A mapping of HTTP method to scopes, given to the permission or on the view."""
    given = schema_of(view(HasScope({"GET": "read", "POST": ["write", "audit"]})))
    on_view = schema_of(view(HasScope, required_scopes={"get": "read", "post": "write audit"}))
    for schema in (given, on_view):
        assert ways(schema) == [["read"]]
        assert ways(schema, "post") == [["write", "audit"]]


def test_a_method_that_is_not_in_the_mapping_has_no_scopes_that_would_do(issuer, version, schema_of):
    """Such a method is refused whatever the token; an alternative may still let it in."""
    schema = schema_of(view(HasScope({"GET": "read"})))
    assert ways(schema, "post") == [[]]
    assert ways(schema_of(view(HasScope({"GET": "read"}) | ADMIN)), "post") == [["admin"]]


def test_a_view_that_forgot_its_scopes_is_a_warning(issuer, version, schema_of, capsys):
    """The rest of the schema is made all the same."""
    assert ways(schema_of(view(HasScope))) == [[]]
    assert "HasScope without arguments needs View.required_scopes" in capsys.readouterr().err


def test_the_scheme_is_an_http_bearer_token(issuer, version, schema_of):
    """Swagger UI asks for a token to paste."""
    bearer = schema_of(view(READ))["components"]["securitySchemes"]["bearerJwt"]
    assert bearer == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def test_in_3_1_the_bearer_scheme_lists_the_scopes(issuer, v31, schema_of):
    """OpenAPI 3.1, Security Requirement Object: any scheme may list what is required."""
    schema = schema_of(view(READ))
    assert security(schema) == [{"bearerJwt": ["read"]}]
    assert schema["components"]["securitySchemes"].keys() == {"bearerJwt"}


def test_in_3_0_a_second_scheme_lists_them(issuer, schema_of):
    """OpenAPI 3.0 wants the list of a bearer scheme empty; the OpenID Connect scheme of the issuer may have one."""
    schema = schema_of(view(READ))
    assert schema["openapi"] == "3.0.3"
    assert security(schema) == [{"bearerJwt": [], "oauth2": ["read"]}]
    assert schema["components"]["securitySchemes"]["oauth2"] == {
        "type": "openIdConnect",
        "openIdConnectUrl": "https://issuer.test/.well-known/openid-configuration",
    }


def test_in_3_0_a_view_without_scopes_needs_no_second_scheme(issuer, schema_of):
    """A token is all that it takes."""
    schema = schema_of(view(IsAuthenticated))
    assert security(schema) == [{"bearerJwt": []}]
    assert schema["components"]["securitySchemes"].keys() == {"bearerJwt"}


@pytest.mark.parametrize("issuers", [{}, {"ISSUERS": {"https://a.test": {}, "https://b.test": {}}}])
def test_in_3_0_without_one_issuer_the_second_scheme_names_no_flow(settings, schema_of, issuers):
    """The scopes are still listed, and the schema is valid."""
    settings.OAUTH_JWT = issuers or {"JWKS_URI": "https://as.example.com/jwks"}
    schema = schema_of(view(READ))
    assert ways(schema) == [["read"]]
    assert schema["components"]["securitySchemes"]["oauth2"] == {"type": "oauth2", "flows": {}}


@pytest.fixture
def offering(settings):
    """Change the settings of a project."""

    def offering(**more):
        settings.OAUTH_JWT = {**settings.OAUTH_JWT, **more}

    return offering


CERTIFICATE = {"SOURCE": "wsgi"}
TWO_ISSUERS = {"https://a.test": {"REQUIRE_BOUND_TOKENS": True}, "https://b.test": {}}


@pytest.mark.parametrize(
    ("more", "schemes"),
    [
        ({}, ["bearerJwt"]),
        ({"DPOP": {"NONCE": True}}, ["bearerJwt"]),
        ({"DPOP": {"OFFER": True}}, ["bearerJwt", "dpop"]),
        ({"REQUIRE_BOUND_TOKENS": True}, ["dpop"]),
        ({"REQUIRE_BOUND_TOKENS": True, "DPOP": {"OFFER": True}}, ["dpop"]),
        ({"REQUIRE_BOUND_TOKENS": True, "CLIENT_CERTIFICATE": CERTIFICATE}, ["bearerJwt"]),
        (
            {"REQUIRE_BOUND_TOKENS": True, "CLIENT_CERTIFICATE": CERTIFICATE, "DPOP": {"OFFER": True}},
            ["bearerJwt", "dpop"],
        ),
        ({"ISSUER": None, "JWKS_SERVICE": None, "ISSUERS": TWO_ISSUERS}, ["bearerJwt", "dpop"]),
    ],
)
def test_dpop_is_an_alternative_where_it_is_offered(issuer, version, schema_of, offering, more, schemes):
    """And it stands alone where nothing else is accepted, whoever issued the token; the scopes are the same."""
    offering(**more)
    schema = schema_of(view(READ | WRITE))
    defined = schema["components"]["securitySchemes"]
    scopes = {"oauth2"} if version == "3.0.3" else set()
    assert defined.keys() == {*schemes, *scopes}
    assert defined.get("dpop", {"type": "http", "scheme": "dpop"}) == {"type": "http", "scheme": "dpop"}
    assert security(schema) == [
        {scheme: [], "oauth2": [scope]} if scopes else {scheme: [scope]}
        for scope in ("read", "write")
        for scheme in schemes
    ]


def test_dpop_without_scopes_and_without_need(issuer, version, schema_of, offering):
    """A view that asks for no scope, and one whose token is optional."""
    offering(DPOP={"OFFER": True})
    assert security(schema_of(view(IsAuthenticated))) == [{"bearerJwt": []}, {"dpop": []}]
    assert security(schema_of(view(AllowAny))) == [{"bearerJwt": []}, {"dpop": []}, {}]


def test_other_authenticators_keep_their_place(issuer, v31, schema_of):
    """Whoever authenticates in another way needs no scopes, and is an alternative as before."""
    schema = schema_of(view(READ, authentication=(BasicAuthentication, BearerJwtAuthentication)))
    assert security(schema) == [{"basicAuth": []}, {"bearerJwt": ["read"]}]


def test_a_subclass_is_described_too(issuer, v31, schema_of):
    """A project's own subclass is the same scheme."""
    assert security(schema_of(view(READ, authentication=(OwnAuthentication,)))) == [{"bearerJwt": ["read"]}]


class AnotherAuthentication(OwnAuthentication):
    """A subclass of a subclass."""


@pytest.mark.parametrize("last", [BearerJwtAuthentication, OwnAuthentication, AnotherAuthentication])
@pytest.mark.parametrize("first", [BearerJwtAuthentication, OwnAuthentication, AnotherAuthentication])
def test_a_subclass_beside_the_base_is_no_second_scheme(issuer, version, capsys, first, last):
    """drf-spectacular warns of components of one name; of ours there is one, whichever class a view has."""
    views = [view(READ, authentication=(first,)), view(WRITE, authentication=(last,)), view(IsAuthenticated)]
    both = view(READ, authentication=(first, last))
    patterns = [path(f"{number}/", one) for number, one in enumerate([*views, both])]
    schema = json.loads(json.dumps(SchemaGenerator(patterns=patterns).get_schema(request=None, public=True)))
    validate(schema)
    assert "identical names" not in capsys.readouterr().err
    schemes = {"bearerJwt"} if version == "3.1.0" else {"bearerJwt", "oauth2"}
    assert schema["components"]["securitySchemes"].keys() == schemes
    needed = [schema["paths"][f"/{number}/"]["get"]["security"][0] for number in range(4)]
    assert [way.get("oauth2", way["bearerJwt"]) for way in needed] == [["read"], ["write"], [], ["read"]]


class Elsewhere(BasicAuthentication):
    """Somebody else's authentication class, whose scheme has the name of ours."""


class ElsewhereScheme(OpenApiAuthenticationExtension):
    target_class = Elsewhere
    name = "bearerJwt"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "basic"}


def test_another_scheme_of_the_same_name_is_still_warned_of(issuer, v31, schema_of, capsys):
    """It is something else, and one of the two would be lost without a word."""
    schema_of(view(READ, authentication=(Elsewhere, BearerJwtAuthentication)))
    assert 'identical names "bearerJwt"' in capsys.readouterr().err


def test_both_apps_live_in_one_project(issuer, v31, schema_of):
    """Whichever of the two comes first in INSTALLED_APPS."""
    for place in ("append", "prepend"):
        with modify_settings(INSTALLED_APPS={place: "drf_spectacular"}):
            assert security(schema_of(view(READ))) == [{"bearerJwt": ["read"]}]


PROJECT = """
import sys
import django
from django.conf import settings

sys.modules.update(dict.fromkeys({hidden!r}))  # None there: it cannot be imported
settings.configure(
    INSTALLED_APPS=["django_oauth_jwt", *{apps!r}],
    ROOT_URLCONF="urls",
    REST_FRAMEWORK={{"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema", "UNAUTHENTICATED_USER": None}},
    OAUTH_JWT={{"ISSUER": "https://as.example.com"}},
)
django.setup()
{code}
print("loaded:", [name for name in ("rest_framework", "drf_spectacular") if sys.modules.get(name)])
"""

URLS = """
from django.urls import path
from rest_framework.views import APIView
from rest_framework.response import Response
from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.permissions import HasScope

class Books(APIView):
    authentication_classes = [BearerJwtAuthentication]
    permission_classes = [HasScope("read") | HasScope("admin")]
    def get(self, request) -> None:
        return Response()

urlpatterns = [path("books/", Books.as_view())]
"""


def run_project(folder, **parts):
    (folder / "urls.py").write_text(URLS)
    script = folder / "project.py"
    script.write_text(PROJECT.format(**parts))
    command = [sys.executable, "-W", "error", str(script)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


COMMAND = """
from django.core.management import call_command
call_command("spectacular", "--format", "openapi-json", "--validate", "--file", "schema.json")
"""
GENERATOR = """
import json, pathlib
from drf_spectacular.generators import SchemaGenerator
pathlib.Path("schema.json").write_text(json.dumps(SchemaGenerator().get_schema(public=True)))
"""


@pytest.mark.parametrize(("apps", "code"), [(["rest_framework", "drf_spectacular"], COMMAND), ([], GENERATOR)])
def test_a_project_configures_nothing(tmp_path, apps, code):
    """drf-spectacular's command or generator writes the scopes without a warning, be it in INSTALLED_APPS or not."""
    result = run_project(tmp_path, hidden=[], apps=apps, code=code)
    assert result.returncode == 0, result.stderr
    assert "could not resolve authenticator" not in result.stderr
    schema = json.loads((tmp_path / "schema.json").read_text())
    assert security(schema) == [{"bearerJwt": [], "oauth2": ["read"]}, {"bearerJwt": [], "oauth2": ["admin"]}]


@pytest.mark.parametrize("hidden", [["drf_spectacular"], ["drf_spectacular", "rest_framework"]])
def test_a_project_without_it_does_not_notice(tmp_path, hidden):
    """Where drf-spectacular cannot be imported, nothing of DRF is loaded."""
    code = 'from django.core.management import call_command\ncall_command("check", "--tag", "oauth_jwt")'
    result = run_project(tmp_path, hidden=hidden, apps=[], code=code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("loaded: []\n")


def test_opaque_tokens_have_no_format(schema_of, issuer, settings):
    """Where tokens may be opaque the schema does not promise JWTs."""
    (scheme,) = schema_of(view())["components"]["securitySchemes"].values()
    assert scheme["bearerFormat"] == "JWT"
    settings.OAUTH_JWT |= {"INTROSPECTION": {"CLIENT_ID": "books", "CLIENT_SECRET": "secret"}}
    (scheme,) = schema_of(view())["components"]["securitySchemes"].values()
    assert scheme == {"type": "http", "scheme": "bearer"}
