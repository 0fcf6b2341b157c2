"""Attacks by way of the claims; every one of these tokens is genuinely signed."""

from ..forge import (
    AUDIENCE,
    ISSUER,
    NEIGHBOUR,
    NEIGHBOUR_AUDIENCE,
    Case,
    Mint,
    mints,
    private_key,
    tokens,
)

#: What is no NumericDate (RFC 7519 section 2), as JSON; a year ahead where it would be one.
NO_TIMES = {
    "true": "true",
    "false": "false",
    "a string": '"9999999999"',
    "an empty string": '""',
    "a date": '"2099-01-01T00:00:00Z"',
    "a list": "[9999999999]",
    "an empty list": "[]",
    "an object": '{"$date": 9999999999}',
    "a hexadecimal string": '"0xffffffff"',
    "the string Infinity": '"Infinity"',
}
#: What is no JSON number at all, or none that a double holds: the whole token is malformed.
NO_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000, "09999999999", "+1", "1_000", "0x7fffffff")


def _claim(name, text):
    return lambda mint: mint.literal(name, text)


def _brief(text):
    return text if len(text) < 20 else f"{text[0]} {len(text)} times"


TIMES = [
    case
    for name in ("exp", "nbf", "iat")
    for case in [
        *tokens("malformed_claim", {f"{name} is {what}": _claim(name, text) for what, text in NO_TIMES.items()}),
        *tokens("malformed", {f"{name} is {_brief(text)}": _claim(name, text) for text in NO_NUMBERS}),
    ]
]
TIMES += tokens(
    "missing_claim", {"exp is null": _claim("exp", "null"), "no exp": lambda m: m.signed(claims={"exp": ...})}
)
TIMES += tokens(
    "missing_claim",
    {
        "exp in capitals": lambda m: m.signed(claims={"exp": ..., "EXP": m.claims["exp"], "Exp": m.claims["exp"]}),
        "exp with a blank": lambda m: m.signed(claims={"exp": ..., "exp ": m.claims["exp"]}),
        "exp in the header": lambda m: m.signed({"exp": m.claims["exp"]}, {"exp": ...}),
        "exp one level down": lambda m: m.signed(claims={"exp": ..., "claims": {"exp": m.claims["exp"]}}),
        "no claims": lambda m: m.signed(claims={**dict.fromkeys(m.claims, ...), "iss": ISSUER}),
    },
)
TIMES += tokens("malformed_claim", {f"{name} is null": _claim(name, "null") for name in ("nbf", "iat")})
PAST = (
    "0",
    "-0",
    "-0.0",
    "-1",
    "1",
    "1e9",
    "1e-999",
    "-1e308",
    "0.0000001",
    "-" + "9" * 4000,
    "1.7e9",
    "1000000000.999",
)
TIMES += tokens("expired", {f"exp is {_brief(text)}": _claim("exp", text) for text in PAST})
TIMES += tokens("expired", {"exp a minute ago": lambda m: m.signed(claims={"exp": m.claims["iat"]})})
FUTURE = ("1e308", "9999999999", "9999999999.5", "9" * 4000, "4e9")
TIMES += tokens("not_yet_valid", {f"nbf is {_brief(text)}": _claim("nbf", text) for text in FUTURE})
TIMES += tokens("issued_in_the_future", {f"iat is {_brief(text)}": _claim("iat", text) for text in FUTURE})
TIMES += tokens("not_yet_valid", {"nbf in milliseconds": lambda m: m.signed(claims={"nbf": m.claims["nbf"] * 1000})})

ISSUERS = {
    "missing": ...,
    "null": None,
    "empty": "",
    "a number": 5,
    "true": True,
    "a list of the right one": [ISSUER],
    "a list of both": [ISSUER, NEIGHBOUR],
    "an object": {"iss": ISSUER},
    "with a slash after it": ISSUER + "/",
    "with a blank after it": ISSUER + " ",
    "with a newline after it": ISSUER + "\n",
    "with a NUL after it": ISSUER + "\0",
    "with a fragment": ISSUER + "#",
    "with a query": ISSUER + "?",
    "with its port": ISSUER + ":443",
    "with a user name": "https://as.example@attacker.example",
    "in capitals": ISSUER.upper(),
    "by http": ISSUER.replace("https", "http"),
    "of a longer domain": ISSUER + ".attacker.example",
    "of a look-alike domain": ISSUER.replace("a", "\u0430"),
    "percent-encoded": ISSUER.replace(".", "%2e"),
    "without its scheme": "as.example",
    "of the attacker": "https://attacker.example",
    "a file": "file:///etc/passwd",
    "inside this network": "http://169.254.169.254/",
    "the text None": "None",
}
AUDIENCES = {
    "missing": ...,
    "null": None,
    "empty": "",
    "true": True,
    "a number": 0,
    "an empty list": [],
    "an object": {AUDIENCE: True},
    "a list in a list": [[AUDIENCE]],
    "a list of objects": [{"aud": AUDIENCE}],
    "a list of null": [None],
    "another's": NEIGHBOUR_AUDIENCE,
    "others'": [NEIGHBOUR_AUDIENCE, "https://third.example"],
    "two in one string": f"{AUDIENCE} {NEIGHBOUR_AUDIENCE}",
    "two with a comma": f"{AUDIENCE},{NEIGHBOUR_AUDIENCE}",
    "longer": AUDIENCE + "/admin",
    "shorter": AUDIENCE[:-1],
    "its letters": list(AUDIENCE),
    "in capitals": AUDIENCE.upper(),
    "with a blank": AUDIENCE + " ",
    "a wildcard": "*",
}
SUBJECTS = {"a number": 5, "zero": 0, "true": True, "false": False, "a list": ["admin"], "an object": {"id": "admin"}}


def _claims(reason, name, values):
    forgeries = {f"{name} {what}": lambda m, v=value: m.signed(claims={name: v}) for what, value in values.items()}
    return tokens(reason, forgeries)


NAMES = [
    *_claims("wrong_issuer", "iss", ISSUERS),
    *_claims("wrong_audience", "aud", AUDIENCES),
    *_claims("malformed_claim", "sub", SUBJECTS),
]


def neighbour(alg="ES256", kid=None):
    """Return the mint of the second authorization server, whose keys are not the first one's."""
    return Mint(alg, private_key(alg, "neighbour"), kid, NEIGHBOUR, NEIGHBOUR_AUDIENCE)


#: Two authorization servers are trusted, each for its own tokens.
CROSSED = [
    *tokens(
        "bad_signature",
        {
            "another issuer's key of the same kid": lambda m: neighbour().signed(claims=m.claims),
            "this issuer's key in another issuer's name": lambda m: m.signed(claims=neighbour().claims),
            "another issuer's key without a kid": lambda m: neighbour().signed({"kid": ...}, m.claims),
        },
    ),
    *tokens(
        "unknown_kid",
        {
            "another issuer's key by its own kid": lambda m: neighbour(kid="neighbour").signed(claims=m.claims),
            "this issuer's kid in another issuer's name": lambda m: m.signed({"kid": "ES384"}, neighbour().claims),
        },
    ),
    *tokens(
        "wrong_algorithm",
        {"an algorithm that only the other issuer may use": lambda m: mints("EdDSA").signed(claims=neighbour().claims)},
    ),
    *tokens(
        "wrong_audience",
        {
            "another issuer's token for this issuer's audience": lambda m: neighbour().signed(claims={"aud": AUDIENCE}),
            "this issuer's token for another issuer's audience": lambda m: m.signed(claims={"aud": NEIGHBOUR_AUDIENCE}),
        },
    ),
]

CASES: list[Case] = [*TIMES, *NAMES, *CROSSED]
