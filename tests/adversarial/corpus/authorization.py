"""Attacks on the Authorization header itself, around a token that is good by itself."""

from ..forge import Case, b64

#: Another scheme's credentials: not a bearer token, however much they look like one.
OTHER_SCHEME = {
    "the token without a scheme": lambda m: m.token,
    "Basic": lambda m: "Basic " + b64(b"user:password"),
    "Basic with the token": lambda m: f"Basic {m.token}",
    "Token": lambda m: f"Token {m.token}",
    "JWT": lambda m: f"JWT {m.token}",
    "DPoPs": lambda m: f"DPoPs {m.token}",
    "MAC": lambda m: f'MAC id="{m.token}"',
    "Digest": lambda m: f'Digest username="x", response="{m.token}"',
    "Bearer with a colon": lambda m: f"Bearer: {m.token}",
    "Bearer with a comma": lambda m: f"Bearer, {m.token}",
    "Bearer with a slash": lambda m: f"Bearer/{m.token}",
    "Bearer with an equals sign": lambda m: f"Bearer={m.token}",
    "Bearer in quotes": lambda m: f'"Bearer" {m.token}',
    "Bearer without a blank": lambda m: f"Bearer{m.token}",
    "Bearers": lambda m: f"Bearers {m.token}",
    "Beare": lambda m: f"Beare {m.token}",
    "Bearer after a blank": lambda m: f" Bearer {m.token}",
    "Bearer after a tab": lambda m: f"\tBearer {m.token}",
    "Bearer after a NUL": lambda m: f"\0Bearer {m.token}",
    "Bearer after a newline": lambda m: f"\nBearer {m.token}",
    "Bearer and a tab": lambda m: f"Bearer\t{m.token}",
    "Bearer and a NUL": lambda m: f"Bearer\0{m.token}",
    "Bearer and a NUL and a blank": lambda m: f"Bearer\0 {m.token}",
    "Bearer and a newline": lambda m: f"Bearer\n{m.token}",
    "Bearer and a DOS line end and a blank": lambda m: f"Bearer\r\n {m.token}",
    "Bearer and a no-break blank": lambda m: f"Bearer\u00a0{m.token}",
    "Bearer and an ideographic blank": lambda m: f"Bearer\u3000{m.token}",
    "Bearer with a Cyrillic letter": lambda m: f"B\u0435arer {m.token}",
    "Bearer in full-width letters": lambda m: f"\uff22\uff45\uff41\uff52\uff45\uff52 {m.token}",
    "Bearer after a byte order mark": lambda m: f"\ufeffBearer {m.token}",
    "Bearer percent-encoded": lambda m: f"Bearer%20{m.token}",
    "the header's name again": lambda m: f"Authorization: Bearer {m.token}",
    "another scheme's credentials before": lambda m: f"Basic dTpw, Bearer {m.token}",
    "a JSON object": lambda m: f'{{"access_token":"{m.token}"}}',
    "a million letters and no scheme": lambda m: "a" * 1_000_000,
    "a million blanks": lambda m: " " * 1_000_000,
    "a blank": lambda m: " ",
    "an emoji": lambda m: "\U0001f511",
}
#: The scheme is right, but what follows is not one token.
NOT_ONE_TOKEN = {
    "Bearer alone": lambda m: "Bearer",
    "bearer alone": lambda m: "bearer",
    "two tokens": lambda m: f"Bearer {m.token} {m.token}",
    "the same header twice, joined": lambda m: f"Bearer {m.token}, Bearer {m.token}",
    "the same header twice, joined by a comma only": lambda m: f"Bearer {m.token},Bearer {m.token}",
    "another scheme's credentials after": lambda m: f"Bearer {m.token}, Basic dTpw",
    "Bearer twice": lambda m: f"Bearer Bearer {m.token}",
    "parameters after the token": lambda m: f'Bearer {m.token}, scope="admin"',
    "parameters before the token": lambda m: f'Bearer realm="x" {m.token}',
    "a token in two halves": lambda m: f"Bearer {m.token[:40]} {m.token[40:]}",
    "a word before the token": lambda m: f"Bearer token {m.token}",
    "a challenge as credentials": lambda m: 'Bearer realm="x", error="invalid_token"',
    "a thousand words": lambda m: "Bearer " + "a " * 1000,
    "a quote that would break out": lambda m: 'Bearer x", error="none", realm="',
}
EMPTY = {
    "Bearer and a blank": lambda m: "Bearer ",
    "Bearer and a thousand blanks": lambda m: "Bearer " + " " * 1000,
    "BEARER and a blank": lambda m: "BEARER ",
}
#: One word, but not the token: something clings to it.
CLINGING = {
    "the token in quotes": lambda m: f'Bearer "{m.token}"',
    "the token in angle brackets": lambda m: f"Bearer <{m.token}>",
    "the token and a comma": lambda m: f"Bearer {m.token},",
    "the token and a semicolon": lambda m: f"Bearer {m.token};",
    "the token and a NUL": lambda m: f"Bearer {m.token}\0",
    "the token and a newline": lambda m: f"Bearer {m.token}\n",
    "the token and another header": lambda m: f"Bearer {m.token}\r\nX-Admin:1",
    "the token and a tab": lambda m: f"Bearer {m.token}\t",
    "a tab and the token": lambda m: f"Bearer \t{m.token}",
    "a newline and the token": lambda m: f"Bearer \n{m.token}",
    "the token and a no-break blank": lambda m: f"Bearer {m.token}\u00a0",
    "the token and a line separator": lambda m: f"Bearer {m.token}\u2028",
    "the token and a soft hyphen": lambda m: f"Bearer {m.token}\u00ad",
    "a byte order mark and the token": lambda m: f"Bearer \ufeff{m.token}",
    "the token percent-encoded": lambda m: "Bearer " + m.token.replace(".", "%2E"),
    "the token as a parameter": lambda m: f"Bearer access_token={m.token}",
    "Latin-1 letters": lambda m: "Bearer \u00fc\u00e9\u00ff",
    "the token in full-width letters": lambda m: "Bearer " + "".join(chr(ord(c) + 0xFEE0) for c in m.token),
    "a raw byte of 0xff": lambda m: f"Bearer {m.token}\udcff",
}


def _cases(reason, forgeries):
    return [Case(f"Authorization: {name}", reason, forge) for name, forge in forgeries.items()]


#: What clings to the end is the signature's fault, where it is ASCII and so can be base64url at all.
_BAD_SIGNATURE = (
    *("the token and a comma", "the token and a semicolon", "the token and a NUL", "the token and a newline"),
    *("the token and another header", "the token and a tab"),
)

CASES = [
    *_cases("other_scheme", OTHER_SCHEME),
    *_cases("malformed_authorization", NOT_ONE_TOKEN),
    *_cases("empty", EMPTY),
    *_cases("malformed", {name: forge for name, forge in CLINGING.items() if name not in _BAD_SIGNATURE}),
    *_cases("bad_signature", {name: CLINGING[name] for name in _BAD_SIGNATURE}),
    Case("Authorization: nothing", "no_authorization", lambda m: ""),
]
