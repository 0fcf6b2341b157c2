"""What a token must satisfy, through `verify_token` and its async twin."""

import asyncio
import base64
import json

import pytest

from django_oauth_jwt.access_token import AccessToken
from django_oauth_jwt.errors import InvalidToken, KeysUnavailable
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.verification import averify_token, verify_token

NOW = 1_800_000_000
HUGE = 10**400


def _averify(encoded_token, **kwargs):
    return asyncio.run(averify_token(encoded_token, **kwargs))


@pytest.fixture(params=[verify_token, _averify], ids=["sync", "async"])
def verify(request):
    """Verify a token, on either side of Django's two worlds."""
    return request.param


def _reason(verify, encoded_token, **kwargs):
    """Return why a token is refused, None where it is accepted; the same the second time, when it is remembered."""
    first, again = (_outcome(verify, encoded_token, **kwargs) for _ in range(2))
    assert again == first
    return first


def _outcome(verify, encoded_token, **kwargs):
    try:
        verify(encoded_token, **kwargs)
    except InvalidToken as error:
        return error.reason
    return None


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
def test_what_is_no_token_is_refused(verify, issuer, token, reason):
    """Whatever a caller passes on."""
    assert _reason(verify, token) == reason


@pytest.mark.parametrize(
    ("leeway", "claims", "reason"),
    [
        # exp: later than now less the leeway.
        (10, {"exp": NOW + 1}, None),
        (10, {"exp": NOW}, None),
        (10, {"exp": NOW - 9}, None),
        (10, {"exp": NOW - 9.999}, None),
        (10, {"exp": NOW - 10}, "expired"),
        (10, {"exp": NOW - 10.0}, "expired"),
        (10, {"exp": NOW - 11}, "expired"),
        (0, {"exp": NOW + 0.001}, None),
        (0, {"exp": NOW}, "expired"),
        (2.5, {"exp": NOW - 2.25}, None),
        (2.5, {"exp": NOW - 2.5}, "expired"),
        (10, {"exp": 0}, "expired"),
        (10, {"exp": -1}, "expired"),
        (10, {"exp": -HUGE}, "expired"),
        (10, {"exp": HUGE}, None),
        (10, {"exp": 1e308}, None),
        # nbf and iat: not later than now and the leeway.
        (10, {"nbf": NOW + 10}, None),
        (10, {"nbf": NOW + 10.5}, "not_yet_valid"),
        (10, {"nbf": NOW + 11}, "not_yet_valid"),
        (0, {"nbf": NOW}, None),
        (0, {"nbf": NOW + 1}, "not_yet_valid"),
        (10, {"nbf": HUGE}, "not_yet_valid"),
        (10, {"nbf": -HUGE}, None),
        (10, {"iat": NOW + 10}, None),
        (10, {"iat": NOW + 11}, "issued_in_the_future"),
        (0, {"iat": NOW}, None),
        (0, {"iat": NOW + 1}, "issued_in_the_future"),
        (10, {"iat": HUGE}, "issued_in_the_future"),
        (10, {"iat": 0}, None),
        # All at once: the first that is told is exp.
        (10, {"exp": NOW - 60, "nbf": NOW + 60, "iat": NOW + 60}, "expired"),
        (10, {"nbf": NOW + 60, "iat": NOW + 60}, "not_yet_valid"),
    ],
)
def test_the_times_are_sharp(verify, rsa_issuer, clock, leeway, claims, reason):
    """To the second and less, with the leeway on each side (RFC 7519 sections 4.1.4 to 4.1.6)."""
    with rsa_issuer.installed(LEEWAY=leeway):
        assert _reason(verify, rsa_issuer.token(**claims)) == reason


def _signed(issuer, payload, **header):
    key = issuer.keys[-1]
    return key.encode({"typ": "at+jwt", "alg": key.alg, "kid": key.kid, **header}, payload)


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["null", "true", "false", '"1900000000"', "[1900000000]", "{}", '""'])
def test_a_time_that_is_no_number_is_malformed(verify, issuer, name, value):
    """A NumericDate is a JSON number, and neither true nor a string that looks like one."""
    claims = {"iss": f'"{issuer.issuer}"', "exp": "99999999999", name: value}
    payload = "{" + ", ".join(f'"{claim}": {text}' for claim, text in claims.items()) + "}"
    expected = "missing_claim" if (name, value) == ("exp", "null") else "malformed_claim"
    assert _reason(verify, _signed(issuer, payload.encode())) == expected


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
        (None, "whatever", None),
        (None, 5, None),
    ],
)
def test_the_audience_must_hold_one_that_is_accepted(verify, rsa_issuer, audience, aud, reason):
    """RFC 7519 section 4.1.3: a string or an array of strings, compared to the letter."""
    with rsa_issuer.installed(AUDIENCE=audience):
        assert _reason(verify, rsa_issuer.token(aud=aud)) == reason


def test_a_token_without_audience_is_refused_where_one_is_required(verify, rsa_issuer):
    """A token for anybody is not for us."""
    with rsa_issuer.installed(AUDIENCE="api"):
        assert _reason(verify, rsa_issuer.token(aud=None)) == "wrong_audience"


@pytest.mark.parametrize(
    "iss",
    ["https://issuer.test/", "https://ISSUER.test", "https://other.test", "", None, 5, ["https://issuer.test"], {}],
)
def test_another_issuer_is_refused_before_its_keys_are_looked_for(verify, issuer, monkeypatch, iss):
    """Equal to the letter, and never a fetch on behalf of somebody unknown."""
    for method in ("current", "key_set_for", "akey_set_for"):
        monkeypatch.setattr(issuer, method, lambda *wanted: pytest.fail("the keys were asked for"))
    assert _reason(verify, issuer.token(iss=iss)) == "wrong_issuer"


@pytest.mark.parametrize(
    ("iss", "reason"), [("https://other.test", None), (None, None), (5, "malformed_claim"), ([], "malformed_claim")]
)
def test_without_the_setting_any_issuer_will_do(verify, rsa_issuer, iss, reason):
    """The keys decide then; but iss is a string all the same."""
    with rsa_issuer.installed(ISSUER=None):
        assert _reason(verify, rsa_issuer.token(iss=iss)) == reason


@pytest.mark.parametrize(
    ("sub", "reason"), [(None, None), ("", None), (5, "malformed_claim"), (["a"], "malformed_claim")]
)
def test_a_subject_is_a_string_or_none(verify, issuer, sub, reason):
    """Machine tokens may have none; a number could be taken for another user's."""
    assert _reason(verify, issuer.token(sub=sub)) == reason


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
def test_the_type_must_be_one_that_is_accepted(verify, rsa_issuer, accepted, typ, reason):
    """RFC 7515 section 4.1.9: whatever its case, with or without application/; an ID token is no access token."""
    header = {"alg": "RS256", "kid": "key-1"} | ({} if typ is None else {"typ": typ})
    token = rsa_issuer.keys[-1].encode(header, json.dumps({"iss": rsa_issuer.issuer, "exp": 99999999999}).encode())
    with rsa_issuer.installed(**({} if accepted is None else {"TOKEN_TYPES": accepted})):
        assert _reason(verify, token) == reason


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
def test_required_claims_are_there(verify, rsa_issuer, required, claims, reason):
    """exp unless the setting says otherwise; null is not there, what is empty is."""
    with rsa_issuer.installed(REQUIRED_CLAIMS=required):
        assert _reason(verify, rsa_issuer.token(**claims)) == reason


def test_a_required_claim_that_is_null_is_not_there(verify, rsa_issuer):
    """As the claim requirements of views have it."""
    payload = json.dumps({"iss": rsa_issuer.issuer, "exp": 99999999999, "role": None}).encode()
    with rsa_issuer.installed(REQUIRED_CLAIMS=["role"]):
        assert _reason(verify, _signed(rsa_issuer, payload)) == "missing_claim"


def test_the_length_is_bounded_to_the_byte(verify, rsa_issuer):
    """The longest that is accepted, and one byte more."""
    encoded = rsa_issuer.token()
    for limit, reason in ((len(encoded), None), (len(encoded) - 1, "too_long")):
        with rsa_issuer.installed(MAX_TOKEN_LENGTH=limit):
            assert _reason(verify, encoded) == reason


def test_a_long_token_is_refused_unread(verify, issuer):
    """The default bound; what the text says does not matter."""
    assert _reason(verify, "x" * 16385) == "too_long"
    assert _reason(verify, "x" * 16384) == "malformed"


def test_only_the_accepted_algorithms_count(verify, rsa_issuer):
    """ALGORITHMS restricts, though the key could do more."""
    for algorithms, reason in ((["RS256"], None), (["PS256", "ES256"], "wrong_algorithm")):
        with rsa_issuer.installed(ALGORITHMS=algorithms):
            assert _reason(verify, rsa_issuer.token()) == reason


@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b'"x"', b"{", b"\xff", b'{"exp": 1, "exp": 2}', b'{"exp": NaN}', b"\0"]
)
def test_a_payload_that_is_no_strict_json_object_is_malformed(verify, issuer, payload):
    """Though the signature is good."""
    assert _reason(verify, _signed(issuer, payload)) == "malformed"


def test_the_signature_is_checked_before_the_claims(verify, issuer):
    """Who cannot sign learns nothing of what the claims should have been."""
    assert _reason(verify, issuer.token(forged=True, exp=1, aud="other", sub=5)) == "bad_signature"


def test_an_unknown_key_is_refused(verify, issuer):
    """A key that the JWKS does not hold."""
    assert _reason(verify, issuer.token(rotated=True)) == "unknown_kid"


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


@pytest.fixture
def two_issuers(rsa_issuer):
    """Two authorization servers with the same kid, and settings of their own for the second."""
    other = TokenIssuer("https://other.test", alg="ES256")
    listed = {
        rsa_issuer.issuer: {"JWKS_SERVICE": rsa_issuer},
        other.issuer: {
            "JWKS_SERVICE": other,
            "AUDIENCE": "other-api",
            "ALGORITHMS": ["ES256"],
            "TOKEN_TYPES": ["JWT"],
            "REQUIRED_CLAIMS": ["exp", "role"],
            "LEEWAY": 0,
        },
    }
    with rsa_issuer.installed(ISSUER=None, JWKS_SERVICE=None, ISSUERS=listed, AUDIENCE="api", ALGORITHMS=["RS256"]):
        yield rsa_issuer, other


def test_each_issuer_has_its_own_rules(verify, two_issuers, clock):
    """What ISSUERS says of one holds for its tokens alone, the rest for all."""
    first, second = two_issuers
    good = {"aud": "other-api", "role": "x", "header": {"typ": "JWT"}}
    assert _reason(verify, first.token(aud="api", exp=NOW - 5)) is None
    assert _reason(verify, first.token(aud="other-api")) == "wrong_audience"
    assert _reason(verify, second.token(**good)) is None
    assert _reason(verify, second.token(**{**good, "aud": "api"})) == "wrong_audience"
    assert _reason(verify, second.token(**{**good, "role": None})) == "missing_claim"
    assert _reason(verify, second.token(**{**good, "header": {}})) == "wrong_type"
    assert _reason(verify, second.token(**good, exp=NOW)) == "expired"


def test_each_issuers_algorithms_hold_for_its_tokens_alone(verify, rsa_issuer):
    """What another issuer may use is no permission, though the key would fit."""
    listed = {
        rsa_issuer.issuer: {"JWKS_SERVICE": rsa_issuer, "ALGORITHMS": ["PS256"]},
        "https://other.test": {"JWKS_SERVICE": rsa_issuer, "ALGORITHMS": ["RS256"]},
    }
    with rsa_issuer.installed(ISSUER=None, JWKS_SERVICE=None, ISSUERS=listed):
        assert _reason(verify, rsa_issuer.token()) == "wrong_algorithm"
        assert _reason(verify, rsa_issuer.token(iss="https://other.test")) is None


def test_one_issuers_key_signs_nothing_for_another(verify, two_issuers):
    """The claim iss says whose keys are asked, so a trusted server cannot speak for its neighbour."""
    first, second = two_issuers
    assert _reason(verify, first.token(aud="api", iss=second.issuer)) == "wrong_algorithm"
    assert _reason(verify, second.token(aud="api", iss=first.issuer)) == "wrong_algorithm"
    twin = TokenIssuer(first.issuer)
    assert _reason(verify, twin.token(aud="api")) == "bad_signature"
    assert _reason(verify, twin.token(aud="api", iss="https://third.test")) == "wrong_issuer"


def test_a_service_of_the_callers_own_stands_in(verify, rsa_issuer, signing_key, settings):
    """jwks_service says where the keys are, also where the settings name no source at all."""
    settings.OAUTH_JWT = {}
    other = TokenIssuer("https://other.test", key=signing_key("EdDSA"))
    assert _reason(verify, other.token(), jwks_service=other) is None
    assert _reason(verify, other.token(), jwks_service=rsa_issuer) == "wrong_algorithm"
    assert _reason(verify, other.token(), jwks_service=other) is None


def test_without_keys_nothing_is_said_of_the_token(verify, rsa_issuer):
    """The service's own refusal comes through."""

    class Down(TokenIssuer):
        def key_set_for(self, kid, alg):
            raise KeysUnavailable(7)

        async def akey_set_for(self, kid, alg):
            raise KeysUnavailable(7)

    down = Down(key=rsa_issuer.keys[-1])
    with down.installed(), pytest.raises(KeysUnavailable) as caught:
        verify(down.token())
    assert caught.value.retry_after == 7


def test_unused_bits_of_a_token_are_no_second_token(verify, issuer):
    """The same signature under another spelling is refused, so a token has one text to revoke or to log."""
    encoded = issuer.token()
    signature = encoded.rpartition(".")[2]
    twin = encoded[:-1] + chr(ord(signature[-1]) + 1)
    assert base64.urlsafe_b64decode(twin.rpartition(".")[2] + "==") == base64.urlsafe_b64decode(signature + "==")
    assert _reason(verify, encoded) is None
    assert _reason(verify, twin) == "bad_signature"
