"""What counts as a list where a program or the settings name several scopes, claims or values."""

from collections import UserString
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.functional import Promise

#: What can be iterated over and is no list: a `Promise` is a lazy string of Django's.
_WHOLES: Final = (str, UserString, Promise, bytes, bytearray, set, frozenset)


def in_lists(given: Any) -> Any:
    """Return what a program gives with each other iterable in it, such as a generator or ``dict.keys()``, as a tuple.

    A string of any kind is no list of letters, bytes are none of numbers, and a mapping is none of its names. What is
    read more than once, as the settings are and the attributes of a view, is not for this: a generator is empty the
    second time.
    """
    if isinstance(given, Mapping):
        return {name: in_lists(member) for name, member in given.items()}
    if isinstance(given, list):
        return [*map(in_lists, given)]
    if isinstance(given, _WHOLES) or not isinstance(given, Iterable):
        return given
    return tuple(map(in_lists, given))


def listed(value: Any, of: str) -> tuple[Any, ...]:
    """Return what is in a list, a tuple or a set; ValueError that tells ``of`` what for anything else."""
    if not isinstance(value, list | tuple | set | frozenset):
        raise ValueError(f"expected a list of {of}, not {value!r}")
    return tuple(value)
