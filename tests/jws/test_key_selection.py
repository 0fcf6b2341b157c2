"""Which key of a JWKS a token gets: the one that its header names, else those that may be meant."""

import pytest

from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.jws import KeySet, verify_compact
from django_oauth_jwt.testing import SigningKey

#: The key set of the selection tests: ``kid`` (None: none), algorithm, and whether the JWK says the algorithm.
KEYS = {
    "one": [("a", "ES256", True)],
    "nameless": [(None, "ES256", True)],
    "empty name": [("", "ES256", True)],
    "two of a kind": [("a", "ES256", True), ("b", "ES256", True)],
    "four of a kind": [(kid, "ES256", True) for kid in "abcd"],
    "five of a kind": [(kid, "ES256", True) for kid in "abcde"],
    "two kinds": [("a", "ES256", True), ("b", "RS256", False)],
    "named and nameless": [("a", "ES256", True), (None, "ES256", True)],
    "two kinds of one name": [("a", "ES256", True), ("a", "RS256", True)],
    "twice the same name": [("a", "ES256", True), ("a", "ES256", True), ("b", "ES256", True)],
    "none": [],
}


@pytest.mark.parametrize(
    ("keys", "kid", "alg", "chosen"),
    [
        ("one", "a", "ES256", 0),
        ("one", None, "ES256", 0),
        ("one", "b", "ES256", "unknown_kid"),
        ("one", "A", "ES256", "unknown_kid"),
        ("one", "", "ES256", "unknown_kid"),
        ("one", "a", "ES384", "wrong_algorithm"),
        ("one", "a", "HS256", "wrong_algorithm"),
        ("one", "a", "none", "wrong_algorithm"),
        ("one", None, "RS256", "unknown_kid"),
        ("nameless", None, "ES256", 0),
        ("nameless", "a", "ES256", "unknown_kid"),
        ("empty name", "", "ES256", 0),
        ("empty name", None, "ES256", 0),
        ("two of a kind", "a", "ES256", 0),
        ("two of a kind", "b", "ES256", 1),
        ("two of a kind", None, "ES256", 0),
        ("two of a kind", None, "ES256", 1),
        ("four of a kind", None, "ES256", 3),
        ("five of a kind", None, "ES256", "ambiguous_key"),
        ("five of a kind", "e", "ES256", 4),
        ("two kinds", None, "ES256", 0),
        ("two kinds", None, "RS256", 1),
        ("two kinds", "b", "PS512", 1),
        ("two kinds", "b", "ES256", "wrong_algorithm"),
        ("named and nameless", "a", "ES256", 0),
        ("named and nameless", None, "ES256", 0),
        ("named and nameless", None, "ES256", 1),
        ("two kinds of one name", "a", "ES256", 0),
        ("two kinds of one name", "a", "RS256", 1),
        ("two kinds of one name", "a", "PS256", "wrong_algorithm"),
        ("twice the same name", "a", "ES256", "ambiguous_key"),
        ("twice the same name", "b", "ES256", 2),
        ("none", "a", "ES256", "unknown_kid"),
        ("none", None, "ES256", "unknown_kid"),
    ],
)
def test_a_token_gets_the_one_key_that_fits(signing_key, keys, kid, alg, chosen):
    """kid, alg, kty and crv leave one key, or up to four without a kid; else the reason tells which did not."""
    signers = [signing_key(alg_, f"signer-{number}") for number, (_, alg_, _) in enumerate(KEYS[keys])]
    jwks = [
        {**signer.public_jwk(), "kid": kid_, **({} if says_alg else {"alg": None})}
        for signer, (kid_, _, says_alg) in zip(signers, KEYS[keys], strict=True)
    ]
    key_set = KeySet.from_jwks({"keys": jwks})
    if isinstance(chosen, str):
        with pytest.raises(InvalidToken) as caught:
            key_set.select(kid, alg)
        assert caught.value.reason == chosen
    else:
        signer = SigningKey(signers[chosen].kid, alg, signers[chosen].private_key)
        assert key_set.select(kid, alg).verify(b"message", signer.sign(b"message"))


@pytest.mark.parametrize(
    ("keys", "kid", "alg", "known"),
    [
        ("one", "a", "ES256", True),
        ("one", "a", "RS256", True),
        ("one", "b", "ES256", False),
        ("one", None, "ES256", True),
        ("one", None, "RS256", False),
        ("two of a kind", None, "ES256", True),
        ("none", "a", "ES256", False),
    ],
)
def test_a_known_key_needs_no_fetch(signing_key, keys, kid, alg, known):
    """A kid that is in the set is known whatever the algorithm: newer keys would not change the answer."""
    jwks = [{**signing_key(alg_, f"key-{kid_}").public_jwk(), "kid": kid_} for kid_, alg_, _ in KEYS[keys]]
    assert KeySet.from_jwks({"keys": jwks}).knows(kid, alg) is known


CERTIFICATES = {
    "each its own": [{"x5t": "one"}, {"x5t": "two"}],
    "each its own, of the better kind": [{"x5t#S256": "one"}, {"x5t#S256": "two"}],
    "one of them": [{"x5t": "one"}, {}],
    "none": [{}, {}],
    "null": [{"x5t": None}, {"x5t": None}],
    "both kinds, which differ": [{"x5t": "one", "x5t#S256": "a"}, {"x5t": "one", "x5t#S256": "b"}],
    "one for both": [{"x5t": "one"}, {"x5t": "one"}],
}


@pytest.mark.parametrize(
    ("certificates", "header", "chosen"),
    [
        ("each its own", {"x5t": "one"}, {0}),
        ("each its own", {"x5t": "two"}, {1}),
        ("each its own", {"x5t": "three"}, "unknown_kid"),
        ("each its own", {"x5t": "ONE"}, "unknown_kid"),
        ("each its own", {"x5t#S256": "one"}, {0, 1}),
        ("each its own", {}, {0, 1}),
        ("each its own, of the better kind", {"x5t#S256": "two"}, {1}),
        ("one of them", {"x5t": "one"}, {0}),
        ("one of them", {"x5t": "two"}, {1}),
        ("none", {"x5t": "one"}, {0, 1}),
        ("null", {"x5t": "one"}, {0, 1}),
        ("both kinds, which differ", {"x5t": "one", "x5t#S256": "b"}, {1}),
        ("both kinds, which differ", {"x5t": "one"}, "ambiguous_key"),
        ("one for both", {"x5t": "one"}, "ambiguous_key"),
        ("each its own", {"x5t": "two", "kid": "key-0"}, "unknown_kid"),
        ("each its own", {"x5t": "one", "kid": "key-0"}, {0}),
        ("none", {"x5t": "one", "kid": "key-1"}, {1}),
    ],
)
def test_a_certificate_names_its_key(signing_key, certificates, header, chosen):
    """By x5t#S256 and x5t, where token and JWK have them; a key with another certificate is none that was meant."""
    signers = [signing_key("ES256", f"signer-{number}") for number in range(2)]
    key_set = KeySet.from_jwks(
        {
            "keys": [
                {**signer.public_jwk(), "kid": f"key-{number}", **CERTIFICATES[certificates][number]}
                for number, signer in enumerate(signers)
            ]
        }
    )
    thumbprints = {name: value for name, value in header.items() if name != "kid"}
    if isinstance(chosen, str):
        with pytest.raises(InvalidToken) as caught:
            key_set.select(header.get("kid"), "ES256", thumbprints)
        assert caught.value.reason == chosen
        return
    check = key_set.select(header.get("kid"), "ES256", thumbprints)
    assert {n for n, signer in enumerate(signers) if check.verify(b"m", signer.sign(b"m"))} == chosen


@pytest.mark.parametrize("kids", [("a", "a"), ("a", "b"), ("a", None), (None, None)])
def test_the_same_key_listed_more_than_once_is_one_key(signing_key, kids):
    """However often and under whatever name; a token of any of the names, or of none, gets it."""
    signer = signing_key("ES256", "signer")
    jwk = signer.public_jwk()
    key_set = KeySet.from_jwks({"keys": [{**jwk, "kid": kid} for kid in kids] * 3})
    for kid in {*kids, None}:
        assert key_set.select(kid, "ES256").verify(b"message", signer.sign(b"message"))


@pytest.mark.parametrize("kids", [("a", "a"), ("a", "b"), (None, None)])
@pytest.mark.parametrize("name", ["x5t", "x5t#S256"])
def test_one_key_may_have_several_certificates(signing_key, kids, name):
    """A renewed one beside the old one: each names the key, in whatever order they are listed; another one does not."""
    signer, other = signing_key("ES256", "signer"), signing_key("ES256", "other")
    jwks = [{**signer.public_jwk(), "kid": kid, name: value} for kid, value in zip(kids, ("old", "new"), strict=True)]
    key_set = KeySet.from_jwks({"keys": [*jwks, {**other.public_jwk(), name: "other"}]})
    for kid in {*kids, None}:
        for certificate in ("old", "new"):
            check = key_set.select(kid, "ES256", {name: certificate})
            assert check.verify(b"message", signer.sign(b"message"))
            assert not check.verify(b"message", other.sign(b"message"))
        with pytest.raises(InvalidToken) as caught:
            key_set.select(kid, "ES256", {name: "unheard-of"})
        assert caught.value.reason == "unknown_kid"


@pytest.mark.parametrize("order", [1, -1])
def test_a_place_without_a_certificate_does_not_contradict(signing_key, order):
    """A key that is listed with a certificate and without one is good for a token with another one, as without."""
    signer = signing_key("ES256", "signer")
    jwks = [signer.public_jwk(), {**signer.public_jwk(), "x5t": "one"}][::order]
    check = KeySet.from_jwks({"keys": jwks}).select("signer", "ES256", {"x5t": "two"})
    assert check.verify(b"message", signer.sign(b"message"))


@pytest.mark.parametrize("header", [{}, {"x5t": "one"}], ids=["no hint", "a certificate"])
def test_a_token_is_accepted_by_the_key_that_it_names_without_a_kid(signing_key, header):
    """Through the whole of the JWS check."""
    signers = [signing_key("ES256", f"signer-{number}") for number in range(2)]
    jwks = {"keys": [{**s.public_jwk(), "x5t": x5t} for s, x5t in zip(signers, ("two", "one"), strict=True)]}
    encoded = signers[1].encode({"alg": "ES256", **header}, b"payload")
    assert verify_compact(encoded, KeySet.from_jwks(jwks), ["ES256"]) == ({"alg": "ES256", **header}, b"payload")
