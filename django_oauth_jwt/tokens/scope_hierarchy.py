"""Broader scopes that stand for narrower ones (the setting SCOPE_IMPLIES)."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Final


class ScopeHierarchy:
    """Which scopes stand for which others, transitively. Immutable.

    >>> hierarchy = ScopeHierarchy({"books.admin": ["books.write"], "books.write": ["books.read"]})
    >>> sorted(hierarchy.with_implied({"books.write"}))
    ['books.read', 'books.write']

    Raises ValueError for a circle, and says which.
    """

    __slots__ = ("_implied",)

    def __init__(self, implies: Mapping[str, Iterable[str]]) -> None:
        direct = {scope: frozenset(narrower) for scope, narrower in implies.items()}
        found: dict[str, frozenset[str]] = {}
        try:
            for scope in TopologicalSorter(direct).static_order():  # the narrower ones first
                narrower = direct.get(scope, frozenset())
                found[scope] = narrower.union(*(found[one] for one in narrower))
        except CycleError as error:
            raise ValueError(" > ".join(reversed(error.args[1]))) from error
        self._implied = {scope: found[scope] for scope in direct}

    def with_implied(self, granted: Iterable[str]) -> frozenset[str]:
        """Return the scopes that were granted, and those that they stand for."""
        scopes = frozenset(granted)
        return scopes.union(*(self._implied[scope] for scope in scopes if scope in self._implied))

    def instead_of(self, required: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Return the sets of scopes that do in place of the required ones.

        In each a broader scope stands for some of them. Of two sets of which one holds the other, it is the smaller.
        """
        found = [
            (scope, *(other for other in required if other not in {scope, *implied}))
            for scope, implied in self._implied.items()
            if not implied.isdisjoint(required)
        ]
        return [way for way in found if not any(set(other) < set(way) for other in found)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ScopeHierarchy) and self._implied == other._implied

    def __hash__(self) -> int:
        return hash(frozenset(self._implied.items()))


#: Each scope stands for itself alone.
FLAT: Final = ScopeHierarchy({})
