"""The DRF permission classes: scopes, claims, and how the user authenticated.

They compose with ``|``, ``&`` and ``~``, and explain a denial that stands.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPMethod
from typing import Any, ClassVar, Final, Self

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from rest_framework.permissions import BasePermission, SingleOperandHolder
from rest_framework.request import Request

from .authentication import BearerRefusal, alternatives_of_view, hooks_of, token_seen
from .conf import get_settings
from .errors import BearerError, InsufficientScope, KeysUnavailable, MissingClaims, MissingToken
from .http import View, class_of, find_scopes_with, set_token, unwrapped
from .issuers import issuer_of_verified
from .tokens import (
    AccessToken,
    Alternative,
    Requirements,
    claim_requirement,
    in_lists,
    parse_authentication_context,
    parse_claims,
    parse_scopes,
    refuse_request,
    scopes_to_ask_for,
    takes_no_request,
)

__all__ = ["HasAuthenticationContext", "HasClaim", "HasScope", "TokenPermission"]

#: Stands for all other HTTP methods in a mapping of method to requirements.
ANY_METHOD: Final = "*"

_METHODS: Final = frozenset({ANY_METHOD, *HTTPMethod})


class TokenPermission(SingleOperandHolder, BasePermission):
    """A permission that depends on the access token alone; a subclass needs no more than `check`.

    An instance stands in ``permission_classes`` as a class does: "calling" it gives itself. Type checkers take
    it for what DRF has there besides classes, a `SingleOperandHolder`.
    """

    #: The `check` of which ``oauth_jwt_alternatives`` tells; a child with another one has reasons of its own.
    _known_check: ClassVar[object] = None

    def __new__(cls, *given: Any, **_: Any) -> Self:
        """Raise TypeError for a request, also where a child has an ``__init__`` of its own."""
        if given:
            refuse_request(cls, given[0])
        return super().__new__(cls)

    def __init__(self) -> None:  # SingleOperandHolder's own wants operands
        pass

    def __call__(self, request: object = None) -> "TokenPermission":
        """Return itself, where DRF takes it for a class and wants an instance. Raises TypeError for a request."""
        if request is not None:
            raise takes_no_request(type(self))
        return self

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the token meets the requirement. Never raises for a token that does not.

        Raises KeysUnavailable where nobody can tell for now: False would let a request in under ``~``.
        """
        if not hasattr(request, "claims"):  # another authenticator knew the request first, or there is none
            set_token(unwrapped(request), None)
        try:
            refusal = self.refusal(request, view)
        except KeysUnavailable as error:
            if hooks_of(view, challenges=False) is None:
                raise
            # One of DRF's, for renderers that try out permissions; the hooks make the answer of it.
            raise BearerRefusal(error) from error
        hooks = hooks_of(view, challenges=isinstance(refusal, MissingToken))
        if hooks is not None:
            hooks.note(refusal, is_own=self._has_own_reasons())
        return refusal is None

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        """Tell the same of an object: DRF's default True would turn ``~`` into a refusal."""
        return self.has_permission(request, view)

    def refusal(self, request: Request, view: Any) -> BearerError | None:
        """Return why the request is refused, None where it is let in; raise KeysUnavailable where nobody can tell."""
        check: Callable[[Request, Any], object] = self.check
        try:
            result = check(request, view)
        except KeysUnavailable:
            raise
        except BearerError as error:
            return error
        if result is not None:  # True or False: meant as an answer, which would let everybody in
            raise TypeError(f"{type(self).__name__}.check must raise a BearerError or return None, not {result!r}")
        return None

    def check(self, request: Request, view: Any) -> None:
        """Raise BearerError where the request's token does not do."""
        raise NotImplementedError(f"{type(self).__name__} needs a method check(self, request, view)")

    def _has_own_reasons(self) -> bool:
        return type(self).check is not type(self)._known_check


class RequirementPermission(TokenPermission):
    """What `HasScope` and `HasClaim` share: requirements, given or on the view, for each method or for all."""

    view_attribute: ClassVar[str]
    #: What is said of a method that a mapping does not hold.
    refusal_of_others: ClassVar[type[InsufficientScope | MissingClaims]]

    def __init__(self, requirement: Any = None) -> None:
        self._given = None if requirement is None else _by_method(in_lists(requirement), self.parse)

    @staticmethod
    def parse(value: Any) -> Requirements:
        """Parse the requirement of one method or of all; ValueError for a bad one."""
        raise NotImplementedError

    def check(self, request: Request, view: Any) -> None:
        """Raise BearerError where the token does not meet the requirements of the request's method."""
        requirements = self.requirements_for(str(request.method), view)
        token = token_of(request)
        if requirements is None:
            # A method that nobody thought of is not open to all.
            raise self.refusal_of_others(detail=f"no requirement is given for {request.method}")
        requirements.check(token, get_settings().scope_implies)

    _known_check = check

    def oauth_jwt_alternatives(self, method: str, view: Any, token: AccessToken | None) -> list[Alternative] | None:
        """Return the one way that this is; [] for a method that is not in the mapping, None where a child decides."""
        if type(self).has_permission is not TokenPermission.has_permission:
            return None
        requirements = self.requirements_for(method, view)
        if requirements is None:
            return []
        has_claims = token is not None and all(claim.is_met_by(token.claims) for claim in requirements.claims)
        needs_claims = bool(requirements.claims) and not has_claims
        return [Alternative(requirements.scopes, needs_claims or (None if self._has_own_reasons() else False))]

    def requirements_for(self, method: str, view: Any) -> Requirements | None:
        """Return the requirements of an HTTP method, None where it is not in the mapping."""
        by_method = self.requirements_by_method(view)
        method = "GET" if method == "HEAD" and "HEAD" not in by_method else method
        return by_method.get(method) or by_method.get(ANY_METHOD)

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


class HasScope(RequirementPermission):
    """Require scopes, all of them: ``HasScope("read", "write")``, or bare with ``required_scopes`` on the view.

    Either may be a mapping of HTTP method to scopes, in which ``"*"`` stands for the rest; a method that is not in
    it is refused, HEAD is GET. Raises ValueError for what is no scope or no method.
    """

    view_attribute = "required_scopes"
    refusal_of_others = InsufficientScope

    def __init__(self, *scopes: Any) -> None:
        super().__init__((scopes if len(scopes) > 1 else scopes[0]) if scopes else None)

    @staticmethod
    def parse(value: Any) -> Requirements:
        """Parse a space-separated string or an iterable of scopes."""
        return Requirements(scopes=parse_scopes(value))


class HasClaim(RequirementPermission):
    """Require a claim: ``HasClaim("role", "admin")``, or bare with ``required_claims`` on the view.

    The name may be a list, as path into nested objects; the value a list, any of which will do; without a
    value the claim must be there. Instead of the name stands what the setting CLAIMS takes, or a mapping of
    HTTP method to that, as for `HasScope`. Raises ValueError for requirements that make no sense.
    """

    view_attribute = "required_claims"
    refusal_of_others = MissingClaims

    def __init__(self, name: Any = None, value: Any = ...) -> None:
        path = isinstance(name, list | tuple) and all(isinstance(part, str) for part in name)
        values = () if value is ... else (in_lists(value),)
        super().__init__([claim_requirement(name, *values)] if values or path else name)

    @staticmethod
    def parse(value: Any) -> Requirements:
        """Parse a list of claim requirements, or one."""
        return Requirements(claims=parse_claims(value))


class HasAuthenticationContext(TokenPermission):
    """Require how and when the user authenticated (RFC 9470): ``HasAuthenticationContext(["mfa"], max_age=300)``.

    ``acr_values``: one of them must be the token's ``acr``, the preferred one first. ``max_age``: how many
    seconds ago ``auth_time`` may be. A token that falls short is challenged with what is required (401).
    """

    def __init__(self, acr_values: str | Iterable[str] = (), *, max_age: int | None = None) -> None:
        self.context = parse_authentication_context(acr_values, max_age)

    def check(self, request: Request, view: Any) -> None:
        """Raise BearerError where the user did not authenticate so."""
        self._check(token_of(request))

    _known_check = check

    def oauth_jwt_alternatives(self, method: str, view: Any, token: AccessToken | None) -> list[Alternative]:
        """Return the one way that this is, which more scopes do not open."""
        needs_login = token is None or not self._is_met_by(token)
        return [Alternative(needs_more=needs_login or (None if self._has_own_reasons() else False))]

    def _is_met_by(self, token: AccessToken) -> bool:
        try:
            self._check(token)
        except BearerError:
            return False
        return True

    def _check(self, token: AccessToken) -> None:
        settings = get_settings()
        self.context.check(token.claims, time.time(), issuer_of_verified(token, settings).leeway)


def _by_method(requirement: Any, parse: Callable[[Any], Requirements]) -> dict[str, Requirements]:
    if not isinstance(requirement, Mapping) or "name" in requirement:
        return {ANY_METHOD: parse(requirement)}
    return {_method(name): parse(value) for name, value in requirement.items()}


def _method(name: object) -> str:
    method = str(name).upper()
    if method not in _METHODS:
        raise ValueError(f'{name!r} is no HTTP method; a mapping is by method, as in {{"GET": ..., "*": ...}}')
    return method


def token_of(request: Request) -> AccessToken:
    """Return the token that was accepted for a request, by whichever of our entry points; raise MissingToken."""
    token = token_seen(request)
    if token is None:
        raise MissingToken
    return token


@find_scopes_with
def _scopes_of_view(view: View, request: HttpRequest, token: AccessToken | None) -> tuple[str, ...]:
    """Return the scopes that a DRF view declares, for the middleware, which refuses a request before DRF meets it.

    Where the view overrides `get_permissions` they are not known: that is the project's code, which may use the
    database, and expects a request that is let in so far.
    """
    from rest_framework.views import APIView  # noqa: PLC0415  # its class attributes may import this module

    view_class = class_of(view)
    if view_class is None or getattr(view_class, "get_permissions", None) is not APIView.get_permissions:
        return ()
    declared = _Declared(view_class, vars(view).get("initkwargs") or {})

    def permissions() -> tuple[Any, Iterable[Any]]:
        return declared, [permission() for permission in declared.permission_classes]

    return scopes_to_ask_for(alternatives_of_view(permissions, str(request.method), token))


class _Declared:
    """The attributes that a view will have, without the view: those given to ``as_view``, else its class's."""

    def __init__(self, view_class: type, initkwargs: Mapping[str, Any]) -> None:
        self._view_class = view_class
        self._initkwargs = initkwargs

    def __getattr__(self, name: str) -> Any:
        return self._initkwargs[name] if name in self._initkwargs else getattr(self._view_class, name)
