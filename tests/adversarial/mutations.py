"""Strategies that change a good token in one or more places, as somebody who has no key might."""

import base64

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ..flood import flood

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#: What decoders overlook, what servers trim, and what looks like a letter or a dot but is none.
ODD = [
    *"=+/.,:;~!\"'\\ \t\n\r\0\x0b\x0c\x1f\x7f",
    "\r\n",
    "==",
    "%2e",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "\uff21",
    "\u2024",
]
LOOK_ALIKES = dict(zip("aceopxyABEHIKMOPTX.-_", "асеорхуАВЕНІКМОРТХ．‐＿", strict=True))  # noqa: RUF001  # on purpose

#: Four of them leave a segment's length as it was, modulo four: whoever overlooks them gets the padding right.
fragments = (
    st.sampled_from(ODD)
    | st.sampled_from(ODD).map(lambda odd: odd * 4)
    | st.sampled_from(ALPHABET)
    | st.text(max_size=3)
)
places = st.floats(0, 1, exclude_max=True)


def _insert(text, at, fragment):
    return text[:at] + fragment + text[at:]


def _replace(text, at, fragment):
    return text[:at] + fragment + text[at + 1 :]


def _look_alike(text, at, fragment):
    return _replace(text, at, LOOK_ALIKES.get(text[at], chr(ord(text[at]) + 0xFEE0)))


def _one_bit(text, at, fragment):
    return _replace(text, at, chr(ord(text[at]) ^ 1 << (at % 7)))


def _bit_of_a_segment(text, at, fragment):
    """Change a bit of the bytes, and spell them rightly."""
    segments = text.split(".")
    chosen = at % len(segments)
    try:
        data = bytearray(base64.urlsafe_b64decode(segments[chosen] + "=" * (-len(segments[chosen]) % 4)))
    except ValueError:
        return text
    if data:
        data[at % len(data)] ^= 1 << (at % 8)
    segments[chosen] = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    return ".".join(segments)


def _next_spelling(text, at, fragment):
    """Change the last character of a segment, where there may be bits to spare."""
    segments = text.split(".")
    chosen = at % len(segments)
    last = segments[chosen][-1:]
    if last in ALPHABET and last:
        segments[chosen] = segments[chosen][:-1] + ALPHABET[ALPHABET.index(last) ^ 1]
    return ".".join(segments)


def _other_order(text, at, fragment):
    segments = text.split(".")
    turn = at % len(segments)
    return ".".join(segments[turn:] + segments[:turn])


def _segment_twice(text, at, fragment):
    segments = text.split(".")
    return ".".join([*segments, segments[at % len(segments)]])


def _without_segment(text, at, fragment):
    segments = text.split(".")
    del segments[at % len(segments)]
    return ".".join(segments)


OPERATIONS = {
    "insert": _insert,
    "replace": _replace,
    "delete": lambda text, at, fragment: _replace(text, at, ""),
    "cut": lambda text, at, fragment: text[:at],
    "behead": lambda text, at, fragment: text[at + 1 :],
    "append": lambda text, at, fragment: text + fragment,
    "prepend": lambda text, at, fragment: fragment + text,
    "swap": lambda text, at, fragment: text[:at] + text[at : at + 2][::-1] + text[at + 2 :],
    "change case": lambda text, at, fragment: _replace(text, at, text[at].swapcase()),
    "change all cases": lambda text, at, fragment: text.swapcase(),
    "look alike": _look_alike,
    "one bit": _one_bit,
    "one bit of the bytes": _bit_of_a_segment,
    "next spelling": _next_spelling,
    "other order": _other_order,
    "segment twice": _segment_twice,
    "without a segment": _without_segment,
    "twice": lambda text, at, fragment: text + text,
}
steps = st.lists(st.tuples(st.sampled_from(sorted(OPERATIONS)), places, fragments), min_size=1, max_size=3)


def mutated(text, changes):
    """Apply the changes, each at its place of the text as it then is."""
    for name, place, fragment in changes:
        if text:
            text = OPERATIONS[name](text, int(place * len(text)), fragment)
    return text


def examples(count):
    """Try so many examples, or the run's share of them, the same ones in every run."""
    return settings(
        max_examples=flood(count),
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
