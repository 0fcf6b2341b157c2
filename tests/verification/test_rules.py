"""What a token must satisfy, through `verify_token` and its async twin."""

import base64
import json

import pytest

from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.tokens import AccessToken

NOW = 1_800_000_000
HUGE = 10**400


def test_a_good_token_becomes_an_access_token(verify, issuer):
    """With its claims, its header and its text."""
    encoded = issuer.token("read", role="admin")
    token = verify(encoded)
    assert isinstance(token, AccessToken)
    assert (token.encoded, token.subject, token.client_id, token.scopes) == (encoded, "user-1", "client-1", {"read"})
    assert token.claims["role"] == "admin"
    assert token.header == {"typ": "at+jwt", "alg": "RS256", "kid": "key-1"}


@pytest.mark.parametrize(
    ("token", "reason"),
    [("", "empty"), (None, "empty"), (b"", "empty"), ("x", "malformed"), (b"a.b.c", "malformed"), (5, "malformed")],
)
def test_what_is_no_token_is_refused(reason_of, issuer, token, reason):
    """Whatever a caller passes on."""
    assert reason_of(token) == reason


@pytest.mark.parametrize(
    ("audience", "aud", "reason"),
    [
        ("api", "api", None),
        ("api", ["api"], None),
        ("api", ["other", "api"], None),
        (["api", "api2"], "api2", None),
        (["api", "api2"], ["x", "api2"], None),
        ("api", "other", "wrong_audience"),
        ("api", "API", "wrong_audience"),
        ("api", "api2", "wrong_audience"),
        ("api", "ap", "wrong_audience"),
        ("api", "other api", "wrong_audience"),
        ("api", "", "wrong_audience"),
        ("api", [], "wrong_audience"),
        ("api", ["other"], "wrong_audience"),
        ("api", [["api"]], "wrong_audience"),
        ("api", [{"api": 1}, "api"], "wrong_audience"),
        ("api", [None, 5], "wrong_audience"),
        ("api", {"api": "api"}, "wrong_audience"),
        ("api", 5, "wrong_audience"),
        ("api", True, "wrong_audience"),
        ("api", ["api", {}], "wrong_audience"),
        ("api", [{}, "api"], "wrong_audience"),
        ("api", ["api", None], "wrong_audience"),
        ("api", ["api", 5], "wrong_audience"),
        ("api", ["api", ["api"]], "wrong_audience"),
        (None, "whatever", None),
        (None, "", None),
        (None, [], None),
        (None, ["a", "b"], None),
        (None, 5, "malformed_claim"),
        (None, {"api": "api"}, "malformed_claim"),
        (None, True, "malformed_claim"),
        (None, ["api", {}], "malformed_claim"),
        (None, [{}, "api"], "malformed_claim"),
        (None, ["api", None], "malformed_claim"),
        (None, [["api"]], "malformed_claim"),
    ],
)
def test_the_audience_must_hold_one_that_is_accepted(reason_of, rsa_issuer, audience, aud, reason):
    """RFC 7519 section 4.1.3: a string or an array of strings, compared to the letter."""
    with rsa_issuer.installed(AUDIENCE=audience):
        assert reason_of(rsa_issuer.token(aud=aud)) == reason


@pytest.mark.parametrize(("audience", "reason"), [("api", "wrong_audience"), (None, "malformed_claim")])
def test_an_audience_that_is_null_is_none(signed, reason_of, rsa_issuer, audience, reason):
    """It is neither a string nor an array of strings."""
    payload = json.dumps({"iss": rsa_issuer.issuer, "exp": 99999999999, "aud": None}).encode()
    with rsa_issuer.installed(AUDIENCE=audience):
        assert reason_of(signed(rsa_issuer, payload)) == reason


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "JWT", None])
@pytest.mark.parametrize(
    "claims",
    [
        {"at_hash": "MTIzNDU2Nzg5MDEyMzQ1Ng"},
        {"c_hash": "LDktKdoQak3Pk0cnXxCltA"},
        {"s_hash": "LDktKdoQak3Pk0cnXxCltA"},
        {"token_introspection": {"active": True, "scope": "read"}},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
        {"at_hash": None},
        {"c_hash": ""},
        {"s_hash": None},
        {"token_introspection": {}},
        {"events": []},
        {"at_hash": "x", "c_hash": "x"},
    ],
)
def test_a_token_of_another_kind_is_no_access_token(signed, verify, rsa_issuer, typ, claims):
    """ID tokens, logout tokens, events and introspection responses have the same issuer, keys and often audience."""
    header = {"alg": "RS256", "kid": "key-1"} | ({} if typ is None else {"typ": typ})
    payload = {"iss": rsa_issuer.issuer, "aud": "api", "sub": "anna", "exp": 99999999999, **claims}
    with rsa_issuer.installed(AUDIENCE="api"), pytest.raises(InvalidToken) as caught:
        verify(rsa_issuer.keys[-1].encode(header, json.dumps(payload).encode()))
    assert (caught.value.reason, caught.value.detail) == ("wrong_type", ", ".join(claims))


@pytest.mark.parametrize("typ", ["at+jwt", "JWT", None])
@pytest.mark.parametrize(
    ("claims", "detail"),
    [
        ({"token_use": "id"}, "token_use id"),
        ({"token_use": "refresh"}, "token_use refresh"),
        ({"typ": "ID"}, "typ ID"),
        ({"typ": "Refresh"}, "typ Refresh"),
        ({"typ": "Offline"}, "typ Offline"),
        ({"token_type": "refresh"}, "token_type refresh"),
        ({"token_type": "refresh_token", "token_use": 5}, "token_type refresh_token"),
        ({"token_type": "ID_Token", "typ": "Bearer"}, "token_type ID_Token"),
        ({"token_use": "access"}, None),
        ({"typ": "Bearer"}, None),
        ({"token_type": "Bearer", "token_use": "access_token", "typ": "access"}, None),
        ({"token_use": "", "typ": "identity"}, None),
        *(({name: value}, None) for name in ("token_use", "typ") for value in (None, 5, True, ["id"], {"id": "id"})),
    ],
)
def test_a_token_that_says_it_is_for_something_else_is_no_access_token(verify, issuer, typ, claims, detail):
    """As in an answer about an opaque token: Cognito, Keycloak and others say so; what is no string says nothing."""
    header = {"alg": "RS256", "kid": "key-1"} | ({} if typ is None else {"typ": typ})
    payload = {"iss": issuer.issuer, "exp": 99999999999, **claims}
    encoded = issuer.keys[-1].encode(header, json.dumps(payload).encode())
    if detail is None:
        assert verify(encoded).claims == payload
        return
    with pytest.raises(InvalidToken) as caught:
        verify(encoded)
    assert (caught.value.reason, caught.value.detail) == ("wrong_type", detail)


@pytest.mark.parametrize(
    ("claims", "reason", "detail"),
    [
        ({"role": None}, "missing_claim", "role"),
        ({"sub": 5}, "malformed_claim", "sub"),
        ({"nbf": "soon"}, "malformed_claim", "nbf"),
        ({"iat": None, "exp": True}, "malformed_claim", "exp"),
        ({"aud": 5}, "malformed_claim", "aud"),
    ],
)
def test_a_refusal_says_which_claim_it_is(verify, rsa_issuer, claims, reason, detail):
    """To the project."""
    with rsa_issuer.installed(REQUIRED_CLAIMS=["exp", "role"]), pytest.raises(InvalidToken) as caught:
        verify(rsa_issuer.token(**{"role": "x", **claims}))
    assert (caught.value.reason, caught.value.detail) == (reason, detail)


def test_a_token_without_audience_is_refused_where_one_is_required(reason_of, rsa_issuer):
    """A token for anybody is not for us."""
    with rsa_issuer.installed(AUDIENCE="api"):
        assert reason_of(rsa_issuer.token(aud=None)) == "wrong_audience"


@pytest.mark.parametrize(
    "iss",
    ["https://issuer.test/", "https://ISSUER.test", "https://other.test", "", None, 5, ["https://issuer.test"], {}],
)
def test_another_issuer_is_refused_before_its_keys_are_looked_for(reason_of, issuer, monkeypatch, iss):
    """Equal to the letter, and never a fetch on behalf of somebody unknown."""
    for method in ("current", "key_set_for", "akey_set_for"):
        monkeypatch.setattr(issuer, method, lambda *wanted: pytest.fail("the keys were asked for"))
    assert reason_of(issuer.token(iss=iss)) == "wrong_issuer"


@pytest.mark.parametrize(
    ("iss", "reason"), [("https://other.test", None), (None, None), (5, "malformed_claim"), ([], "malformed_claim")]
)
def test_without_the_setting_any_issuer_will_do(reason_of, rsa_issuer, iss, reason):
    """The keys decide then; but iss is a string all the same."""
    with rsa_issuer.installed(ISSUER=None):
        assert reason_of(rsa_issuer.token(iss=iss)) == reason


@pytest.mark.parametrize(
    ("sub", "reason"), [(None, None), ("", None), (5, "malformed_claim"), (["a"], "malformed_claim")]
)
def test_a_subject_is_a_string_or_none(reason_of, issuer, sub, reason):
    """Machine tokens may have none; a number could be taken for another user's."""
    assert reason_of(issuer.token(sub=sub)) == reason


@pytest.mark.parametrize(
    ("accepted", "typ", "reason"),
    [
        *(
            (None, typ, None)
            for typ in ("at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt", "JWT", "jwt", None)
        ),
        *(
            (None, typ, "wrong_type")
            for typ in ("", "JWS", "id+jwt", "dpop+jwt", "application/", "at+jwt ", "text/at+jwt")
        ),
        (["at+jwt"], "application/at+jwt", None),
        (["at+jwt"], "JWT", "wrong_type"),
        (["at+jwt"], None, "wrong_type"),
        (["Application/AT+JWT"], "at+jwt", None),
        ([None], None, None),
        ([None], "at+jwt", "wrong_type"),
    ],
)
def test_the_type_must_be_one_that_is_accepted(reason_of, rsa_issuer, accepted, typ, reason):
    """RFC 7515 section 4.1.9: whatever its case, with or without application/; an ID token is no access token."""
    header = {"alg": "RS256", "kid": "key-1"} | ({} if typ is None else {"typ": typ})
    token = rsa_issuer.keys[-1].encode(header, json.dumps({"iss": rsa_issuer.issuer, "exp": 99999999999}).encode())
    with rsa_issuer.installed(**({} if accepted is None else {"TOKEN_TYPES": accepted})):
        assert reason_of(token) == reason


@pytest.mark.parametrize(
    ("required", "claims", "reason"),
    [
        (["exp"], {"exp": None}, "missing_claim"),
        ([], {"exp": None}, None),
        (["jti"], {"exp": None}, None),
        (["jti"], {"jti": None}, "missing_claim"),
        (["exp", "role"], {}, "missing_claim"),
        (["exp", "role"], {"role": ""}, None),
        (["exp", "role"], {"role": False}, None),
    ],
)
def test_required_claims_are_there(reason_of, rsa_issuer, required, claims, reason):
    """exp unless the setting says otherwise; null is not there, what is empty is."""
    with rsa_issuer.installed(REQUIRED_CLAIMS=required):
        assert reason_of(rsa_issuer.token(**claims)) == reason


def test_a_required_claim_that_is_null_is_not_there(signed, reason_of, rsa_issuer):
    """As the claim requirements of views have it."""
    payload = json.dumps({"iss": rsa_issuer.issuer, "exp": 99999999999, "role": None}).encode()
    with rsa_issuer.installed(REQUIRED_CLAIMS=["role"]):
        assert reason_of(signed(rsa_issuer, payload)) == "missing_claim"


def test_the_length_is_bounded_to_the_byte(reason_of, rsa_issuer):
    """The longest that is accepted, and one byte more."""
    encoded = rsa_issuer.token()
    for limit, reason in ((len(encoded), None), (len(encoded) - 1, "too_long")):
        with rsa_issuer.installed(MAX_TOKEN_LENGTH=limit):
            assert reason_of(encoded) == reason


def test_a_long_token_is_refused_unread(reason_of, issuer):
    """The default bound; what the text says does not matter."""
    assert reason_of("x" * 16385) == "too_long"
    assert reason_of("x" * 16384) == "malformed"


def test_only_the_accepted_algorithms_count(reason_of, rsa_issuer):
    """ALGORITHMS restricts, though the key could do more."""
    for algorithms, reason in ((["RS256"], None), (["PS256", "ES256"], "wrong_algorithm")):
        with rsa_issuer.installed(ALGORITHMS=algorithms):
            assert reason_of(rsa_issuer.token()) == reason


@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b'"x"', b"{", b"\xff", b'{"exp": 1, "exp": 2}', b'{"exp": NaN}', b"\0"]
)
def test_a_payload_that_is_no_strict_json_object_is_malformed(signed, reason_of, issuer, payload):
    """Though the signature is good."""
    assert reason_of(signed(issuer, payload)) == "malformed"


def test_the_signature_is_checked_before_the_claims(reason_of, issuer):
    """Who cannot sign learns nothing of what the claims, or the type, should have been."""
    assert reason_of(issuer.token(forged=True, exp=1, aud="other", sub=5)) == "bad_signature"
    assert reason_of(issuer.token(forged=True, header={"typ": "JWS"})) == "bad_signature"


def test_an_unknown_key_is_refused(reason_of, issuer):
    """A key that the JWKS does not hold."""
    assert reason_of(issuer.token(rotated=True)) == "unknown_kid"


@pytest.mark.parametrize(
    ("claims", "client"),
    [
        ({"client_id": "a", "azp": "b"}, "a"),
        ({"client_id": None, "azp": "b"}, "b"),
        ({"client_id": 5, "azp": "b"}, "b"),
        ({"client_id": None, "azp": ["b"]}, None),
        ({"client_id": None}, None),
    ],
)
def test_the_client_is_told_by_client_id_or_azp(verify, issuer, claims, client):
    """RFC 9068 section 2.2, and what OpenID Connect servers say instead."""
    assert verify(issuer.token(**claims)).client_id == client


def test_unused_bits_of_a_token_are_no_second_token(reason_of, issuer):
    """The same signature under another spelling is refused, so a token has one text to revoke or to log."""
    encoded = issuer.token()
    signature = encoded.rpartition(".")[2]
    twin = encoded[:-1] + chr(ord(signature[-1]) + 1)
    assert base64.urlsafe_b64decode(twin.rpartition(".")[2] + "==") == base64.urlsafe_b64decode(signature + "==")
    assert reason_of(encoded) is None
    assert reason_of(twin) == "bad_signature"


@pytest.mark.parametrize("status", [401, 403])
def test_the_error_that_is_raised_has_the_status_of_the_setting(verify, rsa_issuer, status):
    """Code that answers with it need not know the settings; anew and remembered alike."""
    with rsa_issuer.installed(INVALID_TOKEN_STATUS=status):
        for token in ("rubbish", rsa_issuer.token(expired=True), ""):
            with pytest.raises(InvalidToken) as caught:
                verify(token)
            assert caught.value.status == status
    assert InvalidToken("expired").status == 403
