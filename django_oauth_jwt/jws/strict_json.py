"""JSON objects, read strictly: two parsers must not read one token in two ways (RFC 8725 section 2.6)."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, NoReturn

#: Nested objects and arrays: far more than any token has, far fewer than overflow the stack.
MAXIMUM_DEPTH: Final = 64
#: In an object that cannot be used, the name of the member that says why.
FAULT: Final = "why it cannot be read"
_NO_OBJECT: Final = "not a JSON object"


class Fault(str):
    """What stands where a value was refused; its text is the reason."""

    __slots__ = ()


def loads_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object in ``data``.

    Raises ValueError for anything else, and for encodings other than UTF-8, duplicate members, NaN and Infinity,
    numbers beyond a double or with thousands of digits, lone surrogates, and nesting deeper than `MAXIMUM_DEPTH`.
    """
    text = data.decode().strip(_BLANKS)
    value = _decoded(text, _decoder)
    if "\\" in text and "\\u" in text:  # for speed: one character is found faster than two, and most have none
        refuse_lone_surrogates(value)
    return value


def loads_marking_faults(data: bytes) -> dict[str, Any]:
    """Do as `loads_object`, but where a fault is in one value, leave it there instead of refusing all.

    A `Fault` stands for a constant or number that is refused, and is the member `FAULT` of an object with a duplicate
    member. Lone surrogates are left as they are.
    """
    return _decoded(data.decode().strip(_BLANKS), _marking_decoder)


def refuse_lone_surrogates(value: object) -> None:
    """Raise UnicodeEncodeError, which is a ValueError, where there is one.

    Else they fail much later, when the project stores or prints the claim.
    """
    json.dumps(value, ensure_ascii=False).encode()


def cause_of(error: ValueError) -> str:
    """Return why data could not be read, without anything of them that could do harm in a log."""
    if isinstance(error, UnicodeEncodeError):
        return "lone surrogate"
    if isinstance(error, UnicodeError):
        return "not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.removesuffix(' at')} at character {error.pos}"
    return str(error)


def no_object(error: ValueError) -> str:
    """Return that data are no JSON object, and why."""
    cause = cause_of(error)
    return cause if cause == _NO_OBJECT else f"{_NO_OBJECT}: {cause}"


def _decoded(text: str, decoder: json.JSONDecoder) -> dict[str, Any]:
    # For speed: most objects have no nested object and no array, which is seen faster than brackets are counted.
    if ("[" in text or text.find("{", 1) > 0) and text.count("{") + text.count("[") > MAXIMUM_DEPTH:
        _refuse_depth(text)
    value, end = decoder.raw_decode(text)
    if end != len(text) or not isinstance(value, dict):
        raise ValueError(_NO_OBJECT)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError(f"duplicate member {_duplicate(pairs)}")
    return members


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    try:
        return _members(pairs)
    except ValueError as error:
        return {**dict(pairs), FAULT: Fault(error)}


def _duplicate(pairs: list[tuple[str, Any]]) -> str:
    """Return the name of a member that is given twice, as it may stand in a log."""
    times = Counter(name for name, _ in pairs)
    return ascii(next(name for name in times if times[name] > 1))[:80]


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def _integer(literal: str) -> int:
    try:
        return int(literal)
    except ValueError:
        raise ValueError("number of thousands of digits") from None


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_depth(text: str) -> None:
    # This comes before decoding: the decoder is recursive, and can overflow a thread's stack before it notices.
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "{[" else -1
        if depth > MAXIMUM_DEPTH:
            raise ValueError("nested too deeply")


def _marking(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def marking(literal: str) -> Any:
        try:
            return read(literal)
        except ValueError as error:
            return Fault(error)

    return marking


_decoder = json.JSONDecoder(object_pairs_hook=_members, parse_float=_finite, parse_constant=_constant)
_marking_decoder = json.JSONDecoder(
    object_pairs_hook=_marked,
    parse_float=_marking(_finite),
    parse_int=_marking(_integer),
    parse_constant=_marking(_constant),
)
_BLANKS: Final = " \t\n\r"
_BRACKET: Final = re.compile(r"[\[\]{}]")
#: A string without a closing quote matches up to the end of the text: so time stays linear. The decoder refuses it.
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.?)*+"?', re.DOTALL)
