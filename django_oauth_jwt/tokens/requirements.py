"""The scopes and claims that a view requires, and how the settings and `secure` spell them."""

import json
from collections import UserString
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from numbers import Integral, Real
from typing import Any

from django.utils.functional import Promise

from ..errors import InsufficientScope, MissingClaims
from .access_token import AccessToken
from .lists import in_lists, listed
from .scope_hierarchy import FLAT, ScopeHierarchy

#: RFC 6749 section 3.3: a scope is one or more of %x21 / %x23-5B / %x5D-7E.
_SCOPE_CHARACTERS = frozenset(map(chr, range(0x21, 0x7F))) - {'"', "\\"}


@dataclass(frozen=True)
class ClaimRequirement:
    """A claim that must be present, and not null. Unless ``values`` is None it must have one of the values.

    ``path`` is the claim's name, or the names that lead to it through nested objects: ``("realm_access", "roles")``.
    A claim that is an array meets the requirement if one of its elements does.
    """

    path: tuple[str, ...]
    values: tuple[Any, ...] | None = None

    @property
    def name(self) -> str:
        """The claim's name; dots join the names of a path."""
        return ".".join(self.path)

    def __str__(self) -> str:
        """Return the requirement for people, the innermost name first, in ASCII."""
        name = " in ".join(map(_in_words, reversed(self.path)))
        return name if self.values is None else f"{name} = {' or '.join(map(_in_words, self.values))}"

    def is_met_by(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether the claims of a token meet this requirement."""
        found: Any = claims
        for name in self.path:
            if not isinstance(found, Mapping) or found.get(name) is None:
                return False
            found = found[name]
        if self.values is None:
            return True
        return any(_matches(found, value) for value in self.values)


@dataclass(frozen=True)
class Requirements:
    """Required scopes and claims; a token must have all of them."""

    scopes: tuple[str, ...] = ()
    claims: tuple[ClaimRequirement, ...] = ()

    def check(self, access_token: AccessToken, hierarchy: ScopeHierarchy = FLAT) -> None:
        """Raise InsufficientScope or MissingClaims where the token does not meet them."""
        if self.scopes:
            refusal = insufficient_scope(self.scopes, access_token, hierarchy)
            if refusal is not None:
                raise refusal
        if self.claims:
            lacking = [claim for claim in self.claims if not claim.is_met_by(access_token.claims)]
            if lacking:
                raise MissingClaims((claim.name for claim in lacking), detail=", ".join(map(str, lacking)))


def insufficient_scope(
    required: tuple[str, ...], access_token: AccessToken, hierarchy: ScopeHierarchy
) -> InsufficientScope | None:
    """Return the refusal of a token that does not grant all of these scopes, None for one that does."""
    if access_token.scopes.issuperset(required):
        return None
    granted = hierarchy.with_implied(access_token.scopes)
    lacking = [scope for scope in required if scope not in granted]
    return InsufficientScope(required, detail=", ".join(lacking)) if lacking else None


def parse_requirements(scope: str | Iterable[str], claims: Iterable[Any]) -> Requirements:
    """Return what a program requires, as `parse_scopes` and `parse_claims` do, of any iterable; ValueError likewise."""
    return Requirements(parse_scopes(in_lists(scope)), parse_claims(in_lists(claims)))


def parse_scopes(scope: str | Iterable[str]) -> tuple[str, ...]:
    """Return the scopes in a space-separated string, or in a list of strings; ValueError for an invalid one."""
    scopes = tuple(scope.split()) if isinstance(scope, str) else listed(scope, "scopes")
    for entry in scopes:
        if not isinstance(entry, str) or not entry or not _SCOPE_CHARACTERS.issuperset(entry):
            raise ValueError(f"{entry!r} is not a scope (RFC 6749 section 3.3)")
    return scopes


def parse_claims(claims: Any) -> tuple[ClaimRequirement, ...]:
    """Return the claim requirements in a list, or one that stands alone; ValueError for an invalid one.

    A requirement is a name (``"email"``) or a dict (``{"name": "role", "value": "editor"}``, the value optional).
    A list as value means any of its elements, a list as name a path into nested objects.
    """
    if isinstance(claims, str | Mapping):
        claims = [claims]
    return tuple(_parse_claim(claim) for claim in listed(claims, "claims"))


def claim_requirement(name: Any, *value: Any) -> ClaimRequirement:
    """Return the requirement of a claim by name, and by value if one is given; ValueError for an invalid one."""
    path = (name,) if isinstance(name, str) else listed(name, "names")
    if not path or not all(isinstance(part, str) and part for part in path):
        raise ValueError(f"a claim's name is a string, or a list of strings as path, not {name!r}")
    if not value:
        return ClaimRequirement(path)
    values = tuple(value[0]) if isinstance(value[0], list | tuple | set | frozenset) else (value[0],)
    if not values or None in values:
        raise ValueError(f"the value required of {name!r} is empty or null, which no claim can meet")
    for one in values:
        if not _is_json(one):
            raise ValueError(f"the value required of {name!r} is {one!r}, which no JSON has: write what the token has")
    return ClaimRequirement(path, values)


def _parse_claim(claim: Any) -> ClaimRequirement:
    if isinstance(claim, ClaimRequirement):
        return claim
    if not isinstance(claim, Mapping):
        return claim_requirement(claim)
    if "name" not in claim or not claim.keys() <= {"name", "value"}:
        raise ValueError(f'a claim is {{"name": ...}} or {{"name": ..., "value": ...}}, not {claim!r}')
    return claim_requirement(claim["name"], *([claim["value"]] if "value" in claim else []))


def _is_json(value: Any) -> bool:
    """Tell whether JSON can have such a value, or one that is equal: a UUID, for example, is no string."""
    if isinstance(value, Mapping):
        return all(isinstance(name, str | UserString) and _is_json(member) for name, member in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_json, value))
    if isinstance(value, Real | Decimal):
        return isinstance(value, Integral) or isfinite(value)
    return value is None or isinstance(value, str | UserString | Promise)


def _matches(found: Any, value: Any) -> bool:
    if isinstance(found, list):
        return any(_equal(element, value) for element in found)
    return _equal(found, value)


def _in_words(value: object) -> str:
    return json.dumps(value, default=repr)


def _equal(found: Any, value: Any) -> bool:
    # In Python True equals 1, in JSON it does not. 1 and 1.0 are the same number in JSON.
    if isinstance(found, bool) or isinstance(value, bool):
        return found is value
    if isinstance(found, dict) and isinstance(value, Mapping):
        return found.keys() == value.keys() and all(_equal(found[name], value[name]) for name in found)
    if isinstance(found, list) and isinstance(value, list | tuple):
        return len(found) == len(value) and all(map(_equal, found, value))
    return bool(found == value)
