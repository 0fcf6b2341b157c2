"""The test kit: its issuer makes what it says, and is trusted while it is installed."""

import json

import pytest
from django.conf import settings as django_settings
from jose import jws as reference

import django_oauth_jwt.testing
from django_oauth_jwt.conf import get_settings
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.jws import SUPPORTED_ALGORITHMS
from django_oauth_jwt.testing import SigningKey, TokenIssuer
from django_oauth_jwt.testing.issuer import project_algorithm
from django_oauth_jwt.verification import verify_token

from ..conf.samples import VALID, resolver

NOW = 1_800_000_000


def _claims(token):
    return json.loads(reference.get_unverified_claims(token))


def _reason(token):
    try:
        verify_token(token)
    except InvalidToken as error:
        return error.reason
    return None


def test_a_token_holds_what_an_authorization_server_puts_in(rsa_issuer, frozen_time):
    """RFC 9068 section 2.2, good for five minutes; without a scope unless one is asked for."""
    first, second = (_claims(rsa_issuer.token()) for _ in range(2))
    assert first.pop("jti") != second.pop("jti")
    assert (
        first
        == second
        == {
            "iss": "https://issuer.test",
            "sub": "user-1",
            "client_id": "client-1",
            "iat": NOW,
            "exp": NOW + 300,
        }
    )
    assert reference.get_unverified_header(rsa_issuer.token()) == {"typ": "at+jwt", "alg": "RS256", "kid": "key-1"}


@pytest.mark.parametrize(
    ("scope", "claim"),
    [("read write", "read write"), (["read", "write"], "read write"), (("read",), "read"), ("", ""), ([], "")],
)
def test_a_scope_is_a_string_or_a_list(rsa_issuer, scope, claim):
    """As the settings and the decorator take it."""
    assert _claims(rsa_issuer.token(scope))["scope"] == claim
    assert _claims(rsa_issuer.token(scope=scope))["scope"] == claim


def test_claims_are_added_replaced_and_left_out(rsa_issuer):
    """By name; None leaves out, and only None."""
    claims = _claims(rsa_issuer.token("read", sub="ann", role=["a"], iat=None, jti="", n=0, no=False))
    assert (claims["sub"], claims["role"], claims["scope"]) == ("ann", ["a"], "read")
    assert (claims["jti"], claims["n"], claims["no"]) == ("", 0, False)
    assert "iat" not in claims


def test_a_header_is_added_to_the_jose_header(rsa_issuer):
    """To try another type, key or algorithm."""
    header = reference.get_unverified_header(rsa_issuer.token(header={"typ": "JWT", "x": 1}))
    assert header == {"typ": "JWT", "alg": "RS256", "kid": "key-1", "x": 1}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, None),
        ({"expired": True}, "expired"),
        ({"forged": True}, "bad_signature"),
        ({"rotated": True}, "unknown_kid"),
        ({"iss": "https://other.test"}, "wrong_issuer"),
        ({"exp": None}, "missing_claim"),
        ({"header": {"typ": "JWS"}}, "wrong_type"),
        ({"header": {"alg": "RS384"}}, "wrong_algorithm"),
    ],
)
def test_each_kind_of_bad_token_is_bad_for_its_own_reason(issuer, arguments, reason):
    """A test of a refusal is worth something only if nothing else is wrong with the token."""
    assert _reason(issuer.token(**arguments)) == reason


def test_an_expired_token_was_a_good_one(rsa_issuer, frozen_time):
    """It lasted an hour, and ended an hour ago."""
    claims = _claims(rsa_issuer.token(expired=True))
    assert (claims["iat"], claims["exp"]) == (NOW - 7200, NOW - 3600)


@pytest.mark.parametrize(
    ("audience", "aud"), [("api", "api"), (["api", "other"], "api"), (("api",), "api"), (None, None), ({"api"}, "api")]
)
def test_the_audience_is_the_projects(rsa_issuer, audience, aud):
    """A project that checks the audience need not repeat it in its tests."""
    with rsa_issuer.installed(AUDIENCE=audience):
        token = rsa_issuer.token()
        assert _claims(token).get("aud") == aud
        assert _reason(token) is None
        assert _reason(rsa_issuer.token(aud="elsewhere")) == (None if aud is None else "wrong_audience")


def test_headers_are_for_any_test_client(issuer):
    """They take what `token` takes."""
    scheme, token = issuer.headers("read", sub="ann")["Authorization"].split(" ")
    assert scheme == "Bearer"
    assert verify_token(token).scopes == {"read"}
    assert _reason(issuer.headers(expired=True)["Authorization"].split(" ")[1]) == "expired"


@pytest.mark.parametrize("make", ["opaque_token", "token"])
def test_a_revoked_token_is_not_active(signing_key, make):
    """From then on, where the project asks about it; the others are as they were."""
    asking = {"CLIENT_ID": "api", "CLIENT_SECRET": "secret", "TOKENS": "all", "CACHE_SECONDS": 0}
    with TokenIssuer(key=signing_key()).installed(INTROSPECTION=asking) as issuer:
        token, other = getattr(issuer, make)(), getattr(issuer, make)()
        assert [_reason(token), _reason(other)] == [None, None]
        issuer.revoke(token)
        assert [_reason(token), _reason(other)] == ["inactive", None]


def test_a_rotation_signs_with_a_new_key(signing_key):
    """The old key stays until it is dropped, and then its tokens are refused."""
    with TokenIssuer(key=signing_key()).installed() as issuer:
        old = issuer.token()
        issuer.rotate()
        new = issuer.token()
        kids = [reference.get_unverified_header(token)["kid"] for token in (old, new)]
        assert kids == [key["kid"] for key in issuer.jwks()["keys"]]
        assert len(set(kids)) == 2
        assert [_reason(old), _reason(new)] == [None, None]
        issuer.rotate(keep_old=False)
        assert [_reason(token) for token in (old, new, issuer.token())] == ["unknown_kid", "unknown_kid", None]
        assert {key["alg"] for key in issuer.jwks()["keys"]} == {"ES256"}


def test_an_installed_issuer_is_trusted_and_no_other(settings, signing_key):
    """What the project trusted before is not asked while the context lasts, and is again after it."""
    settings.OAUTH_JWT = {**VALID, "LEEWAY": 3, "ISSUERS": {"https://b.example.com": {}}, "AUDIENCE": "api"}
    outer, inner = (TokenIssuer(f"https://{name}.test", key=signing_key()) for name in ("outer", "inner"))
    with outer.installed() as installed:
        assert installed is outer
        assert list(get_settings().issuers) == ["https://outer.test"]
        assert get_settings().issuers["https://outer.test"].leeway == 3
        with inner.installed(LEEWAY=5):
            assert [_reason(inner.token()), _reason(outer.token())] == [None, "wrong_issuer"]
            assert get_settings().issuers["https://inner.test"].leeway == 5
        assert [_reason(inner.token()), _reason(outer.token())] == ["wrong_issuer", None]
    assert list(get_settings().issuers) == ["https://b.example.com", "https://as.example.com"]


def test_an_error_inside_uninstalls_it_too(settings, rsa_issuer):
    """A failing test leaves nothing behind."""
    settings.OAUTH_JWT = VALID
    with pytest.raises(ZeroDivisionError), rsa_issuer.installed():
        1 / 0  # noqa: B018  # what a test might do
    assert django_settings.OAUTH_JWT is VALID


def test_it_works_where_the_project_has_no_settings(settings, rsa_issuer):
    """A reusable app may be tested without OAUTH_JWT."""
    del settings.OAUTH_JWT
    with rsa_issuer.installed():
        assert _reason(rsa_issuer.token()) is None


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
def test_it_signs_with_each_algorithm(alg, signing_key):
    """The JWKS is public, and the token verifies with it."""
    with TokenIssuer(key=signing_key(alg)).installed() as issuer:
        assert _reason(issuer.token()) is None
        (jwk,) = issuer.jwks()["keys"]
    assert (jwk["alg"], jwk["kid"], jwk["use"]) == (alg, "key-1", "sig")
    assert set(jwk) <= {"kid", "kty", "alg", "use", "n", "e", "crv", "x", "y"}


ONE_ENTRY = {
    "AUDIENCE": "books",
    "ALGORITHMS": ["ES384"],
    "TOKEN_TYPES": ["JWT"],
    "REQUIRED_CLAIMS": ["exp", "tenant"],
    "LEEWAY": 3,
    "USER_RESOLVER": resolver,
}


def test_what_the_one_issuer_has_for_itself_stays(settings):
    """A project that lists one issuer in ISSUERS is tested with the audience and the rules that it has there."""
    entry = {**ONE_ENTRY, "JWKS_URI": "https://b.example.com/jwks"}
    settings.OAUTH_JWT = {"ISSUERS": {"https://b.example.com": entry}, "LEEWAY": 5, "AUDIENCE": None}
    issuer = TokenIssuer()
    with issuer.installed():
        (trusted,) = get_settings().issuers.values()
        token = issuer.token(tenant="t", header={"typ": "JWT"})
        assert _reason(token) is None
        assert _reason(issuer.token(header={"typ": "JWT"})) == "missing_claim"
    assert (trusted.issuer, trusted.audience, trusted.algorithms) == (issuer.issuer, {"books"}, {"ES384"})
    assert (trusted.token_types, trusted.required_claims) == ({"jwt"}, ("exp", "tenant"))
    assert (trusted.leeway, trusted.user_resolver) == (3, resolver)
    assert (trusted.jwks_service, trusted.jwks_uri) == (issuer, None)


@pytest.mark.parametrize(
    "more", [{"ISSUERS": {"https://b.example.com": ONE_ENTRY, "https://c.example.com": ONE_ENTRY}}, VALID]
)
def test_of_several_issuers_nothing_stays(settings, signing_key, more):
    """It cannot be known whose place the installed one takes, so it has the rules that are for all."""
    settings.OAUTH_JWT = {"ISSUERS": {"https://b.example.com": ONE_ENTRY}, "LEEWAY": 5, **more}
    with TokenIssuer(key=signing_key()).installed() as issuer:
        (trusted,) = get_settings().issuers.values()
        assert _reason(issuer.token()) is None
    assert (trusted.audience, trusted.leeway, trusted.user_resolver) == (None, 5, None)


@pytest.mark.parametrize(("algorithms", "alg"), [(None, "RS256"), (["ES384"], "ES384"), ({"ES256"}, "ES256")])
def test_an_issuer_signs_as_the_project_wants(settings, algorithms, alg):
    """Without an algorithm of its own it takes one that the project accepts, as the fixture does."""
    settings.OAUTH_JWT = {**VALID, **({"ALGORITHMS": algorithms} if algorithms else {})}
    assert TokenIssuer().keys[0].alg == alg
    assert TokenIssuer(alg="ES512").keys[0].alg == "ES512"


def test_an_issuer_makes_a_key_of_its_own():
    """Of the algorithm that is asked for; the default is what most servers use."""
    assert TokenIssuer("https://a.test", alg="EdDSA").keys[0].alg == "EdDSA"
    assert TokenIssuer().keys[0].alg == "RS256"
    with pytest.raises(KeyError):
        TokenIssuer(alg="HS256")


def test_a_coordinate_that_begins_with_zero_keeps_its_length():
    """RFC 7518 section 6.2.1.2: the octet string has the curve's full size."""
    keys = (SigningKey.generate("ES512") for _ in range(1000))  # every second one begins with a zero octet
    short = next(key for key in keys if key.private_key.public_key().public_numbers().x < 1 << 520)
    jwk = short.public_jwk()
    assert len(jwk["x"]) == len(jwk["y"]) == 88


def test_the_kit_has_three_names():
    """Whatever else it is asked for does not exist."""
    assert django_oauth_jwt.testing.__all__ == ["ProofKey", "SigningKey", "TokenIssuer"]
    with pytest.raises(AttributeError, match="no attribute 'Issuer'"):
        _ = django_oauth_jwt.testing.Issuer


@pytest.mark.parametrize(("algorithms", "alg"), [(None, "RS256"), (["ES384"], "ES384")])
def test_the_plugins_issuer_signs_as_the_project_wants(settings, algorithms, alg):
    """A project that accepts one algorithm only gets tokens of that one."""
    settings.OAUTH_JWT = {**VALID, **({"ALGORITHMS": algorithms} if algorithms else {})}
    assert project_algorithm() == alg


RESOURCE = {"resource": "https://books.example.com/mcp"}


@pytest.mark.parametrize(
    ("settings_of", "aud"),
    [
        ({"RESOURCE_METADATA": RESOURCE}, RESOURCE["resource"]),
        ({"RESOURCE_METADATA": [RESOURCE, {"resource": "https://b.example.com"}]}, RESOURCE["resource"]),
        ({"RESOURCE_METADATA": RESOURCE, "AUDIENCE": ["books"]}, "books"),
        ({"RESOURCE_METADATA": None}, None),
    ],
)
def test_its_tokens_are_for_the_projects_audience(settings_of, aud):
    """Also where that is the resource of the metadata, by default."""
    issuer = TokenIssuer(alg="ES256")
    with issuer.installed(**{"AUDIENCE": None, **settings_of}):
        assert verify_token(issuer.token()).claims.get("aud") == aud
