"""The header X-Forwarded-Client-Cert, in which Envoy tells of the client's certificate."""

import re
from typing import Final

#: ``key=value`` and what ends it. A value with a separator in it is quoted, with a backslash before quotes inside.
_PAIR: Final = re.compile(r'\s*(?P<key>\w+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<bare>[^",;]*+))\s*(?P<end>[,;]|\Z)')
_ESCAPED: Final = re.compile(r"\\(.)")


def last_element(text: str) -> dict[str, str]:
    """Return the keys in lower case and the values of the last element; ValueError where the header is malformed.

    Of a key that is there more than once it is the first value: only the names in a certificate can be several, and
    they come last and are not quoted, so whoever chose them could have written more keys into them.
    """
    element: dict[str, str] = {}
    at, end = 0, ";"
    while end:
        found = _PAIR.match(text, at)
        if found is None:
            raise ValueError("malformed X-Forwarded-Client-Cert")
        quoted, bare, at, end = found["quoted"], found["bare"], found.end(), found["end"]
        element.setdefault(found["key"].lower(), bare if quoted is None else _ESCAPED.sub(r"\1", quoted))
        if end == ",":
            element = {}
    return element
