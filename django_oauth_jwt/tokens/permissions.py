"""Permissions of Django that a token grants (the setting TOKEN_PERMISSIONS)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from .access_token import AccessToken
from .scope_hierarchy import ScopeHierarchy


@dataclass(frozen=True)
class TokenPermissions:
    """The permissions by scope, such as ``books.add_book``, or a callable of the project that returns a token's."""

    by_scope: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ask: Callable[[AccessToken], Iterable[str]] | None = None

    def granted_by(self, access_token: AccessToken, hierarchy: ScopeHierarchy) -> frozenset[str]:
        """Return the permissions that a token grants; TypeError where the project's callable returns none."""
        if self.ask is None:
            scopes = hierarchy.with_implied(access_token.scopes)
            return frozenset().union(*(self.by_scope[scope] for scope in scopes if scope in self.by_scope))
        found = self.ask(access_token)
        # A string would be taken for the permissions of its letters.
        permissions = None if isinstance(found, str) or not isinstance(found, Iterable) else frozenset(found)
        if permissions is None or not all(isinstance(each, str) for each in permissions):
            raise TypeError(f"TOKEN_PERMISSIONS must return strings in an iterable, not a {type(found).__name__}")
        return permissions


NO_PERMISSIONS: Final = TokenPermissions()
