"""What an authorization server may answer instead of the truth: each with the status of the request that asked."""

import gzip
import json
from codecs import BOM_UTF8

from ..servers.faulty_server import (
    cut_in_body,
    drip_body,
    drip_chunks,
    drip_header,
    hang,
    hang_in_body,
    respond_with,
)

API = "https://api.example.com"
HTML = b"<html><body>Down for maintenance</body></html>"
GOOD = {"active": True, "scope": "read", "aud": API}


def members(**changed):
    """Answer with members that are good but for these; what is ... is left out."""
    found = {name: value for name, value in {**GOOD, **changed}.items() if value is not ...}
    return respond_with(body=json.dumps(found).encode())


def raw(text, **headers):
    body = text if isinstance(text, bytes) else text.encode()
    return respond_with(body=body, **headers)


def status(line, body=HTML, **headers):
    return respond_with(line, body, **headers)


#: Never an answer: 503, whatever is asked. These take as long as the time limit.
SLOW = {
    "hangs": hang,
    "hangs in the body": hang_in_body,
    "drips its header": drip_header,
    "drips its body": drip_body,
    "drips chunks": drip_chunks,
}
NO_ANSWERS = {
    "cut": cut_in_body,
    "closes at once": lambda exchange: None,
    "talks no HTTP": lambda exchange: exchange.send(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "500": status("500 Internal Server Error"),
    "500 with a good body": status("500 Internal Server Error", json.dumps(GOOD).encode()),
    "400": status("400 Bad Request", b'{"error": "invalid_request"}'),
    "400 for our credentials": status("400 Bad Request", b'{"error": "invalid_client"}'),
    "400 with a huge body": status("400 Bad Request", b" " * 600_000),
    "401": status("401 Unauthorized", b'{"error": "invalid_client"}'),
    "401 with a good body": status("401 Unauthorized", json.dumps(GOOD).encode()),
    "401 with a huge body": status("401 Unauthorized", b" " * 600_000),
    "403": status("403 Forbidden"),
    "404": status("404 Not Found"),
    "405": status("405 Method Not Allowed"),
    "429": status("429 Too Many Requests", Retry_After=1),
    "502": status("502 Bad Gateway"),
    "503": status("503 Service Unavailable", Retry_After=1),
    "504": status("504 Gateway Timeout"),
    "201 with a good body": status("201 Created", json.dumps(GOOD).encode()),
    "204": status("204 No Content", b""),
    "a redirect": status("302 Found", b"", Location="/introspect"),
    "HTML": raw(HTML, Content_Type="text/html"),
    "nothing": raw(b""),
    "huge": raw(b'{"active": true, "x": "' + b" " * 600_000 + b'"}'),
    "a bomb": raw(gzip.compress(b'{"active": true, "x": "' + b" " * 60_000_000 + b'"}'), Content_Encoding="gzip"),
    "gzip that is none": raw(json.dumps(GOOD), Content_Encoding="gzip"),
    "gzip that is cut": raw(gzip.compress(json.dumps(GOOD).encode())[:-9], Content_Encoding="gzip"),
    "gzip twice": raw(gzip.compress(gzip.compress(json.dumps(GOOD).encode())), Content_Encoding="gzip, gzip"),
    "nested": raw('{"active": true, "x": ' + "[" * 5000 + "]" * 5000 + "}"),
    "nested without an end": raw('{"active": true, "x": ' + "[" * 100_000),
    "a member twice": raw('{"active": false, "active": true, "scope": "read"}'),
    "a member twice, deep": raw('{"active": true, "scope": "read", "cnf": {"a": 1, "a": 2}}'),
    "not UTF-8": raw(b'{"active": true, "scope": "read", "sub": "\xe9"}'),
    "UTF-16": raw(json.dumps(GOOD).encode("utf-16")),
    "a lone surrogate": raw(json.dumps({**GOOD, "sub": "x"}).replace('"x"', r'"\ud800"')),
    "NaN": raw('{"active": true, "exp": NaN}'),
    "a number beyond a double": raw('{"active": true, "exp": 1e999}'),
    "an array": raw(json.dumps([GOOD])),
    "a string": raw('"active"'),
    "true": raw("true"),
    "half an object": raw('{"active": true, '),
    "two byte order marks": raw(BOM_UTF8 * 2 + json.dumps(GOOD).encode()),
    "two objects": raw(json.dumps(GOOD) * 2),
    "no active": members(active=...),
    "active null": members(active=None),
    "active true as text": members(active="true"),
    "active 1": members(active=1),
    "active 1.0": members(active=1.0),
    "active an object": members(active={"active": True}),
    "ACTIVE": raw('{"ACTIVE": true, "scope": "read"}'),
    "a JWT that was not asked for": raw("a.b.c", Content_Type="application/jwt"),
}
#: An answer, by which the token is not good: each with the reason.
REFUSALS = {
    "inactive": (members(active=False), "inactive"),
    "inactive and nothing else": (raw('{"active": false}'), "inactive"),
    "another issuer": (members(iss="https://other.test"), "wrong_issuer"),
    "almost the issuer": (members(iss="http://127.0.0.1"), "wrong_issuer"),
    "issuer null": (members(iss=None), "wrong_issuer"),
    "issuer a list": (members(iss=["https://issuer.test"]), "wrong_issuer"),
    "over": (members(exp=1), "expired"),
    "exp 0": (members(exp=0), "expired"),
    "exp before all time": (members(exp=-(10**300)), "expired"),
    "exp as text": (members(exp="4102444800"), "malformed_claim"),
    "exp null": (members(exp=None), "malformed_claim"),
    "exp true": (members(exp=True), "malformed_claim"),
    "exp a list": (members(exp=[4102444800]), "malformed_claim"),
    "nbf ahead": (members(nbf=4102444800), "not_yet_valid"),
    "nbf as text": (members(nbf="0"), "malformed_claim"),
    "iat ahead": (members(iat=4102444800), "issued_in_the_future"),
    "no audience": (members(aud=...), "wrong_audience"),
    "audience null": (members(aud=None), "wrong_audience"),
    "another audience": (members(aud="https://other.example.com"), "wrong_audience"),
    "other audiences": (members(aud=["https://other.example.com", f"{API}/"]), "wrong_audience"),
    "mixed audiences": (members(aud=[API, 5]), "wrong_audience"),
    "audience an object": (members(aud={API: True}), "wrong_audience"),
    "no audience at all": (members(aud=[]), "wrong_audience"),
    "sub a number": (members(sub=5), "malformed_claim"),
}
#: What is good all the same.
ACCEPTED = {
    "with little": members(),
    "with blanks and a mark": raw(b" \n" + json.dumps(GOOD).encode() + b"\n"),
    "after a byte order mark": raw(BOM_UTF8 + json.dumps(GOOD).encode()),
    "with our audience among others": members(aud=["https://other.example.com", API]),
    "with times": members(exp=4102444800, nbf=1, iat=1.5),
    "with an end beyond a double": members(exp=10**400),
    "compressed": raw(gzip.compress(json.dumps(GOOD).encode()), Content_Encoding="gzip"),
    "of a type that is none": raw(json.dumps(GOOD), Content_Type="text/plain; charset=utf-8"),
}
