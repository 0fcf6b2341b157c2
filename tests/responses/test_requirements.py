"""What a claim or scope requirement asks, rule by rule, and that one that makes no sense is refused at once."""

import pytest
from django.http import HttpRequest, HttpResponse

from django_oauth_jwt.decorators import secure
from django_oauth_jwt.tokens import ClaimRequirement, parse_claims


def view(request):
    return HttpResponse()


@pytest.fixture
def decorated_status(issuer):
    """The status of a view with these requirements for a token of these claims."""

    def decorated_status(claims_of_token, **requirements):
        request = HttpRequest()
        request.META["HTTP_AUTHORIZATION"] = f"Bearer {issuer.token(**claims_of_token)}"
        return secure(**requirements)(view)(request).status_code

    return decorated_status


def any_of(*values):
    return {"name": "c", "value": list(values)}


NESTED = {"realm_access": {"roles": ["admin", "user"], "n": None, "deep": {"er": 1}}}


@pytest.mark.parametrize(
    ("requirement", "token", "met"),
    [
        pytest.param("c", {"c": "x"}, True, id="name alone: there"),
        pytest.param("c", {"c": False}, True, id="name alone: false is there"),
        pytest.param("c", {"c": 0}, True, id="name alone: zero is there"),
        pytest.param("c", {"c": ""}, True, id="name alone: empty is there"),
        pytest.param("c", {"c": []}, True, id="name alone: an array is there"),
        pytest.param("c", {}, False, id="name alone: missing"),
        pytest.param({"name": "c"}, {}, False, id="dict without value: missing"),
        pytest.param({"name": "c", "value": "x"}, {"c": "x"}, True, id="string: equal"),
        pytest.param({"name": "c", "value": "x"}, {"c": "X"}, False, id="string: case differs"),
        pytest.param({"name": "c", "value": ""}, {"c": ""}, True, id="string: empty"),
        pytest.param({"name": "c", "value": "x"}, {"c": ["w", "x"]}, True, id="array: one equal"),
        pytest.param({"name": "c", "value": "x"}, {"c": ["w", ["x"]]}, False, id="array: no deeper"),
        pytest.param({"name": "c", "value": "x"}, {"c": {"x": "x"}}, False, id="object is no string"),
        pytest.param({"name": "c", "value": "x"}, {"c": "wx"}, False, id="string: no substring"),
        pytest.param({"name": "c", "value": True}, {"c": True}, True, id="true is true"),
        pytest.param({"name": "c", "value": True}, {"c": 1}, False, id="1 is not true"),
        pytest.param({"name": "c", "value": 1}, {"c": True}, False, id="true is not 1"),
        pytest.param({"name": "c", "value": False}, {"c": 0}, False, id="0 is not false"),
        pytest.param({"name": "c", "value": False}, {"c": False}, True, id="false can be required"),
        pytest.param({"name": "c", "value": 1}, {"c": [True]}, False, id="array: true is not 1"),
        pytest.param({"name": "c", "value": 1}, {"c": "1"}, False, id="a string is no number"),
        pytest.param({"name": "c", "value": 1}, {"c": 1.0}, True, id="1 and 1.0 are one JSON number"),
        pytest.param({"name": "c", "value": {"a": 1}}, {"c": {"a": 1}}, True, id="object: equal"),
        pytest.param({"name": "c", "value": {"a": 1}}, {"c": {"a": True}}, False, id="object: types within"),
        pytest.param({"name": "c", "value": {"a": 1}}, {"c": {"a": 1, "b": 2}}, False, id="object: more members"),
        pytest.param({"name": "c", "value": {"a": [1]}}, {"c": {"a": [1]}}, True, id="object: array within"),
        pytest.param({"name": "c", "value": {"a": [1]}}, {"c": {"a": [1, 2]}}, False, id="object: longer within"),
        pytest.param({"name": "c", "value": {"a": [1]}}, {"c": {"a": [True]}}, False, id="object: types deep within"),
        pytest.param(any_of("a", "b"), {"c": "b"}, True, id="any of: one"),
        pytest.param(any_of("a", "b"), {"c": "d"}, False, id="any of: none"),
        pytest.param(any_of("a", "b"), {"c": ["d", "b"]}, True, id="any of: one in the array"),
        pytest.param(any_of(1, "b"), {"c": True}, False, id="any of: types count"),
        pytest.param({"name": ["realm_access", "roles"], "value": "admin"}, NESTED, True, id="path: there"),
        pytest.param({"name": ("realm_access", "roles"), "value": "root"}, NESTED, False, id="path: differs"),
        pytest.param({"name": ["realm_access", "deep", "er"], "value": 1}, NESTED, True, id="path: deeper"),
        pytest.param({"name": ["realm_access", "n"]}, NESTED, False, id="path: null is not there"),
        pytest.param({"name": ["realm_access", "none"]}, NESTED, False, id="path: missing"),
        pytest.param({"name": ["realm_access", "roles", "admin"]}, NESTED, False, id="path: not through an array"),
        pytest.param({"name": ["sub", "x"]}, NESTED, False, id="path: not through a string"),
        pytest.param({"name": "https://api/roles", "value": "a"}, {"https://api/roles": "a"}, True, id="URL as name"),
        pytest.param({"name": "realm_access.roles"}, NESTED, False, id="a dot is part of the name"),
        pytest.param(ClaimRequirement(("c",), ("x",)), {"c": "x"}, True, id="one that is made already"),
    ],
)
def test_a_claim_requirement(decorated_status, requirement, token, met):
    """Section 3's rules: present and not null, one element of an array, equal with equal JSON type, any of, a path."""
    assert decorated_status(token, claims=[requirement]) == (200 if met else 403)


@pytest.mark.parametrize("requirement", ["c", {"name": "c"}, {"name": ["o", "c"]}])
def test_a_claim_that_is_null_is_not_there(requirement):
    """JSON's null says that there is no value."""
    (parsed,) = parse_claims([requirement])
    assert not parsed.is_met_by({"c": None, "o": {"c": None}})
    assert parsed.is_met_by({"c": 1, "o": {"c": 1}})


@pytest.mark.parametrize("claims", [{"a": 1}, {"b": 1}, {}])
def test_every_requirement_must_be_met(decorated_status, claims):
    """Several requirements are all required."""
    assert decorated_status(claims, claims=["a", "b"]) == 403
    assert decorated_status({"a": 1, "b": 1}, claims=["a", "b"]) == 200


@pytest.mark.parametrize(
    ("granted", "let_in"),
    [
        ({"scope": "read write"}, True),
        ({"scope": "  write   read  "}, True),
        ({"scope": "read"}, False),
        ({"scope": "readwrite"}, False),
        ({"scope": "READ WRITE"}, False),
        ({"scope": "read\twrite"}, False),
        ({"scp": "read write"}, True),
        ({"scp": ["read", "write"]}, True),
        ({"scp": ["read write"]}, False),
        ({"scope": "read", "scp": ["write"]}, True),
        ({"scp": ["read", 1, None, ["write"]]}, False),
        ({"scp": {"read": 1, "write": 1}}, False),
        ({"scp": 5}, False),
        ({"permissions": ["read", "write"]}, False),
        ({}, False),
    ],
)
def test_scope_is_a_string_or_an_array_and_scp_counts(decorated_status, granted, let_in):
    """RFC 6749 section 3.3, and what authorization servers send instead; rubbish grants nothing and breaks nothing."""
    assert decorated_status(granted, scope=["read", "write"]) == (200 if let_in else 403)


def test_the_array_form_of_scope_is_accepted(decorated_status, issuer, monkeypatch):
    """Some servers send `scope` itself as an array."""
    header = {"typ": "at+jwt", "alg": "RS256", "kid": issuer.keys[-1].kid}
    claims = b'{"iss": "https://issuer.test", "exp": 99999999999, "scope": ["read", "write"]}'
    request = HttpRequest()
    request.META["HTTP_AUTHORIZATION"] = "Bearer " + issuer.keys[-1].encode(header, claims)
    assert secure(scope="read write")(view)(request).status_code == 200
    assert secure(scope="read write other")(view)(request).status_code == 403


@pytest.mark.parametrize(
    "scope", ["read write", "read  write ", ["read", "write"], ("read", "write"), {"read", "write"}]
)
def test_scopes_are_required_as_string_or_as_list(decorated_status, scope):
    """Both spellings mean the same."""
    assert decorated_status({"scope": "write read"}, scope=scope) == 200
    assert decorated_status({"scope": "read"}, scope=scope) == 403


@pytest.mark.parametrize("claims", ["c", {"name": "c"}])
def test_one_claim_needs_no_list(decorated_status, claims):
    """A name is not taken for a list of letters."""
    assert decorated_status({"c": 1}, claims=claims) == 200
    assert decorated_status({}, claims=claims) == 403


@pytest.mark.parametrize(
    "requirements",
    [
        pytest.param({"scope": ["read write"]}, id="scope with a space"),
        pytest.param({"scope": ['"']}, id="scope with a quote"),
        pytest.param({"scope": "back\\slash"}, id="scope with a backslash"),
        pytest.param({"scope": "größe"}, id="scope beyond ASCII"),
        pytest.param({"scope": [""]}, id="empty scope"),
        pytest.param({"scope": [1]}, id="scope that is no string"),
        pytest.param({"scope": None}, id="no scope"),
        pytest.param({"claims": [{}]}, id="claim without a name"),
        pytest.param({"claims": [{"name": "c", "values": ["x"]}]}, id="claim with a typo"),
        pytest.param({"claims": [{"name": ""}]}, id="claim with an empty name"),
        pytest.param({"claims": [{"name": []}]}, id="claim with an empty path"),
        pytest.param({"claims": [{"name": ["a", 1]}]}, id="path that is no string"),
        pytest.param({"claims": [{"name": 5}]}, id="name that is no string"),
        pytest.param({"claims": [{"name": "c", "value": None}]}, id="null as value"),
        pytest.param({"claims": [{"name": "c", "value": []}]}, id="any of nothing"),
        pytest.param({"claims": [{"name": "c", "value": ["x", None]}]}, id="null among the values"),
        pytest.param({"claims": 5}, id="claims that are no list"),
        pytest.param({"realm": "line\r\nbreak"}, id="realm with a line break"),
        pytest.param({"realm": "Zürich"}, id="realm beyond ASCII"),
    ],
)
def test_a_requirement_that_makes_no_sense_fails_when_decorating(requirements):
    """A typo shows at the start, and never as a view that is open or closed to all."""
    with pytest.raises(ValueError, match=r"\S"):
        secure(**requirements)
