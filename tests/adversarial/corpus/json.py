"""Attacks on the reading of JSON, in header and payload; every one of these tokens is genuinely signed."""

import json

from ..forge import dumps, tokens


def _texts(good):
    """Return JSON that is wrong as a whole, by name, made of JSON that is right."""
    text = good.decode()
    return {
        "nothing": b"",
        "a blank": b" ",
        "null": b"null",
        "true": b"true",
        "a number": b"5",
        "a string": b'"x"',
        "an empty array": b"[]",
        "the object in an array": f"[{text}]".encode(),
        "the object in a string": json.dumps(text).encode(),
        "the object twice": good * 2,
        "the object and a comma": good + b",",
        "the object and a NUL": good + b"\0",
        "the object and garbage": good + b"x",
        "the object after a byte order mark": b"\xef\xbb\xbf" + good,
        "the object after a no-break blank": b"\xc2\xa0" + good,
        "the object not closed": good[:-1],
        "the object closed twice": good + b"}",
        "a comma before the end": good[:-1] + b",}",
        "a comment": good[:-1] + b"/* x */}",
        "single quotes": text.replace('"', "'").encode(),
        "names without quotes": text.replace('"alg"', "alg").replace('"iss"', "iss").encode(),
        "UTF-16": text.encode("utf-16"),
        "UTF-16 without a mark": text.encode("utf-16-le"),
        "UTF-32": text.encode("utf-32"),
        "UTF-7": b"+AHs-" + good[1:],
        "Latin-1": _with(text, '"x": "\u00fc"').encode("latin-1"),
        "an overlong encoding": _with(text, '"x": "?"').encode().replace(b"?", b"\xc0\xae"),
        "an encoded surrogate": _with(text, '"x": "?"').encode().replace(b"?", b"\xed\xa0\x80"),
        "a lone surrogate": _with(text, r'"x": "\ud800"').encode(),
        "a lone surrogate as a name": _with(text, r'"\udfff": 1').encode(),
        "a control character": _with(text, '"x": "\x01"').encode(),
        "a newline in a string": _with(text, '"x": "\n"').encode(),
        "a bad escape": _with(text, r'"x": "\x41"').encode(),
        "a duplicate member": _with(text, '"x": 1, "x": 1').encode(),
        "a duplicate member spelled with escapes": _with(text, r'"x": 1, "\u0078": 2').encode(),
        "a duplicate member two levels down": _with(text, '"x": [{"y": 1, "y": 2}]').encode(),
        "NaN": _with(text, '"x": NaN').encode(),
        "Infinity": _with(text, '"x": Infinity').encode(),
        "-Infinity": _with(text, '"x": [-Infinity]').encode(),
        "a number beyond a double": _with(text, '"x": 1e999').encode(),
        "a negative number beyond a double": _with(text, '"x": -1e999').encode(),
        "a number of five thousand digits": _with(text, f'"x": {"9" * 5000}').encode(),
        "a number of five thousand digits below zero": _with(text, f'"x": -{"9" * 5000}').encode(),
        "an octal number": _with(text, '"x": 017').encode(),
        "a hexadecimal number": _with(text, '"x": 0x11').encode(),
        "a number with a plus": _with(text, '"x": +1').encode(),
        "a number of Arabic digits": _with(text, '"x": \u0661').encode(),
        "a bomb of arrays": _with(text, f'"x": {"[" * 2000}{"]" * 2000}').encode(),
        "a bomb of objects": _with(text, '"x": ' + '{"a":' * 1500 + "1" + "}" * 1500).encode(),
        "a bomb of both": _with(text, '"x": ' + '[{"a":' * 1000 + "1" + "}]" * 1000).encode(),
        "a bomb that is never closed": b"[" * 10_000,
        "a bomb of objects that is never closed": b'{"":' * 2500,
        "sixty-five levels": _with(text, '"x": ' + "[" * 64 + "]" * 64).encode(),
    }


def _with(text, member):
    return f"{text[:-1]}, {member}}}"


NAMES = tuple(_texts(b"{}"))


WHOLE = tokens(
    "malformed",
    {f"payload: {name}": lambda m, n=name: m.raw(payload=_texts(dumps(m.claims))[n]) for name in NAMES},
) + tokens(
    "malformed",
    {f"header: {name}": lambda m, n=name: _with_header(m, n) for name in NAMES},
)


def _with_header(mint, name):
    return mint.raw(header=_texts(dumps(mint.header))[name])


def _twice(name, first, second, *, header=False):
    """Return a forgery with a member twice; a careless reader takes the first, or the last."""

    def forge(mint):
        members = mint.header if header else mint.claims
        rest = dumps({key: value for key, value in members.items() if key != name}).decode()
        values = [members.get(name) if value is ... else value for value in (first, second)]
        text = _with(rest, ", ".join(f'"{name}": {json.dumps(value)}' for value in values)).encode()
        return mint.raw(header=text) if header else mint.raw(payload=text)

    return forge


DUPLICATES = tokens(
    "malformed",
    {
        "alg twice, the last one right": _twice("alg", "none", ..., header=True),
        "alg twice, the first one right": _twice("alg", ..., "none", header=True),
        "kid twice": _twice("kid", ..., "attacker", header=True),
        "crit twice": _twice("crit", [], [], header=True),
        "exp twice, the last one right": _twice("exp", 1, ...),
        "exp twice, the first one right": _twice("exp", ..., 1),
        "exp twice, the same": _twice("exp", ..., ...),
        "iss twice": _twice("iss", "https://attacker.example", ...),
        "aud twice": _twice("aud", ..., "https://attacker.example"),
        "sub twice": _twice("sub", ..., "admin"),
        "scope twice": _twice("scope", "read", "read admin"),
    },
)

CASES = [*WHOLE, *DUPLICATES]
