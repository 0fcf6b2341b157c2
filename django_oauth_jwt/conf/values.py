"""One function for each kind of setting: it returns the value, converted if need be, or raises ValueError.

The error's text continues a sentence that begins with the setting's name: "must be ...".
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from ..jws import SUPPORTED_ALGORITHMS, media_type
from ..tokens import ClaimRequirement, ScopeHierarchy, TokenPermissions, parse_claims, parse_scopes
from .targets import imported_callable

T = TypeVar("T")

#: As Django names them: the label of an app, and a name.
_PERMISSION: Final = re.compile(r"[^\s.]+\.[^\s.]+")
#: About 68 years. More is a mistake, and too much for timers and caches.
MAXIMUM_SECONDS: Final = 2**31


def plain(value: Any) -> Any:
    """A value in which every string is exactly a str, of the same characters.

    A member of ``class Auth(str, Enum)`` equals a string, but is printed as another ("Auth.POST").
    """
    try:
        return _plain(value)
    except RecursionError:  # it holds itself: the rule for it says so
        return value


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return "".join(value)  # str() would print it
    is_container = isinstance(value, Mapping | list | tuple | set | frozenset)
    if not is_container or callable(value) or hasattr(value, "current"):  # a resolver or key service may be a tuple
        return value
    if isinstance(value, Mapping):
        members = {_plain(key): _plain(member) for key, member in value.items()}
        return members if isinstance(value, dict) else MappingProxyType(members)  # some rules take dicts alone
    return next(kind for kind in (list, tuple, set, frozenset) if isinstance(value, kind))(map(_plain, value))


def issuers(value: Any) -> dict[str, Any]:
    """A dict of settings by issuer."""
    if not isinstance(value, dict) or not all(map(_is_stripped_text, value)):
        raise ValueError("must be a dict of settings by issuer (a string, neither empty nor with blanks around it)")
    return value


def text(value: Any) -> str:
    """A string that can stand in a header."""
    if not isinstance(value, str) or not value.isascii() or (value and not value.isprintable()):
        raise ValueError("must be a string of printable ASCII characters")
    return value


def non_empty(value: Any) -> str:
    """A string, not empty and without blanks around it, which would make it equal to no claim."""
    if not _is_stripped_text(value):
        raise ValueError("must be a string, neither empty nor with blanks around it")
    return str(value)


def _is_stripped_text(value: object) -> bool:
    return isinstance(value, str) and bool(value) and value == value.strip()


def strings(value: Any) -> tuple[str, ...]:
    """A list of strings, none of them empty."""
    if not _are_texts(value):
        raise ValueError("must be a list of strings, neither empty nor with blanks around them")
    return tuple(value)


def audience(value: Any) -> frozenset[str]:
    """A string or a list of strings. An empty list would accept no token, so it is an error."""
    accepted = [value] if isinstance(value, str) else value
    if not accepted or not _are_texts(accepted):
        raise ValueError("must be a string or a list of strings, none of it empty or with blanks around it")
    return frozenset(accepted)


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple | set | frozenset) and all(map(_is_stripped_text, value))


def algorithms(value: Any) -> frozenset[str]:
    """A list of asymmetric algorithms."""
    accepted = frozenset(strings(value))
    for alg in sorted(accepted - set(SUPPORTED_ALGORITHMS)):
        raise ValueError(
            f"must not hold {alg!r}: a resource server checks with public keys, so only asymmetric "
            f"algorithms are possible ({', '.join(SUPPORTED_ALGORITHMS)})"
        )
    if not accepted:
        raise ValueError("must not be empty: it would refuse every token")
    return accepted


def token_types(value: Any) -> frozenset[str | None]:
    """A list of ``typ`` values; None in it accepts tokens that have no ``typ``."""
    if not isinstance(value, list | tuple | set | frozenset) or not value:
        raise ValueError("must be a list of strings, with None for tokens that have no typ")
    return frozenset(None if typ is None else media_type(non_empty(typ)) for typ in value)


def seconds(value: Any) -> float:
    """A number of seconds, 0 or more."""
    if not _is_duration(value):
        raise ValueError(f"must be a number of seconds, 0 or more and at most {MAXIMUM_SECONDS}")
    return value  # type: ignore[no-any-return]  # int or float, as checked


def some_seconds(value: Any) -> float:
    """A number of seconds, more than 0."""
    if not _is_duration(value) or value == 0:
        raise ValueError(f"must be a number of seconds, more than 0 and at most {MAXIMUM_SECONDS}")
    return float(value)


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAXIMUM_SECONDS


def count(value: Any) -> int:
    """A whole number, 0 or more."""
    return _whole_number(value, 0)


def length(value: Any) -> int:
    """A whole number, more than 0."""
    return _whole_number(value, 1)


def _whole_number(value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"must be a whole number, {'more than 0' if least else '0 or more'}")
    return value


def boolean(value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise ValueError("must be True or False")
    return value


def refusal_status(value: Any) -> int:
    """The status of a token that fails validation."""
    if not isinstance(value, int) or value not in (401, 403):
        raise ValueError("must be 403 (express-oauth-jwt's) or 401 (RFC 6750's)")
    return int(value)


def scopes(value: Any) -> tuple[str, ...]:
    """Scopes: see `tokens.parse_scopes`."""
    return _described("must be a list of scopes", parse_scopes, value)


def claims(value: Any) -> tuple[ClaimRequirement, ...]:
    """Claim requirements: see `tokens.parse_claims`."""
    return _described("must be a list of claim requirements", parse_claims, value)


def scope_hierarchy(value: Any) -> ScopeHierarchy:
    """A dict of scopes, each with the list of those that it stands for."""
    problem = 'must be a dict of scopes, such as {"books.write": ["books.read"]}'
    if not isinstance(value, dict):
        raise ValueError(problem)
    _described(problem, parse_scopes, list(value))
    implied = {scope: _described(f"{problem}; {scope!r}", parse_scopes, value[scope]) for scope in value}
    return _described("must not have a circle", ScopeHierarchy, implied)


def token_permissions(value: Any) -> TokenPermissions:
    """A dict of permissions by scope, or a callable that takes the access token."""
    if isinstance(value, str) or callable(value):
        return TokenPermissions(ask=imported_callable(value))
    problem = 'must be a dict of permissions by scope, such as {"books.write": ["books.add_book"]}, or a callable'
    if not isinstance(value, dict):
        raise ValueError(problem)
    _described(problem, parse_scopes, list(value))
    for scope, permissions in value.items():
        if not _are_texts(permissions) or not all(map(_PERMISSION.fullmatch, permissions)):
            raise ValueError(f"{problem}; {scope!r} must have a list of permissions, each with its app")
    return TokenPermissions({scope: frozenset(permissions) for scope, permissions in value.items()})


def _described(problem: str, parse: Callable[[Any], T], value: Any) -> T:
    try:
        return parse(value)
    except ValueError as error:
        raise ValueError(f"{problem}: {error}") from error
    except Exception as error:  # an object of the project's own may have no repr, and the like
        raise ValueError(problem) from error
