"""Read-only JSON values, and copies of them that can be changed.

Many requests share one verified token, so it is read-only. A request that wants to change claims gets a copy.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn


def _refuse(self: object, *args: object, **kwargs: object) -> NoReturn:
    raise TypeError("the claims and the header of an access token cannot be changed; change a copy")


class FrozenDict(dict[str, Any]):
    """A read-only dict. It is a dict still, so ``json`` and ``JsonResponse`` accept it."""

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return freeze, (thaw(self),)


class FrozenList(list[Any]):
    """A read-only list. It is a list still, so ``json`` accepts it and it equals a list of the same elements."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return freeze, (thaw(self),)


def freeze(value: Any) -> Any:
    """Return a copy of a JSON value that is read-only at any depth."""
    if isinstance(value, dict):
        return FrozenDict(_copied(freeze, value))
    if isinstance(value, list):
        return FrozenList(value if _is_flat(value) else map(freeze, value))
    return value


def thaw(value: Any) -> Any:
    """Return a deep copy of a JSON value that can be changed, of frozen values too."""
    if isinstance(value, dict):
        return _copied(thaw, value)
    if isinstance(value, list):
        return list(value if _is_flat(value) else map(thaw, value))
    return value


def _copied(convert: Callable[[Any], Any], value: dict[str, Any]) -> dict[str, Any]:
    # For speed: most members are neither objects nor arrays, and `dict` copies them all without a loop in Python.
    copied = dict(value)
    for name, member in value.items():
        if type(member) in _NESTED:
            copied[name] = convert(member)
    return copied


def _is_flat(values: list[Any]) -> bool:
    return _NESTED.isdisjoint(map(type, values))


_NESTED: Final = frozenset({dict, list, FrozenDict, FrozenList})
