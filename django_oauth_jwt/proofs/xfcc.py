"""The header X-Forwarded-Client-Cert, in which Envoy tells of the client's certificate."""

import re
from typing import Final

#: ``key=value`` and what ends it. A value with a separator in it is quoted, with a backslash before quotes inside.
_PAIR: Final = re.compile(r'\s*(?P<key>\w+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<bare>[^",;]*+))\s*(?P<end>[,;]|\Z)')
_ESCAPED: Final = re.compile(r"\\(.)")
#: What Envoy takes from the certificate as it is, without quotes, and puts at the end of an element.
_NAMES: Final = frozenset({"uri", "dns"})


def last_element(text: str) -> dict[str, str]:
    """Return the keys in lower case and the values of the last element, but for the names in the certificate.

    The client may have chosen these names, with separators in them: so no key counts that comes after one, nor an
    element. Raises ValueError there, and where the header is malformed.
    """
    element: dict[str, str] = {}
    at, end, is_named = 0, ";", False
    while end:
        found = _PAIR.match(text, at)
        if found is None:
            raise ValueError("malformed X-Forwarded-Client-Cert")
        key, quoted, at, end = found["key"].lower(), found["quoted"], found.end(), found["end"]
        is_named = is_named or key in _NAMES
        if not is_named:
            element.setdefault(key, found["bare"] if quoted is None else _ESCAPED.sub(r"\1", quoted))
        if end == "," and is_named:
            raise ValueError("an element after the names in a certificate, which may be part of these")
        if end == ",":
            element = {}
    return element
