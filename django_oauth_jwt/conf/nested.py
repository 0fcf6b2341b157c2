"""Settings that are dicts themselves, and the advice for a key that does not exist."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

_BRIEF_LENGTH: Final = 80
#: How similar a key must be to an unknown one to be suggested. Lower, it would match keys of other packages.
_SIMILARITY: Final = 0.65
#: User name and password of a URL.
_USERINFO: Final = re.compile(r"//[^/?#@\s]*@")


def dict_of(value: Any, rules: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """Return the values of a dict that has some of these keys, each by the rule for it.

    Raises ValueError with all that is wrong, as a text that continues the setting's name.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a dict with some of the keys {', '.join(rules)}")
    found, problems = {}, []
    for key, member in value.items():
        if key not in rules:
            problems.append(f"has an unknown key {brief(key)} ({suggestion(key, rules).rstrip('.')})")
            continue
        try:
            found[key] = rules[key](member)
        except ValueError as error:
            problems.append(f"has {key!r}, which {error}")
    if problems:
        raise ValueError("; ".join(problems))
    return found


def suggestion(key: object, known: Iterable[str]) -> str:
    """Return the known key that may have been meant, as a question, else all of them."""
    known = tuple(known)
    near = difflib.get_close_matches(brief(key).strip("'").upper(), known, n=1, cutoff=_SIMILARITY)
    return f"Did you mean {near[0]!r}?" if near else f"The keys are {', '.join(known)}."


def brief(value: object) -> str:
    """Return the repr of any value, shortened, and without the password of a URL."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  # a huge number has no repr, and a project's own class may raise anything
        text = f"<{type(value).__name__}>"
    text = without_password(text)
    return text if len(text) <= _BRIEF_LENGTH else f"{text[:_BRIEF_LENGTH]}..."


def without_password(text: str) -> str:
    """Return a text in which no URL has a user name and a password."""
    return _USERINFO.sub("//...@", text)
