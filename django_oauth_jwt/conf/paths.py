"""The settings PROTECTED_PATHS and EXEMPT_PATHS: regular expressions, matched from the beginning of the path.

Every path begins with "/". A pattern that cannot match it would protect nothing, so it is an error. The functions for
the settings return the value or raise ValueError, as those in `values` do.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

Patterns = tuple[re.Pattern[str], ...]

#: A path that no pattern is meant for: only the slash in it counts.
_SLASH: Final = "/\0"
#: A path with every character of Latin-1 but controls: together with "/" it stands for all paths.
_ANY_PATH: Final = "/" + "".join(map(chr, range(32, 256)))
#: Parts of a pattern that read like a path, for example "/api/" in "^/api/[0-9]+".
_PATH_IN_PATTERN: Final = re.compile(r"/[\w/.-]*")
#: ``{0}``, ``{0,0}``, ``{,0}``: what stands before it can be written, but is never matched.
_ZERO_TIMES: Final = re.compile(r"\{(?:0*,)?0+\}")
#: The beginning of a group, without those that look around, set flags for all or ask for another group.
_GROUP: Final = re.compile(r"\((?:(?!\?)|\?(?:>|P<\w+>|[\w-]*:))")
_QUANTIFIERS: Final = ("?", "*", "+", "{")
_NEGATIVE_LOOKAROUND: Final = re.compile(r"\(\?<?!")
#: Settings are read in well under a second, even if a pattern is long and wrong.
_LONGEST_BEGINNING: Final = 200


def protected_paths(value: Any) -> Patterns:
    """A list of regular expressions, each of which can match a path."""
    patterns = _compiled_list(value)
    for alternative in chain.from_iterable(map(_all_alternatives, patterns)):
        if not _can_match_slash(alternative):
            raise ValueError(
                f"must not hold {alternative.pattern!r}: it is matched from the beginning of the path "
                "(without scheme and host), which is always '/', so write it as in '/api/'"
            )
    return patterns


def exempt_paths(value: Any) -> Patterns:
    """The same; one that matches every path is an error, because it would switch the middleware off."""
    patterns = protected_paths(value)
    for alternative in chain.from_iterable(map(_alternatives, patterns)):
        if _matches_every_path(alternative):
            raise ValueError(
                f"must not hold {alternative.pattern!r}: it exempts every path, so say more of the path, "
                "or end it with '$' ('/$' is the home page alone)"
            )
    return patterns


def is_secured(path: str, protected: Patterns, exempt: Patterns) -> bool:
    """Tell whether a path needs a token: one of PROTECTED_PATHS (if any) matches it, and none of EXEMPT_PATHS does."""
    if not (protected or exempt):
        return True
    # In a regular expression "." does not match a line break, and "$" matches before one. So a path with a line
    # break is tried as it is and with another character in its place, and is secured if the two results differ.
    spellings = {path, path.replace("\n", "\r")}
    if protected and not any(pattern.match(spelling) for spelling in spellings for pattern in protected):
        return False
    return not all(any(pattern.match(spelling) for pattern in exempt) for spelling in spellings)


def _compiled_list(value: Any) -> Patterns:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of regular expressions")
    try:
        compiled = tuple(re.compile(pattern) for pattern in value)
    except (re.error, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"must be a list of regular expressions: {error}") from error
    if not all(isinstance(pattern.pattern, str) for pattern in compiled):
        raise ValueError("must be a list of regular expressions for strings, not for bytes")
    return compiled


def _alternatives(pattern: re.Pattern[str]) -> Patterns:
    """Split ``a|b`` into ``a`` and ``b``. A bar inside a group or a character class does not split."""
    found, part = [], ""
    for piece in pattern.pattern.split("|"):
        part += piece
        alternative = _compiled(part, pattern.flags)
        if alternative is None:
            part += "|"  # it is inside something that ends further on
        else:
            found.append(alternative)
            part = ""
    return (pattern,) if part else tuple(found)


def _all_alternatives(pattern: re.Pattern[str]) -> Iterator[re.Pattern[str]]:
    """Yield the pattern's alternatives, and those inside the groups that it begins with."""
    for alternative in _alternatives(pattern):
        yield alternative
        for inside in _insides(alternative):
            yield from _all_alternatives(inside)


def _insides(pattern: re.Pattern[str]) -> Iterator[re.Pattern[str]]:
    """Yield what stands in each group that the path's first character must go through, if it can be told."""
    text = pattern.pattern
    if pattern.flags & re.VERBOSE:  # a comment may read like a group
        return
    for group in _GROUP.finditer(text, 0, _LONGEST_BEGINNING):
        before = _compiled(text[: group.start()], pattern.flags)
        if before is None or not before.fullmatch("") or before.fullmatch("/"):
            continue
        for end in (index for index in range(group.end(), len(text)) if text[index] == ")"):
            inside = _compiled(text[group.end() : end], pattern.flags)
            if inside is not None:
                if not text.startswith(_QUANTIFIERS, end + 1):  # else the slash may come by another way
                    yield inside
                break


def _can_match_slash(pattern: re.Pattern[str]) -> bool:
    """Tell whether the pattern can match a path's first character. False where that cannot be shown.

    Shown by an example that matches, else by a beginning of the pattern that matches the slash itself.
    """
    if any(map(pattern.match, (_SLASH, *_PATH_IN_PATTERN.findall(pattern.pattern)))):
        return True
    if _ZERO_TIMES.search(pattern.pattern):
        return False
    matches = (beginning.match(_SLASH) for beginning in _beginnings(pattern))
    return any(match is not None and match.end() > 0 for match in matches)


def _beginnings(pattern: re.Pattern[str]) -> Iterator[re.Pattern[str]]:
    """Yield the pattern cut off after each character, with its open groups closed: ``^``, ``^(/)``, ``^(/a)``, ...

    Each has to end behind a slash, so that ``(^|/)`` matches one instead of nothing.
    """
    for length in range(1, min(len(pattern.pattern), _LONGEST_BEGINNING)):
        beginning = pattern.pattern[:length]
        for open_groups in range(beginning.count("(") + 1):
            compiled = _compiled(beginning + ")" * open_groups + "(?<=/)", pattern.flags)
            if compiled is not None:
                yield compiled
                break


def _matches_every_path(pattern: re.Pattern[str]) -> bool:
    if _NEGATIVE_LOOKAROUND.search(pattern.pattern):  # "all paths but these"
        return False
    return all(map(pattern.match, ("/", _ANY_PATH)))


def _compiled(pattern: str, flags: int) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern, flags)
    except re.error:
        return None
