"""Permissions on objects: ours depend on the token alone, beside some that look at the object."""

import pytest
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.response import Response

from django_oauth_jwt.errors import InsufficientScope
from django_oauth_jwt.permissions import HasClaim, HasScope, TokenPermission

LACKING = (
    'Bearer error="insufficient_scope", error_description="Token is missing some required scope values", scope="admin"'
)


class IsOwner(BasePermission):
    """Somebody else's permission on objects: everybody may ask, the owner may have."""

    def has_object_permission(self, request, view, obj):
        return obj == request.user.pk


def get_object(view, request):
    view.check_object_permissions(request, "user-1")
    return Response({"object": "user-1"})


ADMIN = HasScope("admin")


@pytest.mark.parametrize(
    ("permissions", "claims", "status", "challenge"),
    [
        pytest.param([ADMIN], {"scope": "admin"}, 200, None, id="ours alone"),
        pytest.param([ADMIN], {}, 403, LACKING, id="ours alone refuses"),
        pytest.param([IsOwner], {}, 200, None, id="owner"),
        pytest.param([IsOwner], {"sub": "x"}, 403, None, id="not the owner, and nothing of ours"),
        pytest.param([IsOwner | ADMIN], {}, 200, None, id="owner or admin: owner"),
        pytest.param([IsOwner | ADMIN], {"sub": "x", "scope": "admin"}, 200, None, id="owner or admin: admin"),
        pytest.param([IsOwner | ADMIN], {"sub": "x"}, 403, LACKING, id="owner or admin: neither"),
        pytest.param([ADMIN | IsOwner], {"sub": "x"}, 403, LACKING, id="admin or owner: neither"),
        pytest.param([ADMIN | IsOwner], {}, 200, None, id="admin or owner: owner"),
        pytest.param([IsOwner & ADMIN], {"scope": "admin"}, 200, None, id="owner and admin: both"),
        pytest.param([IsOwner & ADMIN], {"sub": "x", "scope": "admin"}, 403, None, id="owner and admin: not the owner"),
        pytest.param([IsOwner & ADMIN], {}, 403, LACKING, id="owner and admin: not admin"),
        pytest.param([~ADMIN], {}, 200, None, id="not admin: is none"),
        pytest.param([~ADMIN], {"scope": "admin"}, 403, None, id="not admin: is one"),
        pytest.param([~ADMIN & IsOwner], {}, 200, None, id="owner, not admin: is it"),
        pytest.param([~ADMIN & IsOwner], {"sub": "x"}, 403, None, id="owner, not admin: is not"),
        pytest.param([IsAuthenticated, (IsOwner & ~ADMIN) | ADMIN], {"sub": "x"}, 403, LACKING, id="deep: neither"),
        pytest.param(
            [IsAuthenticated, (IsOwner & ~ADMIN) | ADMIN], {"sub": "x", "scope": "admin"}, 200, None, id="deep"
        ),
        pytest.param([IsOwner, HasClaim("role") | ADMIN], {"sub": "x", "role": 1}, 403, None, id="list: owner refuses"),
    ],
)
def test_an_object_is_had_by_logic_and_refused_with_what_is_missing(
    serve, issuer, permissions, claims, status, challenge
):
    """`check_object_permissions` with ours on either side of a permission that looks at the object."""
    client = serve(permission_classes=permissions, get=get_object)
    response = client.get("/", headers=issuer.headers(**claims))
    assert response.status_code == status
    assert response.headers.get("WWW-Authenticate") == challenge


def visible(view, request):
    """List what may be seen, as views do that ask for each object."""
    seen = []
    for obj in ("user-1", "user-2"):
        try:
            view.check_object_permissions(request, obj)
        except APIException:
            continue
        seen.append(obj)
    return Response(seen)


def test_a_view_that_tries_out_what_would_be_allowed_is_let_in_without_a_challenge(serve, issuer, signals):
    """A refusal that the view itself catches is no answer: no header and no signal speaks of it."""
    response = serve(permission_classes=[IsOwner | ADMIN], get=visible).get("/", headers=issuer.headers())
    assert response.json() == ["user-1"]
    assert "WWW-Authenticate" not in response.headers
    assert "Cache-Control" not in response.headers
    assert [name for name, _ in signals] == ["accepted"]


def test_what_was_asked_of_one_object_is_not_answered_for_another(serve, issuer):
    """After a refusal that was caught, a denial of the view's own is not about that object."""

    def get(view, request):
        with pytest.raises(APIException):
            view.check_object_permissions(request, "user-2")
        view.permission_denied(request)

    response = serve(permission_classes=[IsOwner | ADMIN], get=get).get("/", headers=issuer.headers())
    assert response.status_code == 403
    assert "WWW-Authenticate" not in response.headers


class OfTheOwner(TokenPermission):
    """A project's own, which everybody passes who asks for no object."""

    def has_permission(self, request, view):
        return True

    def has_object_permission(self, request, view, obj):
        return super().has_permission(request, view)

    def check(self, request, view):
        raise InsufficientScope(["admin"])


@pytest.mark.parametrize("others", [[], ["user-2"], ["user-2", "user-3"]])
def test_each_object_that_is_asked_for_has_a_challenge_of_its_own(serve, issuer, others):
    """Also the one after others whose refusal the view itself has caught."""

    def get(view, request):
        for obj in others:
            with pytest.raises(APIException):
                view.check_object_permissions(request, obj)
        view.check_object_permissions(request, "user-1")

    response = serve(permission_classes=[OfTheOwner], get=get).get("/", headers=issuer.headers())
    assert (response.status_code, response["WWW-Authenticate"]) == (403, LACKING)
