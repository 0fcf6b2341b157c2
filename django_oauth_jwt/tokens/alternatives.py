"""Requirements that compose: ways to be let in, any of which will do, and the scopes that a client should ask for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, product

from ..errors import InsufficientScope
from .access_token import AccessToken
from .requirements import insufficient_scope
from .scope_hierarchy import ScopeHierarchy


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to be let in: the scopes that it takes.

    ``lacks_more`` is whether the request lacks something else for it, None where that is not known.
    """

    scopes: tuple[str, ...] = ()
    lacks_more: bool | None = False


def all_of(each: Iterable[Iterable[Alternative]]) -> list[Alternative]:
    """Return the ways to meet several requirements at once: one alternative of each."""
    return [
        Alternative(tuple(dict.fromkeys(chain.from_iterable(one.scopes for one in way))), _lacks_more(way))
        for way in product(*each)
    ]


def _lacks_more(parts: tuple[Alternative, ...]) -> bool | None:
    known = {part.lacks_more for part in parts}
    return True if True in known else None if None in known else False


def short_of_scopes(
    alternatives: Iterable[Alternative], access_token: AccessToken, hierarchy: ScopeHierarchy
) -> list[tuple[Alternative, InsufficientScope]]:
    """Return the ways that a token with more scopes may open, each with its refusal."""
    possible = [one for one in alternatives if one.lacks_more is not True]
    refusals = [insufficient_scope(one.scopes, access_token, hierarchy) for one in possible]
    return [(one, refusal) for one, refusal in zip(possible, refusals, strict=True) if refusal is not None]


def is_uncertain(short: Sequence[tuple[Alternative, InsufficientScope]]) -> bool:
    """Tell whether it depends on what is not known which of these ways would open."""
    return bool(short) and short[0][0].lacks_more is None and len({one.scopes for one, _ in short}) > 1


def scopes_to_ask_for(alternatives: Iterable[Alternative]) -> tuple[str, ...]:
    """Return the scopes of the first way that takes nothing else, or else of the first that takes any."""
    with_scopes = [one for one in alternatives if one.scopes]
    best = next((one for one in with_scopes if not one.lacks_more), with_scopes[0] if with_scopes else Alternative())
    return best.scopes
