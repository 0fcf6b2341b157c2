"""Keys in the JWKS of kinds that must not be used, or that are there twice. Each token holds by such a key."""

import hashlib
import hmac
from functools import cache
from itertools import count

from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from ..forge import Case, b64, ecdsa, private_key, public_jwk
from .keys import KID, ec_key, ed_key
from .signatures import ORDERS

SECRET = b"a secret that the authorization server published" * 2


def _signed_by(name, header, jwk, sign, reason="unknown_kid"):
    """Return the case of a key for which no mint can be made: ``sign`` signs, ``jwk`` makes its JWK."""
    return Case(
        f"key: {name}",
        reason,
        lambda mint: f"Bearer {mint.signed({'kid': KID, **header}, sign=sign)}",
        jwks=lambda mint: [{"kid": KID, **jwk()}],
    )


@cache
def _key(kind):
    return ed448.Ed448PrivateKey.generate() if kind == "Ed448" else ec.generate_private_key(ec.SECP256K1())


def _ec(alg, kind="ES256", **changes):
    key = _key(kind) if kind == "ES256K" else private_key(kind, "trap")
    return {name: value for name, value in {**public_jwk(key), "alg": alg, **changes}.items() if value is not ...}


def _oct(**more):
    return {"kty": "oct", "k": b64(SECRET), **more}


def _hmac(message):
    return hmac.digest(SECRET, message, "sha256")


def _k1(message):
    return ecdsa(_key("ES256K"), SHA256(), message)


def _on(kind, digest):
    return lambda message: ecdsa(private_key(kind, "trap"), digest, message)


def _ed448(crv):
    return {"kty": "OKP", "crv": crv, "x": b64(_key("Ed448").public_key().public_bytes_raw())}


KINDS = [
    _signed_by("oct for HS256", {"alg": "HS256"}, lambda: _oct(alg="HS256"), _hmac, "wrong_algorithm"),
    _signed_by("oct that says ES256", {"alg": "ES256"}, lambda: _oct(alg="ES256", use="sig"), _hmac),
    _signed_by("oct that says RS256", {"alg": "RS256"}, lambda: _oct(alg="RS256", use="sig"), _hmac),
    _signed_by("oct without alg", {"alg": "RS256"}, _oct, _hmac),
    _signed_by("RSA that is a secret", {"alg": "RS256"}, lambda: _oct(kty="RSA"), _hmac),
    _signed_by("P-256 that says ES512", {"alg": "ES512"}, lambda: _ec("ES512"), _on("ES256", SHA512())),
    _signed_by("P-256 that says ES384", {"alg": "ES384"}, lambda: _ec("ES384"), _on("ES256", SHA384())),
    _signed_by("P-521 that says ES256", {"alg": "ES256"}, lambda: _ec("ES256", "ES512"), _on("ES512", SHA256())),
    _signed_by("P-384 that says ES512", {"alg": "ES512"}, lambda: _ec("ES512", "ES384"), _on("ES384", SHA512())),
    *(
        _signed_by(
            f"{kind}'s curve without alg, asked for {alg}", {"alg": alg}, jwk, _on(kind, digest), "wrong_algorithm"
        )
        for alg, kind, digest, jwk in [
            ("ES512", "ES256", SHA512(), lambda: _ec(..., "ES256")),
            ("ES384", "ES256", SHA384(), lambda: _ec(..., "ES256")),
            ("ES256", "ES384", SHA256(), lambda: _ec(..., "ES384")),
            ("ES256", "ES512", SHA256(), lambda: _ec(..., "ES512")),
        ]
    ),
    _signed_by("secp256k1", {"alg": "ES256K"}, lambda: _ec("ES256K", "ES256K"), _k1, "wrong_algorithm"),
    _signed_by("secp256k1 that says ES256", {"alg": "ES256"}, lambda: _ec("ES256", "ES256K"), _k1),
    _signed_by("secp256k1 called P-256", {"alg": "ES256"}, lambda: _ec("ES256", "ES256K", crv="P-256"), _k1),
    _signed_by("secp256k1 without alg", {"alg": "ES256"}, lambda: _ec(..., "ES256K"), _k1),
    _signed_by("Ed448", {"alg": "EdDSA"}, lambda: _ed448("Ed448"), lambda message: _key("Ed448").sign(message)),
    _signed_by("Ed448 called Ed25519", {"alg": "EdDSA"}, lambda: _ed448("Ed25519"), lambda m: _key("Ed448").sign(m)),
    _signed_by(
        "Ed448 by its own name", {"alg": "Ed448"}, lambda: _ed448("Ed448"), _key("Ed448").sign, "wrong_algorithm"
    ),
]

#: The y of the points of small order on Ed25519's curve, also spelled beyond the field. Of such a key there are
#: signatures that need no private key: for every message, or for one in eight.
FIELD = 2**255 - 19
EIGHTH = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
SMALL = {
    "order 1": 1,
    "order 2": FIELD - 1,
    "order 4": 0,
    "order 8": EIGHTH,
    "order 8, the other": FIELD - EIGHTH,
    "order 1, beyond the field": FIELD + 1,
    "order 4, beyond the field": FIELD,
}
IDENTITY = (1).to_bytes(32, "little")


def _point(y, sign_bit):
    return (y | sign_bit << 255).to_bytes(32, "little")


def _keyless(mint, point):
    """Sign without a private key: try messages until eight divides what the public key is multiplied by."""
    for attempt in count():
        token = mint.signed({"alg": "EdDSA", "kid": KID}, {"jti": attempt}, sign=lambda message: IDENTITY + bytes(32))
        message = token.rpartition(".")[0].encode()
        challenge = hashlib.sha512(IDENTITY + point + message).digest()
        if int.from_bytes(challenge, "little") % ORDERS["EdDSA"] % 8 == 0:
            return token
    raise AssertionError


def _small_order(name, point):
    return Case(
        f"key: Ed25519 of {name}",
        "unknown_kid",
        lambda mint: f"Bearer {_keyless(mint, point)}",
        jwks=lambda mint: [{"kty": "OKP", "crv": "Ed25519", "kid": KID, "x": b64(point)}],
    )


SMALL_ORDER = [_small_order(name, _point(y, 0)) for name, y in SMALL.items()]
SMALL_ORDER += [_small_order(f"{name}, negated", _point(y, 1)) for name, y in SMALL.items()]


def _twice(name, keys, header=None, signer=ec_key, reason="ambiguous_key"):
    """Return the case of several keys that fit one token, which one key signed that may be among them."""

    def authorization(mint):
        sign = _on("ES256", SHA256()) if signer is ec_key else signer().sign
        return f"Bearer {mint.signed({'kid': KID} | (header or {}), sign=sign)}"

    return Case(f"key: {name}", reason, authorization, jwks=lambda mint: keys())


def named(kind="ES256", owner="trap", **more):
    """Return the JWK of one more key under the same kid."""
    return {**public_jwk(private_key(kind, owner)), "kid": KID, **more}


def _three_others():
    return [named(kid=None, owner=f"owner-{number}") for number in range(3)]


TWICE = [
    _twice("twice the same kid, the first one right", lambda: [named(), named(owner="second")]),
    _twice("twice the same kid, the last one right", lambda: [named(owner="second"), named()]),
    _twice("twice the same kid, one with alg", lambda: [named(alg="ES256"), named(owner="second")]),
    _twice("three times the same kid", lambda: [named(), named(owner="second"), named(owner="third")]),
    _twice("no kid and five that fit", lambda: [named(kid=None, owner=f"owner-{n}") for n in range(4)], {"kid": ...}),
    _twice("null for a kid", lambda: [named()], {"kid": None}, reason="malformed"),
    _twice("no kid, by none of two that fit", lambda: [named(owner="second")], {"kid": ...}, reason="bad_signature"),
    _twice("no kid, by none of four that fit", _three_others, {"kid": ...}, reason="bad_signature"),
    _twice("another certificate than the key's", lambda: [named(x5t="a")], {"x5t": "b"}, reason="unknown_kid"),
    _twice(
        "another certificate, by its better thumbprint",
        lambda: [named(**{"x5t": "a", "x5t#S256": "c"})],
        {"x5t": "a", "x5t#S256": "b"},
        reason="unknown_kid",
    ),
    _twice(
        "twice the same kid of Ed25519",
        lambda: [named("ed"), named("ed", "second")],
        {"alg": "EdDSA"},
        ed_key,
    ),
]

CASES = [*KINDS, *SMALL_ORDER, *TWICE]
