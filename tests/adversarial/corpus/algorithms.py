"""Attacks by way of ``alg``: the public key as a secret, no signature, another algorithm than the key's."""

import hashlib
import hmac
import json

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ..forge import Mint, b64, dumps, mints, private_key, public_jwk, signature, tokens


def _public_bytes(mint, encoding=Encoding.PEM, form=PublicFormat.SubjectPublicKeyInfo):
    return mint.key.public_key().public_bytes(encoding, form)


#: What an attacker knows and a careless verifier would take for the HMAC secret.
SECRETS = {
    "PEM": _public_bytes,
    "PEM without its last newline": lambda m: _public_bytes(m).rstrip(),
    "PEM with DOS line ends": lambda m: _public_bytes(m).replace(b"\n", b"\r\n"),
    "DER": lambda m: _public_bytes(m, Encoding.DER),
    "JWK": lambda m: json.dumps(m.jwk).encode(),
    "JWK in compact JSON": lambda m: json.dumps(m.jwk, separators=(",", ":"), sort_keys=True).encode(),
    "kid": lambda m: m.kid.encode(),
    "issuer": lambda m: m.issuer.encode(),
    "nothing": lambda m: b"",
    "one NUL": lambda m: b"\0",
}


def _hmac(mint, secret, bits=256, **header):
    def sign(message):
        return hmac.digest(secret, message, f"sha{bits}")

    return mint.signed({"alg": f"HS{bits}", **header}, sign=sign)


def _public_pkcs1(mint, encoding=Encoding.PEM):
    return _public_bytes(mint, encoding, PublicFormat.PKCS1)


HMAC = tokens(
    "wrong_algorithm",
    {f"HS256 with the {name} as secret": lambda m, s=secret: _hmac(m, s(m)) for name, secret in SECRETS.items()}
    | {f"HS{bits} with the PEM as secret": lambda m, b=bits: _hmac(m, _public_bytes(m), b) for bits in (384, 512)}
    | {
        "HS256 with the PKCS1 PEM as secret": lambda m: _hmac(m, _public_pkcs1(m)),
        "HS256 with the PKCS1 DER as secret": lambda m: _hmac(m, _public_pkcs1(m, Encoding.DER)),
        "HS256 with the modulus as secret": lambda m: _hmac(m, m.jwk["n"].encode()),
        "HS256 with the PEM as secret and no kid": lambda m: _hmac(m, _public_bytes(m), kid=...),
        "HS256 in a genuine RSA signature": lambda m: m.signed({"alg": "HS256"}),
    },
    "RS256",
) + tokens(
    "bad_signature",
    {"HMAC with the PEM as secret, called RS256": lambda m: _hmac(m, _public_bytes(m), alg="RS256")},
    "RS256",
)
HMAC += tokens("wrong_algorithm", {"HS256 with the EC PEM as secret": lambda m: _hmac(m, _public_bytes(m))}, "ES256")
HMAC += tokens(
    "wrong_algorithm", {"HS256 with the Ed25519 x as secret": lambda m: _hmac(m, m.jwk["x"].encode())}, "EdDSA"
)


def _unsigned(mint, alg, **header):
    return mint.signed({"alg": alg, **header}, sign=lambda message: b"")


NONES = ["none", "None", "NONE", "nOnE", "nonE", " none", "none ", "none\0", "none\n", "n\u043ene", "null", "", "no"]
NONE = tokens(
    "wrong_algorithm",
    {f"alg {alg!a} without a signature": lambda m, a=alg: _unsigned(m, a) for alg in NONES}
    | {
        "alg none spelled with escapes": lambda m: m.literal("alg", r'"\u006eo\u006ee"', header=True),
        "alg none with the genuine signature": lambda m: m.signed({"alg": "none"}),
        "alg none without a kid": lambda m: _unsigned(m, "none", kid=...),
        "alg none with the signature of the good token": lambda m: (
            f"{b64(dumps(m.header | {'alg': 'none'}))}.{m.parts[1]}.{m.parts[2]}"
        ),
    },
) + tokens("bad_signature", {"the right alg without a signature": lambda m: _unsigned(m, m.alg)})

#: Each is signed as the good token is: only the name is wrong.
NAMES = (
    *(
        "rs256",
        "es256",
        "ES256 ",
        " ES256",
        "ES256\0",
        "ES256\n",
        "ES-256",
        "ES256K",
        "\u0415S256",
        "ES255",
        "*",
        "ES*",
    ),
    *("SHA256withECDSA", "1.2.840.10045.4.3.2", "HS256", "RS1", "RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "dir", "A256KW"),
    *("A128GCMKW", "ECDH-ES", "PBES2-HS256+A128KW", "Ed448", "EDDSA", "ed25519", "ML-DSA-65", "__proto__", "toString"),
)
FOREIGN = tokens(
    "wrong_algorithm", {f"alg {alg!a} in a genuine signature": lambda m, a=alg: m.signed({"alg": a}) for alg in NAMES}
)

NOT_STRINGS = ("null", "true", "5", "256.0", "[]", '["ES256"]', '{"alg": "ES256"}', "{}")
MALFORMED = tokens(
    "malformed",
    {f"alg is {text}": lambda m, t=text: m.literal("alg", t, header=True) for text in NOT_STRINGS}
    | {
        "no alg": lambda m: m.signed({"alg": ...}),
        "Alg instead of alg": lambda m: m.signed({"alg": ..., "Alg": m.alg, "ALG": m.alg}),
        "alg in the claims only": lambda m: m.signed({"alg": ...}, {"alg": m.alg}),
    },
)


def _swapped(mint, alg, kid):
    """Sign by the mint's private key in an algorithm that its JWK does not announce."""
    return Mint(alg, mint.key, kid).token


SWAPPED = tokens(
    "wrong_algorithm",
    {
        f"{alg} by a key that is for RS256 alone": lambda m, a=alg: _swapped(m, a, "RS256")
        for alg in ("RS384", "RS512", "PS256", "PS384", "PS512")
    }
    | {
        "ES256 by an EC key under the kid of an RSA key": lambda m: _swapped(mints("ES256"), "ES256", "RS256"),
        "Ed25519 by a key that is for EdDSA alone": lambda m: _swapped(mints("EdDSA"), "Ed25519", "EdDSA"),
    },
    "RS256",
)


def _called(mint, alg, signed_as, kid):
    """Return a token that says one algorithm and is signed in another."""
    return mint.signed({"alg": alg, "kid": kid}, sign=lambda message: signature(signed_as, mint.key, message))


SWAPPED += tokens(
    "bad_signature",
    {
        f"{signed_as} called {alg}": lambda m, a=alg, s=signed_as: _called(m, a, s, a)
        for alg, signed_as in [("RS256", "PS256"), ("PS256", "RS256"), ("RS384", "RS256"), ("PS512", "PS256")]
    },
    "RS256",
)
SWAPPED += tokens(
    "bad_signature",
    {
        f"{signed_as} by a key without alg, called {alg}": lambda m, a=alg, s=signed_as: _called(m, a, s, "any")
        for alg, signed_as in [("RS256", "PS256"), ("PS256", "RS256"), ("RS512", "RS256"), ("PS384", "PS256")]
    },
    "RS256",
)


#: A key of the authorization server that does not say for which algorithm of its kind it is.
def unspecific_jwk():
    return {**public_jwk(private_key("rsa2048")), "kid": "any", "use": "sig"}


def _digest_instead(mint):
    """Sign the hash of the message, as a signer that hashes twice does."""
    return mint.signed(sign=lambda message: mint.sign(hashlib.sha256(message).digest()))


SWAPPED += tokens("bad_signature", {"the message hashed twice": _digest_instead})

CASES = [*HMAC, *NONE, *FOREIGN, *MALFORMED, *SWAPPED]
