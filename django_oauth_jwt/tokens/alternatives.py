"""Requirements that compose: ways to be let in, any of which will do, and the scopes that a client should ask for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import Final

from ..errors import InsufficientScope
from .access_token import AccessToken
from .requirements import insufficient_scope
from .scope_hierarchy import ScopeHierarchy

#: Each sum of alternatives multiplies their number, and nobody reads so many.
MAXIMUM: Final = 64


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to be let in: the scopes that it takes.

    ``needs_more`` is whether the request lacks something else than scopes for it, None where that is not known.
    """

    scopes: tuple[str, ...] = ()
    needs_more: bool | None = False


def all_of(each: Iterable[Sequence[Alternative]]) -> list[Alternative]:
    """Return the ways to meet several requirements at once, one alternative of each; the first `MAXIMUM` of them."""
    return [
        Alternative(tuple(dict.fromkeys(chain.from_iterable(one.scopes for one in way))), _needs_more(way))
        for way in islice(product(*each), MAXIMUM)
    ]


def _needs_more(parts: tuple[Alternative, ...]) -> bool | None:
    known = {part.needs_more for part in parts}
    return True if True in known else None if None in known else False


def short_of_scopes(
    alternatives: Iterable[Alternative], access_token: AccessToken, hierarchy: ScopeHierarchy
) -> list[tuple[Alternative, InsufficientScope]]:
    """Return the ways that a token with more scopes may open, each with its refusal."""
    possible = [one for one in alternatives if one.needs_more is not True]
    refusals = [insufficient_scope(one.scopes, access_token, hierarchy) for one in possible]
    return [(one, refusal) for one, refusal in zip(possible, refusals, strict=True) if refusal is not None]


def is_uncertain(short: Sequence[tuple[Alternative, InsufficientScope]]) -> bool:
    """Tell whether it depends on what is not known which of these ways would open."""
    return bool(short) and short[0][0].needs_more is None and len({one.scopes for one, _ in short}) > 1


def scopes_to_ask_for(alternatives: Iterable[Alternative]) -> tuple[str, ...]:
    """Return the scopes of the first way that takes nothing else, as far as is known; else of the first with any."""
    with_scopes = sorted((one for one in alternatives if one.scopes), key=_rank)
    return with_scopes[0].scopes if with_scopes else ()


def best_of(short: Iterable[tuple[Alternative, InsufficientScope]]) -> InsufficientScope | None:
    """Return the refusal by the first of these that scopes are sure to open, else by the first; None without any."""
    best = min(short, key=lambda one: _rank(one[0]), default=None)
    return None if best is None else best[1]


def _rank(one: Alternative) -> int:
    return (False, None, True).index(one.needs_more)
