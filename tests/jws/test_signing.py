"""Signatures that this side makes: each algorithm's is one that verification takes."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from django_oauth_jwt.jws import (
    SUPPORTED_ALGORITHMS,
    KeySet,
    algorithms_of_private_key,
    sign,
    sign_compact,
    verify_compact,
)


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
def test_a_signature_verifies(signing_key, alg):
    """Of each algorithm, with the key that fits; and the key says that it does."""
    key = signing_key(alg)
    assert alg in algorithms_of_private_key(key.private_key)
    header = {"alg": alg, "kid": key.kid}
    encoded = sign_compact(header, b'{"a": 1}', lambda message: sign(message, key.private_key, alg))
    found, payload = verify_compact(encoded, KeySet.from_jwks({"keys": [key.public_jwk()]}), [alg])
    assert (found, json.loads(payload)) == (header, {"a": 1})


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256K1()), None, "key", object()]
)
def test_a_key_of_no_use_signs_with_nothing(key):
    """Too short, of a curve that is not ours, or no key."""
    assert algorithms_of_private_key(key) == ()
