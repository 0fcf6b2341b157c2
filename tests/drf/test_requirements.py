"""What `HasScope` and `HasClaim` take: values, names, the view's attributes, and mappings by method."""

import re

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework.decorators import action, api_view, authentication_classes, permission_classes
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.permissions import HasAuthenticationContext, HasClaim, HasScope
from django_oauth_jwt.testing import TokenIssuer

BY_METHOD = {"GET": "read", "POST": ["read", "write"], "options": []}


@pytest.mark.parametrize(
    ("permission", "granted", "status"),
    [
        (HasScope("a"), "a", 200),
        (HasScope("a"), "b", 403),
        (HasScope("a", "b"), "b a", 200),
        (HasScope("a", "b"), "a", 403),
        (HasScope("a b"), "b a", 200),
        (HasScope("a b"), "a", 403),
        (HasScope(["a", "b"]), "a b", 200),
        (HasScope(["a", "b"]), "b", 403),
        (HasScope({"GET": "a"}), "a", 200),
        (HasScope({"GET": "a"}), "b", 403),
        (HasScope({"POST": "a"}), "a", 403),
        (HasScope({"*": "a"}), "a", 200),
        (HasScope({"*": "a", "GET": "b"}), "a", 403),
        (HasScope({"*": "a", "GET": "b"}), "b", 200),
    ],
)
def test_a_scope_permission(serve, issuer, permission, granted, status):
    """All scopes must be granted; a mapping's own entry for the method comes before the one for all others."""
    client = serve(permission_classes=[permission])
    assert client.get("/", headers=issuer.headers(granted)).status_code == status


@pytest.mark.parametrize(
    ("permission", "claims", "status"),
    [
        (HasClaim("role"), {"role": "x"}, 200),
        (HasClaim("role"), {}, 403),
        (HasClaim("role", "admin"), {"role": "admin"}, 200),
        (HasClaim("role", "admin"), {"role": ["user", "admin"]}, 200),
        (HasClaim("role", "admin"), {"role": "user"}, 403),
        (HasClaim("role", value="admin"), {"role": "admin"}, 200),
        (HasClaim(name="role", value="admin"), {"role": "user"}, 403),
        (HasClaim("role", ["admin", "root"]), {"role": "root"}, 200),
        (HasClaim("role", False), {"role": False}, 200),
        (HasClaim("role", 1), {"role": True}, 403),
        (HasClaim(["org", "roles"], "admin"), {"org": {"roles": ["admin"]}}, 200),
        (HasClaim(["org", "roles"], "admin"), {"org": {"roles": []}}, 403),
        (HasClaim(("org", "roles")), {"org": {"roles": []}}, 200),
        (HasClaim(("org", "roles")), {"org": 1, "roles": 1}, 403),
        (HasClaim({"name": "role", "value": "admin"}), {"role": "admin"}, 200),
        (HasClaim({"name": "role", "value": "admin"}), {"role": "user"}, 403),
        (HasClaim([{"name": "role"}, {"name": "team"}]), {"role": 1, "team": 1}, 200),
        (HasClaim([{"name": "role"}, {"name": "team"}]), {"role": 1}, 403),
        (HasClaim({"GET": {"name": "role"}}), {"role": 1}, 200),
        (HasClaim({"GET": ["role", "team"]}), {"role": 1}, 403),
        (HasClaim({"POST": "role"}), {"role": 1}, 403),
    ],
)
def test_a_claim_permission(serve, issuer, permission, claims, status):
    """By name, by value, by path, in the words of the settings, or by method."""
    client = serve(permission_classes=[permission])
    assert client.get("/", headers=issuer.headers(**claims)).status_code == status


@pytest.mark.parametrize("permissions", [{"permission_classes": [HasScope(BY_METHOD)]}, None])
@pytest.mark.parametrize(
    ("method", "granted", "status"),
    [
        ("get", "read", 200),
        ("get", "write", 403),
        ("head", "read", 200),
        ("head", "write", 403),
        ("post", "read", 403),
        ("post", "read write", 200),
        ("options", "", 200),
        ("put", "read write", 403),
        ("delete", "read write", 403),
    ],
)
def test_requirements_by_method(serve, issuer, permissions, method, granted, status):
    """HEAD is GET; a method that nobody thought of is refused. The permission or the view may hold the mapping."""
    client = serve(**(permissions or {"permission_classes": [HasScope], "required_scopes": BY_METHOD}))
    response = getattr(client, method)("/", headers=issuer.headers(granted))
    assert response.status_code == status


def test_head_can_have_an_entry_of_its_own(serve, issuer):
    """Then GET's is not taken."""
    client = serve(permission_classes=[HasScope({"GET": "read", "HEAD": "probe"})])
    assert client.head("/", headers=issuer.headers("read")).status_code == 403
    assert client.head("/", headers=issuer.headers("probe")).status_code == 200


def test_a_method_without_an_entry_has_no_scope_to_ask_for(serve, issuer):
    """No token would do, so the challenge names no scope."""
    response = serve(permission_classes=[HasScope(BY_METHOD)]).put("/", headers=issuer.headers("read write"))
    assert response["WWW-Authenticate"] == (
        'Bearer error="insufficient_scope", error_description="Token is missing some required scope values"'
    )


@pytest.mark.parametrize(
    ("attributes", "token", "status"),
    [
        ({"required_scopes": ["a", "b"]}, {"scope": "a b"}, 200),
        ({"required_scopes": "a b"}, {"scope": "a"}, 403),
        ({"required_scopes": []}, {}, 200),
        ({"required_claims": "role"}, {"role": 1}, 200),
        ({"required_claims": [{"name": "role", "value": "x"}]}, {"role": "y"}, 403),
        ({"required_claims": {"GET": "role"}}, {"role": 1}, 200),
        ({"required_claims": {"POST": "role"}}, {"role": 1}, 403),
    ],
)
@pytest.mark.parametrize("called", [False, True])
def test_a_bare_permission_asks_the_view(serve, issuer, attributes, token, status, called):
    """`HasScope` and `HasScope()` read the attribute of the view."""
    permission = HasScope if "required_scopes" in attributes else HasClaim
    client = serve(permission_classes=[permission() if called else permission], **attributes)
    assert client.get("/", headers=issuer.headers(**token)).status_code == status


@pytest.mark.parametrize(
    ("permission", "attributes", "message"),
    [
        (HasScope, {}, r"HasScope without arguments needs TestView\.required_scopes"),
        (HasClaim, {}, r"HasClaim without arguments needs TestView\.required_claims"),
        (HasScope, {"required_scopes": ["a b"]}, r"TestView\.required_scopes: 'a b' is not a scope"),
        (HasScope, {"required_scopes": {"GET": 5}}, r"TestView\.required_scopes: expected a list of scopes, not 5"),
        (HasScope, {"required_scopes": iter(["read"])}, r"TestView\.required_scopes: expected a list of scopes"),
        (HasClaim, {"required_claims": {"GET": iter(["role"])}}, r"required_claims: expected a list of claims, not"),
        (HasClaim, {"required_claims": [{"nam": "x"}]}, r"TestView\.required_claims: a claim is"),
    ],
)
@pytest.mark.parametrize("headers", [True, False])
def test_a_bare_permission_without_requirements_is_a_mistake(serve, issuer, permission, attributes, message, headers):
    """It fails for all, with what is missing, and is neither open nor closed without a word."""
    client = serve(permission_classes=[permission], **attributes)
    with pytest.raises(ImproperlyConfigured, match=message):
        client.get("/", headers=issuer.headers() if headers else {})


@pytest.mark.parametrize(
    "permission",
    [
        HasScope(name for name in ["read", "write"]),
        HasScope({"read": 1, "write": 2}.keys()),
        HasScope({"GET": iter(["read"])}),
        HasClaim("role", (role for role in ["editor", "publisher"])),
        HasClaim(("org", "role"), {"editor": 1, "publisher": 2}.keys()),
        HasClaim(iter([{"name": "role", "value": iter(["editor"])}])),
        HasAuthenticationContext(iter(["mfa", "pwd"])),
    ],
)
def test_a_permission_takes_any_iterable(serve, issuer, permission):
    """As its types say, and requires the same at each request."""
    client = serve(permission_classes=[permission])
    good = issuer.headers("read write", role="editor", org={"role": "publisher"}, acr="pwd")
    assert [client.get("/", headers=good).status_code for _ in range(2)] == [200, 200]
    for _ in range(2):
        assert client.get("/", headers=issuer.headers("x", role="x", acr="x")).status_code in (401, 403)


@pytest.mark.parametrize(
    "make",
    [
        lambda: HasScope("a b", "c"),
        lambda: HasScope(5),
        lambda: HasScope({"GET": '"'}),
        lambda: HasScope("a", {"GET": "b"}),
        lambda: HasClaim("role", None),
        lambda: HasClaim("role", []),
        lambda: HasClaim(""),
        lambda: HasClaim({"name": "role", "values": 1}),
        lambda: HasClaim({"GET": {"value": 1}}),
        lambda: HasClaim({"GET": "role"}, "admin"),
        lambda: HasClaim({"role": "admin"}),
        lambda: HasScope({"list": "read"}),
        lambda: HasScope(b"read"),
        lambda: HasClaim({"role"}.__contains__),
        lambda: HasAuthenticationContext(None),
        lambda: HasAuthenticationContext(5),
        lambda: HasAuthenticationContext(b"mfa"),
        lambda: HasAuthenticationContext({"mfa": 1}),
        lambda: HasScope({"GET": "read", None: "write"}),
    ],
)
def test_a_requirement_that_makes_no_sense_fails_when_written(make):
    """At import, not at the first request."""
    with pytest.raises(ValueError, match=r"\S"):
        make()


def test_a_second_value_is_no_second_argument():
    """It would go unheard: several values are a list."""
    with pytest.raises(TypeError, match="positional argument"):
        HasClaim("role", "editor", "admin")


def test_a_mapping_by_what_is_no_method_says_what_it_is_by():
    """A view set's author thinks of actions first."""
    with pytest.raises(ValueError, match=re.escape("'list' is no HTTP method; a mapping is by method, as in")):
        HasScope({"list": "read"})


def test_a_method_without_an_entry_lacks_claims(serve, issuer):
    """As a claim that is missing does, not a scope."""
    response = serve(permission_classes=[HasClaim({"POST": "role"})]).get("/", headers=issuer.headers(role=1))
    assert response["WWW-Authenticate"] == (
        'Bearer error="invalid_token", error_description="Token is missing some required claims"'
    )


class Books(ViewSet):
    """Actions with requirements of their own."""

    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = (HasScope,)
    required_scopes = "read"

    def list(self, request):
        return Response([])

    @action(detail=False, methods=["post"], permission_classes=[HasScope("lend")])
    def lend(self, request):
        return Response({})

    @action(detail=False, methods=["post"], required_scopes="return")
    def bring_back(self, request):
        return Response({})


@pytest.mark.parametrize(
    ("actions", "scope"), [({"get": "list"}, "read"), ({"post": "lend"}, "lend"), ({"post": "bring_back"}, "return")]
)
def test_actions_of_a_view_set_have_requirements_of_their_own(serve, issuer, actions, scope):
    """By `permission_classes` or by `required_scopes` of the action."""
    ((method, name),) = actions.items()
    kwargs = getattr(getattr(Books, name), "kwargs", {})
    client = serve(Books.as_view(actions, **kwargs))
    for granted in ("read", "lend", "return"):
        response = getattr(client, method)("/", headers=issuer.headers(granted))
        assert response.status_code == (200 if granted == scope else 403)


def test_a_function_view_takes_the_permissions_from_its_decorator(serve, issuer):
    """`@api_view` with `@permission_classes`."""

    @api_view(["GET"])
    @authentication_classes([BearerJwtAuthentication])
    @permission_classes([HasScope("read") & HasClaim("role")])
    def view(request):
        return Response(request.auth.subject)

    client = serve(view)
    assert client.get("/").status_code == 401
    assert client.get("/", headers=issuer.headers("read")).status_code == 403
    assert client.get("/", headers=issuer.headers("read", role="x")).json() == "user-1"


def test_a_method_without_a_requirement_is_named_in_the_log(serve, issuer, caplog):
    """Not to the client, who learns that some scope is missing."""
    caplog.set_level("INFO", "django_oauth_jwt")
    response = serve(permission_classes=[HasScope({"GET": "a"})]).post("/", headers=issuer.headers("a"))
    assert response.status_code == 403
    assert "Token rejected: insufficient_scope: no requirement is given for POST" in caplog.messages


@pytest.mark.parametrize(
    ("permission", "refused"),
    [
        (HasScope("a"), 'error="insufficient_scope"'),
        (HasClaim("acr", "mfa"), 'error="invalid_token"'),
        (HasAuthenticationContext("mfa"), 'error="insufficient_user_authentication"'),
    ],
)
def test_a_token_of_a_decorators_own_keys_is_judged(serve, issuer, permission, refused):
    """The view was given its claims, so it is no missing token, though the settings do not list its issuer."""
    partner = TokenIssuer("https://partner.test")

    @secure(jwks_service=partner)
    @api_view()
    @authentication_classes([])
    @permission_classes([permission])
    def view(request):
        return Response(request.access_token.issuer)

    client = serve(view)
    assert client.get("/", headers=partner.headers("a", acr="mfa")).json() == partner.issuer
    assert refused in client.get("/", headers=partner.headers("b"))["WWW-Authenticate"]
    assert client.get("/").status_code == 401
    assert client.get("/", headers=issuer.headers("a", acr="mfa")).status_code == 403


def test_a_token_that_the_request_has_no_more_is_not_judged(serve, issuer):
    """Something between the decorator and DRF has taken it away."""

    @api_view()
    @authentication_classes([])
    @permission_classes([HasScope("a")])
    def view(request):
        return Response()

    @secure(jwks_service=issuer)
    def tokenless(request):
        del request.META["HTTP_AUTHORIZATION"]
        return view(request)

    assert serve(tokenless).get("/", headers=issuer.headers("a")).status_code == 401
