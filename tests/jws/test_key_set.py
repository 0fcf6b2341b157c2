"""A JWKS as keys: which of them are usable, and why the others are not."""

import base64
import logging
import math

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jose.utils import base64url_encode

from django_oauth_jwt.jws import KEY_SHAPES, SUPPORTED_ALGORITHMS, KeySet
from django_oauth_jwt.jws.algorithms import algorithms_for
from django_oauth_jwt.jws.roca import has_roca_fingerprint
from django_oauth_jwt.testing import SigningKey

#: Ed25519 points for which anybody can sign: 0, 1, -1, the two of order 8; with the sign bit and beyond the field, too.
FIELD, OF_ORDER_8 = 2**255 - 19, 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER = [
    base64.urlsafe_b64encode(y.to_bytes(32, "little")).rstrip(b"=").decode()
    for y in (
        0,
        1,
        FIELD - 1,
        FIELD,
        FIELD + 1,
        2**255,
        2**255 + 1,
        OF_ORDER_8,
        FIELD - OF_ORDER_8,
        2**255 + OF_ORDER_8,
    )
]
RSA_ALGORITHMS = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}


def _weak_rsa_jwk():
    return SigningKey("weak", "RS256", rsa.generate_private_key(public_exponent=65537, key_size=1024)).public_jwk()


def _without(jwk, *names):
    return {name: value for name, value in jwk.items() if name not in names}


@pytest.mark.parametrize(
    ("kty", "crv", "algorithms"),
    [
        ("RSA", None, RSA_ALGORITHMS),
        ("EC", "P-256", {"ES256"}),
        ("EC", "P-384", {"ES384"}),
        ("EC", "P-521", {"ES512"}),
        ("OKP", "Ed25519", {"EdDSA", "Ed25519"}),
        ("RSA", "P-256", set()),
        ("EC", None, set()),
        ("EC", "secp256k1", set()),
        ("EC", "Ed25519", set()),
        ("OKP", "Ed448", set()),
        ("OKP", "X25519", set()),
        ("oct", None, set()),
        ("", None, set()),
    ],
)
def test_the_key_says_what_the_algorithm_may_be(kty, crv, algorithms):
    """Type and curve together; each algorithm has one shape of key."""
    assert algorithms_for(kty, crv) == algorithms


def test_only_asymmetric_algorithms_are_supported():
    """The list of the design, without none and HS*."""
    assert set(SUPPORTED_ALGORITHMS) == {*RSA_ALGORITHMS, "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
    assert set(KEY_SHAPES) == set(SUPPORTED_ALGORITHMS)


@pytest.mark.parametrize("jwks", [None, 5, "keys", [], [{"keys": []}], {}, {"keys": None}, {"keys": {}}, {"keys": "x"}])
def test_what_is_no_jwks_is_refused(jwks):
    """RFC 7517 section 5: an object with a list of keys."""
    with pytest.raises(ValueError, match="list 'keys'"):
        KeySet.from_jwks(jwks)


def test_an_empty_jwks_is_an_empty_key_set():
    """What an empty set means is for its user to say."""
    assert list(KeySet.from_jwks({"keys": [], "other": 1})) == []


@pytest.mark.parametrize(
    ("alg", "change", "reason"),
    [
        ("ES256", {"kty": "oct", "k": "AAAA"}, "secret or private"),
        ("ES256", {"d": "AAAA"}, "secret or private"),
        ("RS256", {"d": "AAAA"}, "secret or private"),
        ("EdDSA", {"d": None}, "secret or private"),
        *(("RS256", {name: "AAAA"}, "secret or private") for name in ("p", "q", "dp", "dq", "qi", "oth", "k")),
        ("ES256", {"use": "enc"}, "use is not sig"),
        ("ES256", {"use": ""}, "use is not sig"),
        ("ES256", {"use": 5}, "use is not a string"),
        ("ES256", {"key_ops": []}, "key_ops"),
        ("ES256", {"key_ops": ["sign"]}, "key_ops"),
        ("ES256", {"key_ops": "verify"}, "key_ops"),
        ("ES256", {"key_ops": {"verify": 1}}, "key_ops"),
        ("ES256", {"kty": None}, "type or curve"),
        ("ES256", {"kty": "ec"}, "type or curve"),
        ("ES256", {"kty": 5}, "kty is not a string"),
        ("ES256", {"kty": "RSA"}, "type or curve"),
        ("ES256", {"crv": None}, "type or curve"),
        ("ES256", {"crv": "secp256k1"}, "type or curve"),
        ("ES256", {"crv": ["P-256"]}, "crv is not a string"),
        ("EdDSA", {"crv": "Ed448"}, "type or curve"),
        ("EdDSA", {"crv": "X25519"}, "type or curve"),
        ("ES256", {"kid": 5}, "kid is not a string"),
        ("ES256", {"alg": 5}, "alg is not a string"),
        ("ES256", {"alg": "ES384"}, "alg is not"),
        ("ES256", {"alg": "HS256"}, "alg is not"),
        ("ES256", {"alg": "none"}, "alg is not"),
        ("RS256", {"alg": "RSA-OAEP"}, "alg is not"),
        ("RS256", {"alg": "ES256"}, "alg is not"),
        ("RS256", {"alg": ""}, "alg is not"),
        ("ES256", {"x": None}, "cannot be parsed"),
        ("ES256", {"x": 5}, "cannot be parsed"),
        ("ES256", {"x": "AAAA"}, "cannot be parsed"),
        ("ES256", {"x": "\u00fc"}, "cannot be parsed"),
        ("ES256", {"y": "A" * 43}, "cannot be parsed"),
        ("RS256", {"n": None}, "cannot be parsed"),
        ("RS256", {"n": 5}, "cannot be parsed"),
        ("RS256", {"n": ""}, "cannot be parsed"),
        ("RS256", {"e": None}, "cannot be parsed"),
        ("RS256", {"e": "\u00fc"}, "cannot be parsed"),
        ("RS256", {"e": "AA"}, "RSA exponent is even"),
        ("RS256", {"e": "AQAA"}, "RSA exponent is even"),
        ("PS256", {"e": "AQAA"}, "RSA exponent is even"),
        ("RS256", {"e": "A" * 4000}, "RSA exponent is even"),
        ("RS256", {"e": "AQ"}, "RSA exponent 1: anybody can sign for it"),
        ("PS256", {"e": "AAAB"}, "RSA exponent 1: anybody can sign for it"),
        ("EdDSA", {"x": "AAAA"}, "cannot be parsed"),
        ("EdDSA", {"x": "\u00fc"}, "cannot be parsed"),
        ("EdDSA", {"x": None}, "cannot be parsed"),
        *(("EdDSA", {"x": point}, "Ed25519 point of small order: anybody can sign for it") for point in SMALL_ORDER),
    ],
)
def test_an_unusable_key_is_skipped_and_told_of(signing_key, caplog, alg, change, reason):
    """One bad key spoils nothing: it is left out with a warning, and listed with its reason."""
    good = signing_key("ES384", "good").public_jwk()
    bad = {**signing_key(alg, "bad").public_jwk(), **change}
    with caplog.at_level(logging.WARNING, "django_oauth_jwt"):
        key_set = KeySet.from_jwks({"keys": [bad, good]})
    assert [key.kid for key in key_set] == ["good"]
    (skipped,) = key_set.unusable
    assert skipped.name == ("number 1" if "kid" in change else "'bad'")
    assert reason in skipped.reason
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [f"JWKS key {skipped.name} is skipped: {skipped.reason}"]


@pytest.mark.parametrize("entry", [None, 5, "x", [], True])
def test_an_entry_that_is_no_object_is_skipped_too(signing_key, entry):
    """By its position, as it has no name."""
    key_set = KeySet.from_jwks({"keys": [signing_key().public_jwk(), entry]})
    assert len(key_set) == 1
    assert key_set.unusable == ((None, 1, "not an object"),)


def test_a_weak_rsa_key_is_skipped():
    """RFC 7518 section 3.3: 2048 bits at least."""
    key_set = KeySet.from_jwks({"keys": [_weak_rsa_jwk()]})
    assert len(key_set) == 0
    assert key_set.unusable == (("weak", 0, "RSA key of 1024 bits; 2048 is the least"),)


def _b64(number):
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("modulus_bits", "exponent_bits", "reason"),
    [
        (16384, 64, None),
        (16385, 17, "RSA key of 16385 bits; 16384 is the most"),
        (100_000, 17, "RSA key of 100000 bits; 16384 is the most"),
        (2048, 65, "RSA exponent of 65 bits; 64 is the most"),
    ],
)
def test_an_rsa_key_that_would_take_long_is_skipped(modulus_bits, exponent_bits, reason):
    """OpenSSL refuses such keys at each signature; told of when the keys are read, the reason is seen."""
    modulus, exponent = 2 ** (modulus_bits - 1) + 1, 2 ** (exponent_bits - 1) + 1
    key_set = KeySet.from_jwks({"keys": [{"kid": "odd", "kty": "RSA", "n": _b64(modulus), "e": _b64(exponent)}]})
    assert key_set.unusable == ((("odd", 0, reason),) if reason else ())


def test_a_flood_of_bad_keys_does_not_fill_the_log(caplog):
    """The first ten are named, the rest are counted; all of them are listed."""
    key_set = KeySet.from_jwks({"keys": [0] * 1000})
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        *(f"JWKS key number {number} is skipped: not an object" for number in range(1, 11)),
        "JWKS keys skipped beside these: 990",
    ]
    assert len(key_set.unusable) == 1000


def test_a_key_set_cannot_be_changed(signing_key):
    """It is shared by all threads, and the tokens that are remembered rest on it."""
    key_set = KeySet.from_jwks({"keys": [signing_key().public_jwk()]})
    for name in ("keys", "unusable", "_verifiers", "anything"):
        with pytest.raises(AttributeError, match=name):
            setattr(key_set, name, ())
    with pytest.raises(AttributeError, match="keys"):
        del key_set.keys
    with pytest.raises(TypeError):
        key_set.keys[0].verifiers["RS256"] = None
    assert len(key_set) == 1


def test_a_kid_cannot_write_into_the_log(caplog):
    """It is the authorization server's text: escaped, and cut."""
    KeySet.from_jwks({"keys": [{"kid": "a\nWARNING \u00fc\x1b[31m" + "x" * 1000}]})
    (record,) = caplog.records
    assert r"'a\nWARNING \xfc\x1b[31mxxx" in record.getMessage()
    assert len(record.getMessage()) < 200


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"use": None},
        {"key_ops": ["verify"]},
        {"key_ops": ["sign", "verify"]},
        {"x5c": ["AAAA"], "x5t": "AAAA", "x5u": "https://attacker.example", "ext": True, "unknown": {}},
    ],
)
def test_a_usable_key_is_kept_with_its_algorithm(signing_key, alg, change):
    """What restricts nothing is ignored; certificates are not looked at."""
    (key,) = KeySet.from_jwks({"keys": [{**signing_key(alg).public_jwk(), **change}]})
    assert (key.kid, key.kty, set(key.verifiers)) == ("key-1", KEY_SHAPES[alg][0], {alg})


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
def test_a_key_without_alg_is_good_for_all_of_its_shape(signing_key, alg):
    """The key type and curve are then the only restriction."""
    (key,) = KeySet.from_jwks({"keys": [_without(signing_key(alg).public_jwk(), "alg")]})
    assert set(key.verifiers) == algorithms_for(*KEY_SHAPES[alg])


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
@pytest.mark.parametrize("signature", [b"", b"\0", b"\0" * 64, b"\xff" * 132, b"\xff" * 256, b"\0" * 10_000])
def test_a_bad_signature_is_false_whatever_it_looks_like(signing_key, alg, signature):
    """No length and no number makes a key raise anything but ValueError, which the caller takes for no."""
    verifier = KeySet.from_jwks({"keys": [signing_key(alg).public_jwk()]}).select("key-1", alg)
    assert verifier.verify(b"message", signature) is False


#: The modulus of a key as the faulty library makes them: a power of 65537 modulo the product of small primes.
_PRODUCT = math.prod(n for n in range(2, 702) if all(n % divisor for divisor in range(2, n)))
ROCA_MODULUS = _PRODUCT * (2**2047 // _PRODUCT + 1) + pow(65537, 12345, _PRODUCT)


def test_an_rsa_key_with_the_fingerprint_of_roca_is_unusable():
    """CVE-2017-15361: who has the public key can compute the private one."""
    assert ROCA_MODULUS.bit_length() == 2048
    numbers = {"n": base64url_encode(ROCA_MODULUS.to_bytes(256, "big")).decode(), "e": "AQAB"}
    (key,) = KeySet.from_jwks({"keys": [{"kty": "RSA", "kid": "weak", **numbers}]}).unusable
    assert (key.kid, key.reason) == ("weak", "RSA key with the fingerprint of CVE-2017-15361 (ROCA)")


def test_a_modulus_that_is_nearly_one_of_roca_is_fine():
    """One small prime is enough to tell."""
    numbers = {"n": base64url_encode((ROCA_MODULUS + 2).to_bytes(256, "big")).decode(), "e": "AQAB"}
    assert len(KeySet.from_jwks({"keys": [{"kty": "RSA", **numbers}]})) == 1


@pytest.mark.parametrize(
    ("distance", "reasons"),
    [
        (0, ["RSA key of two primes that are close to each other (CVE-2022-26320)"]),
        (2**500, ["RSA key of two primes that are close to each other (CVE-2022-26320)"]),
        (2**600, []),
    ],
    ids=["twice the same", "close", "far enough"],
)
def test_an_rsa_key_of_two_primes_that_are_close_is_unusable(distance, reasons):
    """CVE-2022-26320: who has the public key can compute the private one by Fermat's method."""
    modulus = (2**1024 - 105) * (2**1024 - 105 - distance)
    numbers = {"n": base64url_encode(modulus.to_bytes(256, "big")).decode(), "e": "AQAB"}
    assert [key.reason for key in KeySet.from_jwks({"keys": [{"kty": "RSA", **numbers}]}).unusable] == reasons


def _powers(prime):
    return {pow(65537, power, prime) for power in range(prime)}


#: The primes up to 167 that tell something: modulo the others, each number is a power of 65537.
TELLING = [
    prime
    for prime in range(3, 168)
    if all(prime % divisor for divisor in range(2, prime)) and len(_powers(prime)) < prime - 1
]


@pytest.mark.parametrize("prime", TELLING)
def test_each_small_prime_is_asked(prime):
    """A modulus that is no power of 65537 for one of them, and is for all others, is of another library."""
    step = _PRODUCT // prime
    modulus = next(
        number
        for number in (ROCA_MODULUS + times * step for times in range(1, prime))
        if number % prime not in _powers(prime)
    )
    assert has_roca_fingerprint(ROCA_MODULUS)
    assert not has_roca_fingerprint(modulus)
