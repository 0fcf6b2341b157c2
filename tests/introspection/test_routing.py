"""Which tokens are asked about, of whom, and in which order."""

import base64
import json

import pytest

from django_oauth_jwt.errors import IntrospectionUnavailable, InvalidToken
from django_oauth_jwt.verification import verify_token

HEADER = {"alg": "ES256", "typ": "at+jwt"}


def encode(text):
    data = text if isinstance(text, bytes) else text.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


#: Three segments, the first of which some reader could take for a JOSE header: never asked about.
JWTS = {
    "good header": encode(json.dumps(HEADER)),
    "blanks": encode(" \t\r\n" + json.dumps(HEADER)),
    "a byte order mark": encode("\ufeff" + json.dumps(HEADER)),
    "UTF-16": encode(json.dumps(HEADER).encode("utf-16")),
    "UTF-16, big end": encode(json.dumps(HEADER).encode("utf-16-be")),
    "half a header": encode('{"alg"'),
    "a brace": encode("{"),
    "empty object": encode("{}"),
    "not base64url": base64.b64encode(b'{"x":"???>>>"}').decode().rstrip("="),
    "dots and tildes": "~" + encode(json.dumps(HEADER))[:9] + "~" + encode(json.dumps(HEADER))[9:],
    "a digit too much": encode('{"a":1}') + "A",
    "unused bits": encode("{")[:-1] + "x",
}
OPAQUE = {
    "one segment": "2YotnFZFEjr1zCsicMWpAA",
    "one character": "x",
    "two segments": f"{encode(json.dumps(HEADER))}.{encode('{}')}",
    "five segments": ".".join([encode('{"alg":"dir","enc":"A256GCM"}'), "", "aXY", "Y2lwaGVy", "dGFn"]),
    "three segments without a header": "a.b.c",
    "three segments, the first empty": ".b.c",
    "three segments of text": "v4.local.payload",
    "three segments of an array": f"{encode('[1]')}.b.c",
    "every character": "aA0-._~+/==",
}
#: RFC 6750 section 2.1: no bearer tokens. HTTP hands on no others.
MALFORMED = ["a b", "a!b", "a=b", "=", "a,b", "a\tb", "a:b", '"a"', "a\u00fcb", f"{encode(json.dumps(HEADER))}!.b.c"]


@pytest.mark.parametrize("segment", JWTS.values(), ids=JWTS)
def test_what_looks_like_a_jwt_is_never_asked_about(trust_server, enter, segment):
    """It is a bad JWT, whatever the server would say of it."""
    server = trust_server()
    assert enter(f"{segment}.e30.c2ln") == (403, None)
    assert server.questions == []


@pytest.mark.parametrize("token", OPAQUE.values(), ids=OPAQUE)
def test_every_other_token_is_asked_about(trust_server, enter, token):
    """By its letter, whatever stands in it."""
    server = trust_server()
    server.issuer._opaque_tokens[token] = {"active": True, "scope": "read"}
    assert enter(token)[0] == 200
    assert [question.form["token"] for question in server.questions] == [token]


@pytest.mark.parametrize("token", ["", *MALFORMED])
def test_what_is_no_token_is_not_asked_about(trust_server, token):
    """Nobody has issued it."""
    server = trust_server()
    with pytest.raises(InvalidToken) as refusal:
        verify_token(token)
    assert refusal.value.reason == ("malformed" if token else "empty")
    assert server.questions == []


@pytest.mark.parametrize("more", [{}, {"TOKEN_CACHE_SIZE": 0}])
def test_a_token_that_is_too_long_is_not_asked_about(trust_server, enter, more):
    """MAX_TOKEN_LENGTH holds for all."""
    server = trust_server({"MAX_TOKEN_LENGTH": 20, **more})
    for length, status in ((20, 200), (21, 403)):
        server.issuer._opaque_tokens["x" * length] = {"active": True, "scope": "read"}
        assert enter("x" * length)[0] == status
    assert len(server.questions) == 1


def test_without_introspection_an_opaque_token_is_malformed(trust_server, settings, enter):
    """As before."""
    server = trust_server()
    settings.OAUTH_JWT = {key: value for key, value in settings.OAUTH_JWT.items() if key != "INTROSPECTION"}
    assert enter(server.issuer.opaque_token("read")) == (403, None)
    assert server.questions == []


A, B = ({"active": True, "sub": name} for name in "ab")
NO, GONE, BROKEN = {"active": False}, ConnectionError("gone"), (500, "", {})
OTHER = {"active": True, "iss": "https://other.test"}
EXPIRED = {"active": True, "exp": 1}
#: What the first and the second of two issuers answer, what becomes of the token, and whether the second was asked.
TWO_ISSUERS = [
    (A, B, "a", False),
    (NO, B, "b", True),
    (OTHER, B, "b", True),
    (GONE, B, "b", True),
    (BROKEN, B, "b", True),
    (EXPIRED, B, "expired", False),
    (NO, NO, "inactive", True),
    (NO, OTHER, "wrong_issuer", True),
    (OTHER, NO, "wrong_issuer", True),
    (NO, EXPIRED, "expired", True),
    (NO, GONE, "introspection_unavailable", True),
    (GONE, NO, "introspection_unavailable", True),
    (GONE, OTHER, "introspection_unavailable", True),
    (GONE, EXPIRED, "expired", True),
    (GONE, GONE, "introspection_unavailable", True),
]


@pytest.mark.parametrize(("first", "second", "outcome", "asks_second"), TWO_ISSUERS)
def test_several_issuers_are_asked_in_turn(settings, endpoint, first, second, outcome, asks_second):
    """Until one knows the token; where one that may know it does not say, the token is not called bad."""
    answers = {"https://a.example.com/i": first, "https://b.example.com/i": second}
    endpoint.answer = lambda uri, form: answers[uri]
    settings.OAUTH_JWT = {
        "HTTP_SESSION": lambda: endpoint,
        "ISSUERS": {
            "https://none.example.com": {},
            **{
                uri.removesuffix("/i"): {"INTROSPECTION": {"AUTH": "none", "CLIENT_ID": "api", "ENDPOINT": uri}}
                for uri in answers
            },
        },
    }
    for _ in range(2):
        try:
            found = verify_token("opaque").subject
        except (InvalidToken, IntrospectionUnavailable) as error:
            found = error.reason
        assert found == outcome
    assert [uri for uri, _, _ in endpoint.asked] == list(answers)[: 2 if asks_second else 1]
    if outcome in ("a", "b"):
        assert verify_token("opaque").issuer == f"https://{outcome}.example.com"


def test_each_issuers_rules_hold_for_its_own_tokens(settings, endpoint):
    """Its audience, and its leeway for as long as the token is remembered."""
    endpoint.answer = lambda uri, form: {"active": "a." not in uri, "aud": "b"}
    settings.OAUTH_JWT = {
        "HTTP_SESSION": lambda: endpoint,
        "ISSUERS": {
            f"https://{name}.example.com": {
                "AUDIENCE": name,
                "INTROSPECTION": {"AUTH": "none", "CLIENT_ID": "api", "ENDPOINT": f"https://{name}.example.com/i"},
            }
            for name in "ab"
        },
    }
    assert verify_token("opaque").issuer == "https://b.example.com"
