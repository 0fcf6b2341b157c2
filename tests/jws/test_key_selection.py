"""Which key of a JWKS a token gets: exactly one, or none."""

import pytest

from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.jws import KeySet
from django_oauth_jwt.testing import SigningKey

#: The key set of the selection tests: ``kid`` (None: none), algorithm, and whether the JWK says the algorithm.
KEYS = {
    "one": [("a", "ES256", True)],
    "nameless": [(None, "ES256", True)],
    "empty name": [("", "ES256", True)],
    "two of a kind": [("a", "ES256", True), ("b", "ES256", True)],
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
        ("two of a kind", None, "ES256", "ambiguous_key"),
        ("two kinds", None, "ES256", 0),
        ("two kinds", None, "RS256", 1),
        ("two kinds", "b", "PS512", 1),
        ("two kinds", "b", "ES256", "wrong_algorithm"),
        ("named and nameless", "a", "ES256", 0),
        ("named and nameless", None, "ES256", "ambiguous_key"),
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
    """kid, alg, kty and crv together must leave exactly one key; the reason of a refusal tells which did not."""
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
