"""The DRF permission classes: they compose with ``|``, ``&`` and ``~``, and explain a refusal that stands."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import AND, NOT, OR, BasePermission, OperationHolderMixin
from rest_framework.request import Request

from .access_token import AccessToken
from .authentication import BearerRefusal, watch_answers
from .errors import BearerError, InsufficientScope, MissingToken
from .request import accepted_token, authorize
from .requirements import Requirements, claim_requirement, parse_claims, parse_scopes

#: Stands for all HTTP methods in a mapping of method to requirements.
ANY_METHOD: Final = "*"


class TokenPermission(OperationHolderMixin, BasePermission):
    """What `HasScope` and `HasClaim` share.

    An instance stands in ``permission_classes`` as a class does: "calling" it gives itself.
    """

    view_attribute: str

    def __init__(self, requirement: Any = None) -> None:
        self._given = None if requirement is None else _by_method(requirement, self.parse)

    def __call__(self) -> "TokenPermission":
        """Return itself, where DRF takes it for a class and wants an instance."""
        return self

    @staticmethod
    def parse(value: Any) -> Requirements:
        """Parse the requirement of one method or of all; ValueError for a bad one."""
        raise NotImplementedError

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
        by_method = self.requirements_by_method(view)
        method = "GET" if request.method == "HEAD" and "HEAD" not in by_method else request.method
        requirements = by_method.get(str(method)) or by_method.get(ANY_METHOD)
        token = _token_of(request)
        if token is None:
            return MissingToken()
        if requirements is None:
            return InsufficientScope()  # a method that nobody thought of is not open to all
        try:
            authorize(token, requirements)
        except BearerError as error:
            return error
        return None

    def requirements_by_method(self, view: Any) -> Mapping[str, Requirements]:
        """Return the requirements by HTTP method, or those of `ANY_METHOD`; from the view where none were given.

        Raises ImproperlyConfigured where the view has none either, or bad ones.
        """
        if self._given is not None:
            return self._given
        required = getattr(view, self.view_attribute, None)
        where = f"{type(view).__name__}.{self.view_attribute}"
        if required is None:
            raise ImproperlyConfigured(f"{type(self).__name__} without arguments needs {where}.")
        try:
            return _by_method(required, self.parse)
        except ValueError as error:
            raise ImproperlyConfigured(f"{where}: {error}") from error


class HasScope(TokenPermission):
    """Require scopes, all of them: ``HasScope("read", "write")``, or bare with ``required_scopes`` on the view.

    Either may be a mapping of HTTP method to scopes; a method that is not in it is refused, HEAD is GET.
    """

    view_attribute = "required_scopes"

    def __init__(self, *scopes: Any) -> None:
        super().__init__((scopes if len(scopes) > 1 else scopes[0]) if scopes else None)

    @staticmethod
    def parse(value: Any) -> Requirements:
        """Parse a space-separated string or an iterable of scopes."""
        return Requirements(scopes=parse_scopes(value))


class HasClaim(TokenPermission):
    """Require a claim: ``HasClaim("role", "admin")``, or bare with ``required_claims`` on the view.

    The name may be a list, as path into nested objects; the value a list, any of which will do; without a
    value the claim must be there. Instead of the name stands what the setting CLAIMS takes, or a mapping of
    HTTP method to that.
    """

    view_attribute = "required_claims"

    def __init__(self, name: Any = None, *value: Any) -> None:
        path = isinstance(name, list | tuple) and all(isinstance(part, str) for part in name)
        super().__init__([claim_requirement(name, *value)] if value or path else name)

    @staticmethod
    def parse(value: Any) -> Requirements:
        """Parse a list of claim requirements, or one."""
        return Requirements(claims=parse_claims(value))


def _by_method(requirement: Any, parse: Callable[[Any], Requirements]) -> dict[str, Requirements]:
    if isinstance(requirement, Mapping) and "name" not in requirement:
        return {str(method).upper(): parse(value) for method, value in requirement.items()}
    return {ANY_METHOD: parse(requirement)}


def _token_of(request: Request) -> AccessToken | None:
    auth = request.auth
    return auth if isinstance(auth, AccessToken) else accepted_token(request._request)


def _explain_denials(view: Any) -> None:
    """Let the view's denials carry the challenge where a permission of ours is what stands in the way.

    One that says no is not the end, since an alternative may say yes. Whether its no stands is only known
    when the view denies, so that is where the challenge is added.
    """
    watch_answers(view)
    if hasattr(view, "permission_denied") and not isinstance(view.permission_denied, _ExplainedDenial):
        view.permission_denied = _ExplainedDenial(view)


class _ExplainedDenial:
    """Stands in for one view's ``permission_denied``; asks the permissions once more, to see which says no."""

    def __init__(self, view: Any) -> None:
        self._view = view
        self._deny = view.permission_denied
        self._check_object = view.check_object_permissions
        self._object: tuple[Any, ...] = ()
        view.check_object_permissions = self.check_object_permissions

    def check_object_permissions(self, request: Request, obj: Any) -> None:
        """Do what the view does, but remember the object in question."""
        self._object = (obj,)
        self._check_object(request, obj)
        self._object = ()

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
            allowed, refusal = _explain(permission, request, self._view, *self._object)
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
        return not _explain(_operands(permission)[0], *question)[0], None
    if isinstance(permission, AND):
        first, second = _operands(permission)
        answer = _explain(first, *question)
        return _explain(second, *question) if answer[0] else answer
    if isinstance(permission, OR):
        return _explain_alternatives(_operands(permission), *question)
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


def _operands(composed: Any) -> tuple[Any, ...]:
    return (composed.op1, composed.op2) if hasattr(composed, "op2") else (composed.op1,)
