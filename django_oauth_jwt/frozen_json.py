"""JSON values that cannot be changed, and copies of them that can.

What many requests share must not change; what one request is given is its own to change.
"""

from typing import Any, NoReturn


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
        return FrozenDict(
            {name: freeze(member) if type(member) in _NESTED else member for name, member in value.items()}
        )
    if isinstance(value, list):
        return FrozenList([freeze(element) if type(element) in _NESTED else element for element in value])
    return value


def thaw(value: Any) -> Any:
    """Return a copy of a JSON value that shares nothing that can be changed."""
    if isinstance(value, dict):
        return {name: thaw(member) if type(member) in _NESTED else member for name, member in value.items()}
    if isinstance(value, list):
        return [thaw(element) if type(element) in _NESTED else element for element in value]
    return value


#: Looked up before the call, since most claims are plain and a call costs more than the look.
_NESTED = frozenset({dict, list, FrozenDict, FrozenList})
