"""Step-up authentication (RFC 9470): a token is good, but of a user who must authenticate otherwise or anew."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.permissions import HasAuthenticationContext, HasScope
from django_oauth_jwt.signals import token_rejected
from django_oauth_jwt.testing import TokenIssuer

pytestmark = pytest.mark.urls(__name__)

NOW = 1_800_000_000
DESCRIPTION = "A different or more recent authentication of the user is required"
CHALLENGE = f'Bearer error="insufficient_user_authentication", error_description="{DESCRIPTION}"'

MFA = HasAuthenticationContext(["urn:as:mfa", "urn:as:hardware"])
RECENT = HasAuthenticationContext(max_age=300)
BOTH = HasAuthenticationContext("urn:as:mfa urn:as:hardware", max_age=300)
MFA_CHALLENGE = f'{CHALLENGE}, acr_values="urn:as:mfa urn:as:hardware"'
RECENT_CHALLENGE = f'{CHALLENGE}, max_age="300"'
BOTH_CHALLENGE = f'{MFA_CHALLENGE}, max_age="300"'
SCOPE_CHALLENGE = (
    'Bearer error="insufficient_scope", error_description="Token is missing some required scope values", scope="admin"'
)


class Foreign(BasePermission):
    """Somebody else's permission, which says no."""

    def has_permission(self, request, view):
        return False


def view(*permissions):
    class View(APIView):
        authentication_classes = (BearerJwtAuthentication,)
        permission_classes = permissions

        def get(self, request):
            self.check_object_permissions(request, object())
            return Response("let in")

    return View.as_view()


urlpatterns = [
    path("mfa", view(MFA)),
    path("recent", view(RECENT)),
    path("both", view(BOTH)),
    path("listed", view(HasScope("pay"), RECENT)),
    path("and", view(HasScope("pay") & RECENT)),
    path("or", view(HasScope("admin") | RECENT)),
    path("or-foreign", view(Foreign | MFA)),
    path("not", view(~MFA)),
    path("nested", view(AllowAny & (HasScope("admin") | (HasScope("pay") & BOTH)))),
]


@pytest.fixture
def ask(token_issuer, monkeypatch):
    """Ask for a view with a token of these claims, at a time that stands still."""
    monkeypatch.setattr("time.time", lambda: NOW)
    return lambda path, scope=None, **claims: APIClient().get(f"/{path}", headers=token_issuer.headers(scope, **claims))


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("mfa", {"acr": "urn:as:mfa"}),
        ("mfa", {"acr": "urn:as:hardware"}),
        ("recent", {"auth_time": NOW}),
        ("recent", {"auth_time": NOW - 300}),
        ("recent", {"auth_time": NOW - 300.5}),
        ("recent", {"auth_time": NOW - 330}),  # LEEWAY is 30
        ("recent", {"auth_time": NOW + 30}),
        ("both", {"acr": "urn:as:mfa", "auth_time": NOW - 299}),
        ("listed", {"scope": "pay", "auth_time": NOW}),
        ("and", {"scope": "pay", "auth_time": NOW}),
        ("or", {"auth_time": NOW}),
        ("or", {"scope": "admin"}),
        ("or-foreign", {"acr": "urn:as:mfa"}),
        ("not", {"acr": "urn:as:password"}),
        ("nested", {"scope": "admin"}),
        ("nested", {"scope": "pay", "acr": "urn:as:mfa", "auth_time": NOW}),
    ],
)
def test_whoever_authenticated_as_required_is_let_in(ask, path, claims):
    """One of the acr values and a recent authentication let a request in, and it carries no challenge."""
    response = ask(path, **claims)
    assert response.status_code == 200
    assert "WWW-Authenticate" not in response


@pytest.mark.parametrize(
    ("path", "claims", "challenge"),
    [
        ("mfa", {}, MFA_CHALLENGE),
        ("mfa", {"acr": "urn:as:password"}, MFA_CHALLENGE),
        ("mfa", {"acr": "urn:as:mfa urn:as:hardware"}, MFA_CHALLENGE),
        ("mfa", {"acr": ["urn:as:mfa"]}, MFA_CHALLENGE),
        ("mfa", {"acr": {}}, MFA_CHALLENGE),
        ("recent", {}, RECENT_CHALLENGE),
        ("recent", {"auth_time": NOW - 331}, RECENT_CHALLENGE),
        ("recent", {"auth_time": NOW + 31}, RECENT_CHALLENGE),
        ("recent", {"auth_time": str(NOW)}, RECENT_CHALLENGE),
        ("recent", {"auth_time": True}, RECENT_CHALLENGE),
        ("recent", {"auth_time": [NOW]}, RECENT_CHALLENGE),
        ("recent", {"auth_time": {}}, RECENT_CHALLENGE),
        ("recent", {"auth_time": 10**400}, RECENT_CHALLENGE),
        ("recent", {"auth_time": -(10**400)}, RECENT_CHALLENGE),
        ("both", {"acr": "urn:as:mfa"}, BOTH_CHALLENGE),
        ("both", {"auth_time": NOW}, BOTH_CHALLENGE),
        ("listed", {"scope": "pay"}, RECENT_CHALLENGE),
        ("and", {"scope": "pay"}, RECENT_CHALLENGE),
        ("or-foreign", {}, MFA_CHALLENGE),
        (
            "nested",
            {"scope": "pay"},
            SCOPE_CHALLENGE,
        ),
    ],
)
def test_whoever_did_not_is_told_how_to(ask, path, claims, challenge):
    """Section 3: the challenge says what the next authentication has to be like."""
    response = ask(path, **claims)
    assert response["WWW-Authenticate"] == challenge
    assert response.status_code == (401 if "insufficient_user" in challenge else 403)
    assert response["Cache-Control"] == "no-store"


def test_the_body_tells_the_error(ask):
    """DRF's own shape of an error, with the error code as its code."""
    response = ask("recent")
    assert response.json() == {"detail": DESCRIPTION}
    assert response.data["detail"].code == "insufficient_user_authentication"


def test_a_missing_scope_comes_first_where_it_stands_first(ask):
    """The challenge is that of the permission that refuses."""
    assert 'error="insufficient_scope"' in ask("and", auth_time=NOW)["WWW-Authenticate"]


def test_a_negated_one_refuses_without_a_challenge_of_its_own(ask):
    """No authentication would help who is refused for having authenticated."""
    assert "insufficient_user_authentication" not in ask("not", acr="urn:as:mfa").get("WWW-Authenticate", "")
    assert ask("not", acr="urn:as:mfa").status_code == 403


@pytest.mark.parametrize(
    ("path", "challenge"),
    [("mfa", "Bearer"), ("both", "Bearer"), ("or", 'Bearer scope="admin"'), ("nested", 'Bearer scope="admin"')],
)
def test_without_a_token_the_challenge_asks_for_one(token_issuer, path, challenge):
    """Who brings no token learns of scopes, and the rest when it comes."""
    response = APIClient().get(f"/{path}")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, challenge)


def test_the_leeway_is_that_of_the_issuer(token_issuer, ask):
    """LEEWAY holds for auth_time as it does for the other times."""
    with token_issuer.installed(LEEWAY=0):
        assert ask("recent", auth_time=NOW - 301).status_code == 401
        assert ask("recent", auth_time=NOW - 300).status_code == 200


@pytest.mark.parametrize(("leeway", "status"), [(0, 403), (5, 200)])
def test_the_leeway_of_an_issuer_that_is_not_listed_is_the_settings(token_issuer, monkeypatch, leeway, status):
    """A view may have the keys of a partner of its own."""
    monkeypatch.setattr("time.time", lambda: NOW)
    partner = TokenIssuer("https://partner.test", key=token_issuer.keys[0])
    permission = HasAuthenticationContext(max_age=300)

    @secure(jwks_service=partner)
    def partners_view(request):
        request.auth = request.access_token
        return HttpResponse(status=200 if permission.has_permission(request, None) else 403)

    with token_issuer.installed(LEEWAY=leeway):
        headers = partner.headers(auth_time=NOW - 305)
        assert partners_view(RequestFactory().get("/", headers=headers)).status_code == status


@pytest.mark.parametrize(("claims", "detail"), [({"auth_time": NOW}, "acr"), ({"acr": "urn:as:mfa"}, "auth_time")])
def test_the_log_says_which_claim_falls_short(ask, caplog, claims, detail):
    """The challenge has what is required in any case."""
    caplog.set_level("INFO", "django_oauth_jwt")
    ask("both", **claims)
    assert f"Token rejected: insufficient_user_authentication: {detail}" in caplog.messages


def test_the_rejection_is_told_once(ask):
    """`token_rejected` fires with the reason, for metrics."""
    reasons = []

    def receive(reason, **kwargs):
        reasons.append(reason)

    token_rejected.connect(receive)
    try:
        ask("recent")
    finally:
        token_rejected.disconnect(receive)
    assert reasons == ["insufficient_user_authentication"]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"acr_values": []},
        {"acr_values": [""]},
        {"acr_values": ["a b"]},
        {"acr_values": ["é"]},
        {"acr_values": ["a\n"]},
        {"acr_values": [1]},
        {"max_age": -1},
        {"max_age": 1.5},
        {"max_age": True},
        {"max_age": "300"},
    ],
)
def test_a_requirement_that_makes_no_sense_is_refused_when_it_is_written(arguments):
    """What no challenge could say is an error at import, not at the first request."""
    with pytest.raises(ValueError, match=r"acr|max_age"):
        HasAuthenticationContext(**arguments)
