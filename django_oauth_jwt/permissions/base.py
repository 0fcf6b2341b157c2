"""What the permission classes share: they compose with ``|``, ``&`` and ``~``, and explain a denial that stands."""

from typing import Any

from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import AND, NOT, OR, BasePermission, SingleOperandHolder
from rest_framework.request import Request

from ..access_token import AccessToken
from ..authentication import BearerRefusal, watch_answers
from ..errors import BearerError, MissingToken
from ..request import accepted_token


class TokenPermission(SingleOperandHolder, BasePermission):
    """A permission that depends on the access token alone.

    An instance stands in ``permission_classes`` as a class does: "calling" it gives itself. Type checkers take
    it for what DRF has there besides classes, a `SingleOperandHolder`.
    """

    def __call__(self) -> "TokenPermission":
        """Return itself, where DRF takes it for a class and wants an instance."""
        return self

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the token meets the requirement. Never raises for a token that does not."""
        if self.refusal(request, view) is None:
            return True
        _explain_denials(view)
        return False

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        """Tell the same of an object: DRF's default True would turn ``~`` into a refusal."""
        return self.has_permission(request, view)

    def refusal(self, request: Request, view: Any) -> BearerError | None:
        """Return why the request is refused, None where it is let in."""
        try:
            self.check(request, view)
        except BearerError as error:
            return error
        return None

    def check(self, request: Request, view: Any) -> None:
        """Raise BearerError where the request's token does not do."""
        raise NotImplementedError


def token_of(request: Request) -> AccessToken:
    """Return the token that was accepted for a request, by whichever of our entrances; raise MissingToken."""
    auth = request.auth
    token = auth if isinstance(auth, AccessToken) else accepted_token(request._request)
    if token is None:
        raise MissingToken
    return token


def _explain_denials(view: Any) -> None:
    """Let the view's denials carry the challenge where a permission of ours is what stands in the way.

    One that says no is not the end, since an alternative may say yes. Whether its no stands is only known
    when the view denies, so that is where the challenge is added.
    """
    watch_answers(view)
    if hasattr(view, "_oauth_jwt") and not isinstance(view.permission_denied, _ExplainedDenial):
        view.permission_denied = _ExplainedDenial(view)


class _ExplainedDenial:
    """Stands in for one view's ``permission_denied``; asks the permissions once more, to see which says no."""

    def __init__(self, view: Any) -> None:
        self._view = view
        self._deny = view.permission_denied

    def __call__(self, request: Request, message: str | None = None, code: str | None = None) -> None:
        """Deny as the view does, and turn a plain denial into one that carries the challenge."""
        try:
            self._deny(request, message, code)
        except (NotAuthenticated, PermissionDenied) as denial:
            error = self._standing_refusal(request)
            if error is None:
                raise
            raise BearerRefusal(error, message, is_reported=False) from denial

    def _standing_refusal(self, request: Request) -> BearerError | None:
        for permission in self._view.get_permissions():
            allowed, refusal = _explain(permission, request, self._view, *self._view._oauth_jwt.asked_object)
            if not allowed:
                return refusal
        return None


def _explain(permission: Any, request: Request, view: Any, *obj: Any) -> tuple[bool, BearerError | None]:
    """Return what a permission says of a request, or of an object, and why it says no if it is ours."""
    question = (request, view, *obj)
    if isinstance(permission, TokenPermission):
        refusal = permission.refusal(request, view)
        return refusal is None, refusal
    if isinstance(permission, NOT):
        return not _explain(operands(permission)[0], *question)[0], None
    if isinstance(permission, AND):
        first, second = operands(permission)
        answer = _explain(first, *question)
        return _explain(second, *question) if answer[0] else answer
    if isinstance(permission, OR):
        return _explain_alternatives(operands(permission), *question)
    ask = permission.has_object_permission if obj else permission.has_permission
    return ask(*question), None


def _explain_alternatives(
    alternatives: tuple[Any, ...], request: Request, view: Any, *obj: Any
) -> tuple[bool, BearerError | None]:
    refusal = None
    for permission in alternatives:
        answer = _explain(permission, request, view)
        if answer[0] and obj:  # an alternative must allow the request as such, and then the object
            answer = _explain(permission, request, view, *obj)
        if answer[0]:
            return answer
        refusal = refusal or answer[1]
    return False, refusal


def operands(composed: Any) -> tuple[Any, ...]:
    """Return what DRF's AND, OR or NOT is made of."""
    return (composed.op1, composed.op2) if hasattr(composed, "op2") else (composed.op1,)
