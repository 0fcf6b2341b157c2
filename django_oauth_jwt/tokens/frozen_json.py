"""JSON values that cannot be changed, and copies of them that can.

What many requests share must not change; what one request is given is its own to change.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn


def _refuse(self: object, *args: object, **kwargs: object) -> NoReturn:
    raise TypeError("the claims and the header of an access token cannot be changed; change a copy")


class FrozenDict(dict[str, Any]):
    """A dict that cannot be changed, but is still what ``json`` and ``JsonResponse`` take for a dict."""

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return freeze, (thaw(self),)


class FrozenList(list[Any]):
    """A list that cannot be changed, but is still equal to a list of the same elements."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return freeze, (thaw(self),)


def freeze(value: Any) -> Any:
    """Return a JSON value as one that cannot be changed at any depth."""
    if isinstance(value, dict):
        return FrozenDict(_copied(freeze, value))
    if isinstance(value, list):
        return FrozenList(value if _is_flat(value) else map(freeze, value))
    return value


def thaw(value: Any) -> Any:
    """Return a copy of a JSON value that shares nothing that can be changed."""
    if isinstance(value, dict):
        return _copied(thaw, value)
    if isinstance(value, list):
        return list(value if _is_flat(value) else map(thaw, value))
    return value


def _copied(convert: Callable[[Any], Any], value: dict[str, Any]) -> dict[str, Any]:
    # Most members are neither objects nor arrays: those are copied at once, and only the others one by one.
    copied = dict(value)
    for name, member in value.items():
        if type(member) in _NESTED:
            copied[name] = convert(member)
    return copied


def _is_flat(values: list[Any]) -> bool:
    return _NESTED.isdisjoint(map(type, values))


_NESTED: Final = frozenset({dict, list, FrozenDict, FrozenList})
