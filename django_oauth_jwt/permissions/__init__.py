"""The DRF permission classes: scopes, claims, and how the user authenticated."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from rest_framework.request import Request

from ..authentication_context import authentication_context
from ..conf import get_settings
from ..errors import InsufficientScope
from ..request import authorize
from ..requirements import Requirements, claim_requirement, parse_claims, parse_scopes
from ..verification import trusted_issuer
from .base import TokenPermission, token_of

__all__ = ["ANY_METHOD", "HasAuthenticationContext", "HasClaim", "HasScope", "RequirementPermission", "TokenPermission"]

#: Stands for all other HTTP methods in a mapping of method to requirements.
ANY_METHOD: Final = "*"


class RequirementPermission(TokenPermission):
    """What `HasScope` and `HasClaim` share: requirements, given or on the view, for each method or for all."""

    view_attribute: str

    def __init__(self, requirement: Any = None) -> None:
        self._given = None if requirement is None else _by_method(requirement, self.parse)

    @staticmethod
    def parse(value: Any) -> Requirements:
        """Parse the requirement of one method or of all; ValueError for a bad one."""
        raise NotImplementedError

    def check(self, request: Request, view: Any) -> None:
        """Raise BearerError where the token does not meet the requirements of the request's method."""
        requirements = self.requirements_for(str(request.method), view)
        token = token_of(request)
        if requirements is None:
            raise InsufficientScope  # a method that nobody thought of is not open to all
        authorize(token, requirements)

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

    Either may be a mapping of HTTP method to scopes; a method that is not in it is refused, HEAD is GET.
    """

    view_attribute = "required_scopes"

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


class HasAuthenticationContext(TokenPermission):
    """Require how and when the user authenticated (RFC 9470): ``HasAuthenticationContext(["mfa"], max_age=300)``.

    ``acr_values``: one of them must be the token's ``acr``, the preferred one first. ``max_age``: how many
    seconds ago ``auth_time`` may be. A token that falls short is challenged with what is required (401).
    """

    def __init__(self, acr_values: str | Iterable[str] = (), *, max_age: int | None = None) -> None:
        self.context = authentication_context(acr_values, max_age)

    def check(self, request: Request, view: Any) -> None:
        """Raise BearerError where the user did not authenticate so."""
        token = token_of(request)
        trusted = trusted_issuer(token.issuer, get_settings())
        self.context.check(token.claims, time.time(), trusted.leeway if trusted is not None else 0)


def _by_method(requirement: Any, parse: Callable[[Any], Requirements]) -> dict[str, Requirements]:
    if isinstance(requirement, Mapping) and "name" not in requirement:
        return {str(method).upper(): parse(value) for method, value in requirement.items()}
    return {ANY_METHOD: parse(requirement)}
