"""JSON objects read strictly, since two readings of one token are one too many (RFC 8725 section 2.6)."""

import json
import math
import re
from typing import Any, Final, NoReturn

#: How many objects and arrays may stand one in another: far more than any token has, far fewer than a stack holds.
MAXIMUM_DEPTH: Final = 64


def loads_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object in ``data``.

    Raises ValueError for whatever is not one: other encodings than UTF-8, duplicate members, NaN and
    Infinity, numbers beyond a double or of thousands of digits, lone surrogates, nesting deeper than
    `MAXIMUM_DEPTH`.
    """
    text = data.decode().strip(" \t\n\r")
    # Most objects hold no other and no array, which takes less to see than to count brackets.
    if ("[" in text or text.find("{", 1) > 0) and text.count("{") + text.count("[") > MAXIMUM_DEPTH:
        _refuse_depth(text)
    value, end = _decoder.raw_decode(text)
    if end != len(text) or not isinstance(value, dict):
        raise ValueError("not a JSON object")
    if "\\u" in text:
        _refuse_lone_surrogates(value)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_depth(text: str) -> None:
    # Before it is decoded: the decoder calls itself, and can use up a thread's stack before it notices.
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "{[" else -1
        if depth > MAXIMUM_DEPTH:
            raise ValueError("nested too deeply")


def _refuse_lone_surrogates(value: dict[str, Any]) -> None:
    # They would fail much later, when the project stores or prints the claim. UnicodeEncodeError is a ValueError.
    json.dumps(value, ensure_ascii=False).encode()


_decoder = json.JSONDecoder(object_pairs_hook=_members, parse_float=_finite, parse_constant=_constant)
_BRACKET: Final = re.compile(r"[\[\]{}]")
#: One without an end goes on to the end of the text, so that none is looked at twice; the decoder refuses it.
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.?)*+"?', re.DOTALL)
