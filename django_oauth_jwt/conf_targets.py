"""Settings that point at something: a cache, what a dotted path leads to, paths. They work as `conf_values` do."""

import re
from collections.abc import Callable, Iterator
from inspect import iscoroutinefunction
from typing import Any, Final

import requests
from django.conf import settings as django_settings
from django.utils.module_loading import import_string

#: What a source of keys must be able to do, see `jwks.KeyService`.
KEY_SERVICE_METHODS: Final = ("current", "key_set_for", "akey_set_for")
#: The beginning of a pattern that expects a whole URL, where there is only the path of one.
_WHOLE_URL: Final = re.compile(r"(\^|\\A)?https?\??\\?:")
#: Flags, and what holds a pattern to the beginning of the path.
_HEAD: Final = re.compile(r"(?:\(\?[aimsu]+\))?(?P<anchor>\^|\\A)?")
#: The parts of a pattern, as far as it takes to tell what it may begin with, each with what repeats it.
_PART: Final = re.compile(
    r"(?:(?P<anchor>\^|\\A)"
    r"|(?P<flags>\(\?[aimsu]+\))"
    r"|(?P<bar>\|)|(?P<end>\))"
    r"|(?P<group>\((?:\?[aimsu-]*:|\?P<\w+>)?(?!\?))"
    r"|(?P<other_group>\()"  # one that looks ahead or behind, say
    r"|(?P<character>\[\^?\]?(?:\\.|[^\\\]])*\]|\\[dDsSwW]|\\\W|[^\\.$])"
    r"|(?P<other>\\?.))"
    r"(?P<repeats>(?:[*+?]|\{\d*,?\d*\})[?+]?)?",
    re.DOTALL,
)
_OPTIONAL: Final = re.compile(r"[*?]|\{0*[,}]")


def cache_alias(value: Any) -> str:
    """An alias in CACHES."""
    if not isinstance(value, str) or value not in django_settings.CACHES:
        raise ValueError(f"must be an alias in CACHES ({', '.join(django_settings.CACHES)})")
    return value


def imported(value: Any) -> Any:
    """What a dotted path leads to; anything but a string stands for itself."""
    if not isinstance(value, str):
        return value
    if not all(map(str.isidentifier, value.split("."))):
        raise ValueError("must be a dotted path, with dots only" if ":" in value else "must be a dotted path")
    try:
        return import_string(value)
    except Exception as error:  # a module of the project's own may raise anything
        problem = f"{type(error).__name__}: {error}"
        raise ValueError(f"must be a dotted path that can be imported, which ended in {problem}") from error


def imported_callable(value: Any) -> Callable[..., Any]:
    """A callable, or the dotted path of one."""
    return _callable(imported(value), "must be a callable, or the dotted path of one")


def session(value: Any) -> requests.Session | Callable[..., Any]:
    """A `requests.Session`, a callable that returns one, or the dotted path of either."""
    target = imported(value)
    if isinstance(target, requests.Session):
        return target
    return _callable(
        target, "must be a requests.Session, a callable that returns a requests.Session, or the dotted path of either"
    )


def _callable(target: Any, problem: str) -> Callable[..., Any]:
    if not callable(target):
        raise ValueError(problem)
    # Nobody awaits what it returns: a resolver's None would be a coroutine, and pass for a user.
    if iscoroutinefunction(target) or iscoroutinefunction(type(target).__call__):
        raise ValueError("must not be async (a resolver may wait: it runs in a thread)")
    return target  # type: ignore[no-any-return]  # callable() narrows Any to a Callable of Any


def key_service(value: Any) -> Any:
    """A source of keys, a class or another callable that makes one, or the dotted path of either."""
    target = imported(value)
    makes_one = callable(target) and not isinstance(target, type) and not hasattr(target, "current")
    if not makes_one and not is_key_service(target):
        raise ValueError(f"must be an object with the methods {', '.join(KEY_SERVICE_METHODS)}, or make one")
    return target


def is_key_service(target: object) -> bool:
    """Tell whether the object can be asked for keys."""
    return all(callable(getattr(target, method, None)) for method in KEY_SERVICE_METHODS)


def protected_paths(value: Any) -> tuple[re.Pattern[str], ...]:
    """Regular expressions that are searched for in a path; one that no path can match would leave views open."""
    return _patterns(value, is_anchored=False)


def exempt_paths(value: Any) -> tuple[re.Pattern[str], ...]:
    """Regular expressions that are matched from the beginning of a path."""
    return _patterns(value, is_anchored=True)


def _patterns(value: Any, *, is_anchored: bool) -> tuple[re.Pattern[str], ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of regular expressions")
    try:
        compiled = tuple(re.compile(pattern) for pattern in value)
    except (re.error, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"must be a list of regular expressions: {error}") from error
    if not all(isinstance(pattern.pattern, str) for pattern in compiled):
        raise ValueError("must be a list of regular expressions for strings, not for bytes")
    for pattern in compiled:
        problem = _why_no_path_matches(pattern, is_anchored=is_anchored)
        if problem:
            raise ValueError(f"must not hold {pattern.pattern!r}: {problem}")
    return compiled


def _why_no_path_matches(pattern: re.Pattern[str], *, is_anchored: bool) -> str:
    text = pattern.pattern
    if _WHOLE_URL.match(text):
        return "it sees the path alone, without scheme and host, as in '^/api/'"
    has_comments = pattern.flags & re.VERBOSE or "(?#" in text  # what repeats a part may stand behind one
    if has_comments or any(_beginnings(_PART.finditer(text), is_anchored)):
        return ""
    head = next(_HEAD.finditer(text))
    example = f"{head[0]}/{text[head.end() :]}"
    if is_anchored and not head["anchor"]:
        return f"it is matched from the beginning of the path, as in {example!r}"
    return f"a path begins with a slash, as in {example if head['anchor'] else '^/api/'!r}"


def _beginnings(parts: Iterator[re.Match[str]], is_anchored: bool) -> tuple[bool, bool]:
    """Tell whether what alternatives match may begin with a slash, and whether it may be nothing; yes if in doubt.

    ``is_anchored`` is whether they are held to the beginning of the path. Reads as far as their group goes.
    """
    may_begin = may_be_nothing = False
    is_first, is_held = True, is_anchored
    for part in parts:
        if part["end"]:
            return may_begin, may_be_nothing or is_first or _is_optional(part)
        if part["bar"]:
            may_be_nothing |= is_first
            is_first, is_held = True, is_anchored
        elif part["anchor"]:
            is_held = True
        elif not part["flags"]:
            is_slash, is_nothing = _beginning(part, parts, is_held)
            may_begin |= is_first and is_slash
            is_first &= is_nothing
    return may_begin, may_be_nothing or is_first


def _beginning(part: re.Match[str], parts: Iterator[re.Match[str]], is_held: bool) -> tuple[bool, bool]:
    if part["group"]:
        return _beginnings(parts, is_held)
    if part["other_group"]:
        _beginnings(parts, is_held)
    if not (part["character"] and is_held):
        return True, True
    return re.match(part["character"], "/") is not None, _is_optional(part)


def _is_optional(part: re.Match[str]) -> bool:
    return bool(part["repeats"] and _OPTIONAL.match(part["repeats"]))
