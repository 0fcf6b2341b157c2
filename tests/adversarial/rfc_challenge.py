"""A strict reader of one challenge: RFC 9110 section 11.6.1, with the characters of RFC 6750 section 3."""

import re

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
QUOTED_STRING = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e]|\\[\t\x21-\x7e ])*"'
PARAM = re.compile(rf"({TOKEN})=({QUOTED_STRING})(?:, |$)")
RFC_6750 = {
    "error": re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+"),
    "error_description": re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+"),
    "realm": re.compile(r"[\x20-\x7e]*"),
}


def read_challenge(line):
    """Return the parameters of a Bearer challenge; AssertionError for whatever is not exactly one."""
    scheme, _, rest = line.partition(" ")
    assert scheme == "Bearer"
    assert bool(rest) == (line != "Bearer")
    params, position = {}, 0
    while position < len(rest):
        match = PARAM.match(rest, position)
        assert match, f"no parameter at {rest[position:]!r}"
        name, value = match[1], re.sub(r"\\(.)", r"\1", match[2][1:-1])
        assert name not in params
        assert RFC_6750[name].fullmatch(value)
        params[name] = value
        position = match.end()
    assert not rest.endswith(", ")
    return params
