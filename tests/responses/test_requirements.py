"""What a view's requirements ask, by way of the decorator, and that one that makes no sense is refused at once."""

import pytest
from django.http import HttpRequest, HttpResponse

from django_oauth_jwt.decorators import secure


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


@pytest.mark.parametrize(
    ("requirements", "token", "status"),
    [
        ({"claims": [{"name": ["o", "c"], "value": ["x", "y"]}]}, {"o": {"c": ["z", "y"]}}, 200),
        ({"claims": [{"name": ["o", "c"], "value": ["x", "y"]}]}, {"o": {"c": ["z"]}}, 403),
        ({"scope": ["read", "write"]}, {"scope": "write", "scp": ["read"]}, 200),
        ({"scope": ["read", "write"]}, {"scope": "readwrite"}, 403),
    ],
)
def test_the_decorator_asks_what_the_rules_say(decorated_status, requirements, token, status):
    """The rules themselves, and all of their cases, are in tests/tokens/test_requirements.py."""
    assert decorated_status(token, **requirements) == status


@pytest.mark.parametrize("claims", [{"a": 1}, {"b": 1}, {}])
def test_every_requirement_must_be_met(decorated_status, claims):
    """Several requirements are all required."""
    assert decorated_status(claims, claims=["a", "b"]) == 403
    assert decorated_status({"a": 1, "b": 1}, claims=["a", "b"]) == 200


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
