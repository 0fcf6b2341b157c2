"""The settings PROTECTED_PATHS and EXEMPT_PATHS: regular expressions on the path. They work as `values` do.

A path counts with its first slash and, as in a URLconf, without: ``^/api/`` and ``^api/`` are the same.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

#: A pattern of a whole URL, where there is only the path of one.
_WHOLE_URL: Final = re.compile(r"(\^|\\A)?https?\??\\?:")
#: A pattern that begins with a letter or digit that must be there, hence with no slash.
_RELATIVE: Final = re.compile(r"(?:\^|\\A)?(\w(?![*?{]).*)", re.DOTALL)


def protected_paths(value: Any) -> tuple[re.Pattern[str], ...]:
    """A list of regular expressions, which are searched for in the path."""
    return _patterns(value)


def exempt_paths(value: Any) -> tuple[re.Pattern[str], ...]:
    """A list of regular expressions, which are matched from the beginning of the path."""
    patterns = _patterns(value)
    return (*patterns, *(with_slash for pattern in patterns for with_slash in _with_slash(pattern)))


def is_protected(path: str, patterns: tuple[re.Pattern[str], ...]) -> bool:
    """Tell whether one of the PROTECTED_PATHS is found in the path; yes in doubt, so either form of it will do."""
    return any(pattern.search(path) or pattern.search(path[1:]) for pattern in patterns)


def is_exempt(path: str, patterns: tuple[re.Pattern[str], ...]) -> bool:
    """Tell whether one of the EXEMPT_PATHS matches the path from its beginning."""
    return any(pattern.match(path) for pattern in patterns)


def _patterns(value: Any) -> tuple[re.Pattern[str], ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of regular expressions")
    try:
        compiled = tuple(re.compile(pattern) for pattern in value)
    except (re.error, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"must be a list of regular expressions: {error}") from error
    if not all(isinstance(pattern.pattern, str) for pattern in compiled):
        raise ValueError("must be a list of regular expressions for strings, not for bytes")
    for pattern in compiled:
        if _WHOLE_URL.match(pattern.pattern):
            raise ValueError(
                f"must not hold {pattern.pattern!r}: it sees the path alone, without scheme and host, as in '^/api/'"
            )
    return compiled


def _with_slash(pattern: re.Pattern[str]) -> Iterator[re.Pattern[str]]:
    """Yield a relative pattern as it is with the path's first slash."""
    # Not by a second look at the path without its slash: to what must not match, "(?!/api/)", that would be a match.
    relative = _RELATIVE.fullmatch(pattern.pattern)
    hazy = pattern.flags & re.VERBOSE or "(?!" in pattern.pattern or "(?<" in pattern.pattern
    if relative is not None and not hazy:
        yield re.compile(f"/(?:{relative[1]})", pattern.flags)
