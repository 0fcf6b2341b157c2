"""Promises of the DRF classes that have no other place."""

import pytest
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import exception_handler

from django_oauth_jwt.authentication import BearerRefusal
from django_oauth_jwt.errors import InsufficientScope, InvalidToken, KeysUnavailable, MissingToken
from django_oauth_jwt.permissions import HasClaim, HasScope, TokenPermission


def test_a_permission_without_a_check_lets_nobody_in(serve, issuer):
    """It is a mistake in the code, and must not pass for a permission that grants."""

    class Forgotten(TokenPermission):
        pass

    with pytest.raises(NotImplementedError, match=r"Forgotten needs a method check\(self, request, view\)"):
        serve(permission_classes=[Forgotten]).get("/", headers=issuer.headers("read"))


@pytest.mark.parametrize("result", [True, False, 0, "no"])
def test_a_check_that_answers_instead_of_raising_lets_nobody_in(serve, issuer, result):
    """Its False would pass for no objection."""

    class Answers(TokenPermission):
        def check(self, request, view):
            return result

    with pytest.raises(TypeError, match="must raise a BearerError or return None"):
        serve(permission_classes=[Answers]).get("/", headers=issuer.headers("read"))


@pytest.mark.parametrize("permission", [HasScope("admin"), HasClaim("role")])
def test_a_permission_can_be_asked_without_a_view(permission, issuer):
    """As some packages do that ask permissions of others, for a menu or a field."""
    request = APIRequestFactory().get("/")
    request.auth, request._request = None, request
    assert permission.has_permission(request, None) is False
    assert permission.has_object_permission(request, None, object()) is False


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidToken("expired"), "invalid_token"),
        (InsufficientScope(["a"]), "insufficient_scope"),
        (KeysUnavailable(), "temporarily_unavailable"),
        (MissingToken(), "no_authorization"),
    ],
)
def test_a_refusal_has_the_code_of_its_error(error, code, issuer):
    """Exception handlers of projects tell refusals apart by `get_codes`."""
    assert BearerRefusal(error).get_codes() == code


class Nobody(BasePermission):
    """Somebody else's permission, which no object meets."""

    def has_object_permission(self, request, view, obj):
        return False


@pytest.mark.parametrize("permission", [Nobody | HasScope("a"), HasScope("a") | Nobody, HasScope("a") | HasScope("b")])
def test_alternatives_that_an_object_does_not_meet_are_challenged_with_the_first_of_ours(serve, issuer, permission):
    """A client learns what would let it in."""

    def get(view, request):
        view.check_object_permissions(request, object())
        return Response()

    response = serve(permission_classes=[permission], get=get).get("/", headers=issuer.headers("c"))
    assert response.status_code == 403
    assert response["WWW-Authenticate"].endswith('scope="a"')


@pytest.mark.parametrize(("error", "seconds"), [(KeysUnavailable(9), 9), (InvalidToken("expired"), None)])
def test_a_projects_exception_handler_sees_how_long_to_wait(serve, settings, issuer, error, seconds):
    """In `wait`, as DRF's `Throttled` has it; its own handler makes Retry-After of that."""
    waits = []

    def handler(exc, context):
        waits.append(exc.wait)
        return exception_handler(exc, context)

    def get(view, request):
        raise error

    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": handler}
    response = serve(get=get).get("/", headers=issuer.headers())
    assert (response.get("Retry-After"), waits) == (seconds and str(seconds), [seconds])
