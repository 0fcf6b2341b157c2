"""The thumbprint of a key: the RFCs' examples, and one for each key however its JWK is written."""

import pytest
from joserfc.jwk import import_key

from django_oauth_jwt.jws import SUPPORTED_ALGORITHMS, PublicKey, encode_segment, required_members, thumbprint_of

#: RFC 7638 section 3.1.
RSA_JWK = {
    "kty": "RSA",
    "n": (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn6"
        "4tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n9"
        "1CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    ),
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
EXAMPLES = {
    "RFC 7638 section 3.1": (RSA_JWK, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
    "RFC 8037 appendix A.3": (
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    ),
    "RFC 9449 section 6.1": (
        {
            "kty": "EC",
            "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
            "crv": "P-256",
        },
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
    ),
}


@pytest.mark.parametrize(("jwk", "thumbprint"), EXAMPLES.values(), ids=EXAMPLES)
def test_the_rfcs_example_has_its_thumbprint(jwk, thumbprint):
    """Whatever stands beside the key, and in whichever order."""
    assert thumbprint_of(PublicKey.from_jwk(jwk)) == thumbprint
    assert thumbprint_of(PublicKey.from_jwk({"kid": "x", **dict(reversed(jwk.items())), "use": "sig"})) == thumbprint


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
def test_another_library_has_the_same_thumbprint(signing_key, alg):
    """Of each kind of key."""
    jwk = signing_key(alg, "rsa" if alg[:2] in ("RS", "PS") else "key-1").public_jwk()
    assert thumbprint_of(PublicKey.from_jwk(jwk)) == import_key(jwk).thumbprint()


@pytest.mark.parametrize("alg", ["RS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_the_required_members_are_spelled_as_the_key_makes_them(signing_key, alg):
    """Those of a JWK that is right are its own; zeros in front are left out for RSA, and put back for a curve."""
    jwk = signing_key(alg, "rsa" if alg == "RS256" else "key-1").public_jwk()
    members = required_members(PublicKey.from_jwk(jwk))
    assert members == {name: value for name, value in jwk.items() if name in ("kty", "crv", "x", "y", "n", "e")}
    assert list(members) == sorted(members)


def test_a_longer_spelling_is_the_same_key():
    """An RSA modulus with a zero in front: the thumbprint is that of the key."""
    key = PublicKey.from_jwk({**RSA_JWK, "e": "AAEAAQ"})
    assert required_members(key)["e"] == "AQAB"
    assert thumbprint_of(key) == EXAMPLES["RFC 7638 section 3.1"][1]


@pytest.mark.parametrize(("data", "segment"), [(b"", ""), (b"{}", "e30"), (b"\xff\xfe\xfd", "__79"), (b"a", "YQ")])
def test_a_segment_has_no_padding(data, segment):
    """RFC 7515 section 2."""
    assert encode_segment(data) == segment
