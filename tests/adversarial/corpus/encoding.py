"""Attacks on the spelling of base64url. The signature is right for what is spelled, wherever it can be."""

import base64
import gzip
import json
import zlib

from ..forge import b64, dumps, tokens

#: Characters that Python's decoder skips, or another alphabet's, somewhere in a segment.
FOREIGN = {
    "a blank": " ",
    "a tab": "\t",
    "a NUL": "\0",
    "a newline": "\n",
    "a DOS line end": "\r\n",
    "a vertical tab": "\x0b",
    "a plus": "+",
    "a slash": "/",
    "an equals sign": "=",
    "a comma": ",",
    "a semicolon": ";",
    "a colon": ":",
    "a tilde": "~",
    "a percent escape": "%2e",
    "a quote": '"',
    "a backslash": "\\",
    "a Latin-1 letter": "\u00e9",
    "a full-width letter": "\uff21",
    "a Cyrillic letter": "\u0410",
    "a zero-width blank": "\u200b",
    "a byte order mark": "\ufeff",
    "a soft hyphen": "\u00ad",
    "an emoji": "\U0001f511",
    "a non-character": "\U0010ffff",
}
#: A blank parts the header in two; one of those is no bearer token at all.
REASONS = {"a blank": "malformed_authorization"}


def _inserted(text, segment):
    def forge(mint):
        parts = [*mint.parts]
        parts[segment] = parts[segment][:8] + text + parts[segment][8:]
        if segment == 2 or not text.isascii():
            return ".".join(parts)
        return mint.segments(*parts[:2])  # signed as it is spelled

    return forge


def _characters(segment, place, name, text):
    """Return the cases of one and of four of them: four leave the length as it was, modulo four."""
    usual = "bad_signature" if segment == 2 and text.isascii() else "malformed"
    forgeries = {f"{name} in the {place}": _inserted(text, segment)}
    forgeries[f"four times {name} in the {place}"] = _inserted(text * 4, segment)
    return tokens(REASONS.get(name, usual), forgeries)


CHARACTERS = [
    case
    for segment, place in enumerate(("header", "payload", "signature"))
    for name, text in FOREIGN.items()
    for case in _characters(segment, place, name, text)
]


def _padded(segment):
    """Return a forgery whose segment has the padding that is due, signed as it is spelled."""

    def forge(mint):
        spelled = (mint.signed({"x": "y" * fill}, {"x": "y" * fill}).split(".") for fill in range(2))
        parts = next(parts for parts in spelled if len(parts[segment]) % 4)  # else no padding is due
        parts[segment] += "=" * (-len(parts[segment]) % 4)
        return mint.segments(*parts[:2])

    return forge


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def stray_bits(text):
    """Return another spelling of the same bytes, by the bits that the last character has to spare."""
    assert len(text) % 4, "no character has bits to spare"
    return text[:-1] + ALPHABET[ALPHABET.index(text[-1]) ^ 1]


def _stray(mint):
    header, payload, signature = mint.parts
    return f"{header}.{payload}.{stray_bits(signature)}"


def _plain_base64(mint):
    """Return a genuine token whose signature is in the other alphabet."""
    signature = ""
    while not {"-", "_"} & {*signature}:
        header, payload, signature = mint.signed().split(".")
    return f"{header}.{payload}.{signature.replace('-', '+').replace('_', '/')}"


def _of_length(mint, remainder):
    """Return header bytes whose base64url is as long as wanted (modulo 4)."""
    header = dumps(mint.header)
    while len(b64(header)) % 4 != remainder:
        header += b" "
    return b64(header)


SPELLING = tokens(
    "malformed",
    {
        "padding after the header": _padded(0),
        "padding after the payload": _padded(1),
        "stray bits in the header": lambda m: m.segments(stray_bits(_of_length(m, 2)), m.parts[1]),
        "stray bits in the payload": lambda m: m.segments(m.parts[0], stray_bits(_of_length(m, 3))),
        "a header of one character too many": lambda m: m.segments(_of_length(m, 0) + "A", m.parts[1]),
        "a payload in hexadecimal": lambda m: m.segments(m.parts[0], dumps(m.claims).hex()),
        "a payload in base32": lambda m: m.segments(m.parts[0], base64.b32encode(dumps(m.claims)).decode()),
        "a payload in base64url twice": lambda m: m.segments(m.parts[0], b64(m.parts[1].encode())),
        "a token in base64url twice": lambda m: b64(m.token.encode()),
        "the JSON not encoded": lambda m: ".".join(
            json.dumps(part, separators=(",", ":")) for part in (m.header, m.claims, "")
        ),
        "a payload in gzip": lambda m: m.raw(payload=gzip.compress(dumps(m.claims))),
        "a payload of a deflate bomb, with zip": lambda m: m.raw(
            dumps(m.header | {"zip": "DEF"}), zlib.compress(b" " * 8_000_000)
        ),
        "letters' case swapped": lambda m: m.token.swapcase(),
    },
) + tokens(
    "bad_signature",
    {
        "stray bits in the signature": _stray,
        "padding after the signature": lambda m: f"{m.token}==",
        "too much padding after the signature": lambda m: f"{m.token}====",
        "the signature in plain base64": _plain_base64,
    },
)
SPELLING += tokens("bad_signature", {"stray bits in the signature of EdDSA": _stray}, "EdDSA")


CASES = [*CHARACTERS, *SPELLING]
