"""Attacks on the signature's own mathematics and encoding, each on a header and claims that are right."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ..forge import (
    HASHES,
    SHA384,
    SHA512,
    Mint,
    b64,
    dumps,
    ecdsa,
    mints,
    private_key,
    rs_of,
    tokens,
    unb64,
)

#: The orders of the curves' groups (SEC 2) and of Ed25519's (RFC 8032 section 5.1).
ORDERS = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES384": int("f" * 48 + "c7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16),
    "ES512": int("1" + "f" * 64 + "fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", 16),
    "EdDSA": 2**252 + 27742317777372353535851937790883648493,
}


def changed(change):
    """Return a forgery that changes the signature's bytes in the good token."""

    def forge(mint):
        header, payload, signature = mint.parts
        return f"{header}.{payload}.{b64(change(mint, unb64(signature)))}"

    return forge


def _pair(change):
    """Return a forgery that changes the two numbers of an ECDSA signature in the good token."""

    def of_bytes(mint, raw):
        size = len(raw) // 2
        r, s = int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big")
        return b"".join(value.to_bytes(size, "big") for value in change(r, s, ORDERS[mint.alg]))

    return changed(of_bytes)


PAIRS = {
    "r and s zero (psychic signature)": lambda r, s, n: (0, 0),
    "r zero": lambda r, s, n: (0, s),
    "s zero": lambda r, s, n: (r, 0),
    "r and s the order": lambda r, s, n: (n, n),
    "r the order, s one": lambda r, s, n: (n, 1),
    "r and s one": lambda r, s, n: (1, 1),
    "r and s swapped": lambda r, s, n: (s, r),
    "r negated": lambda r, s, n: (n - r, s),
    "s off by one": lambda r, s, n: (r, s - 1),
}
PAIR_CASES = [
    case
    for alg in ("ES256", "ES384", "ES512")
    for case in tokens("bad_signature", {f"{alg} with {name}": _pair(change) for name, change in PAIRS.items()}, alg)
] + tokens(
    "bad_signature",
    {
        # P-521 alone leaves room for more than the order: the same signature, spelled in another way.
        "ES512 with s plus the order": _pair(lambda r, s, n: (r, s + n)),
        "ES512 with r plus the order": _pair(lambda r, s, n: (r + n, s)),
    },
    "ES512",
)


def _der(mint):
    def sign(message):
        return encode_dss_signature(*rs_of(mint.key, HASHES[mint.alg[2:]], message))

    return mint.signed(sign=sign)


SPELLINGS = {
    "signature in DER": _der,
    "signature cut by a byte": changed(lambda m, raw: raw[:-1]),
    "signature without its first byte": changed(lambda m, raw: raw[1:]),
    "signature with a zero byte before it": changed(lambda m, raw: b"\0" + raw),
    "signature with a zero byte after it": changed(lambda m, raw: raw + b"\0"),
    "signature with a zero byte before each number": changed(
        lambda m, raw: b"\0" + raw[: len(raw) // 2] + b"\0" + raw[len(raw) // 2 :]
    ),
    "signature with a recovery id": changed(lambda m, raw: raw + b"\1"),
    "signature twice": changed(lambda m, raw: raw * 2),
    "signature in hexadecimal": changed(lambda m, raw: raw.hex().encode()),
    "signature in base64url twice": changed(lambda m, raw: b64(raw).encode()),
    "signature backwards": changed(lambda m, raw: raw[::-1]),
    "signature of zero bytes": changed(lambda m, raw: bytes(len(raw))),
    "signature of ones": changed(lambda m, raw: b"\xff" * len(raw)),
    "one bit of the signature changed": changed(lambda m, raw: bytes([raw[0] ^ 1]) + raw[1:]),
    "signature that is the public key": lambda m: ".".join([*m.parts[:2], m.jwk["x"]]),
    "signature by another hash": lambda m: m.signed(sign=lambda message: ecdsa(m.key, SHA512(), message)),
    "signature by SHA-384": lambda m: m.signed(sign=lambda message: ecdsa(m.key, SHA384(), message)),
    "signature of the payload alone": lambda m: m.signed(sign=lambda message: m.sign(message.split(b".")[1])),
    "signature of the decoded segments": lambda m: m.signed(
        sign=lambda message: m.sign(b".".join(unb64(part.decode()) for part in message.split(b".")))
    ),
    "signature of a detached payload": lambda m: m.signed(sign=lambda message: m.sign(message.split(b".")[0] + b".")),
    "signature of an empty message": lambda m: m.signed(sign=lambda message: m.sign(b"")),
    "signature of another token": lambda m: ".".join([*m.parts[:2], m.signed(claims={"sub": "x"}).split(".")[2]]),
    "payload of another token": lambda m: ".".join([m.parts[0], b64(dumps(m.claims | {"sub": "x"})), m.parts[2]]),
    "header of another token": lambda m: ".".join([b64(dumps(m.header | {"typ": "JWT"})), *m.parts[1:]]),
    "another key under the same kid": lambda m: Mint(m.alg, private_key(m.alg, "attacker")).token,
    "another curve's key under the same kid": lambda m: Mint("ES384", private_key("ES384")).signed(m.header),
    "an Ed25519 signature under the same kid": lambda m: mints("EdDSA").signed(m.header),
    "an RSA signature under the same kid": lambda m: mints("RS256").signed(m.header),
}
ED25519 = {
    "Ed25519 with S plus the order": changed(lambda m, raw: raw[:32] + _little(_number(raw) + ORDERS["EdDSA"])),
    "Ed25519 with S zero": changed(lambda m, raw: raw[:32] + bytes(32)),
    "Ed25519 with the identity and S zero": changed(lambda m, raw: _little(1) + bytes(32)),
    "Ed25519 with R's sign changed": changed(lambda m, raw: raw[:31] + bytes([raw[31] ^ 0x80]) + raw[32:]),
    "Ed25519 with R and S swapped": changed(lambda m, raw: raw[32:] + raw[:32]),
    "Ed25519 over the message's hash": lambda m: m.signed(
        sign=lambda message: m.sign(hashlib.sha512(message).digest())
    ),
}


def _little(value):
    return value.to_bytes(32, "little")


def _number(raw):
    return int.from_bytes(raw[32:], "little")


CASES = [
    *PAIR_CASES,
    *tokens("bad_signature", SPELLINGS),
    *tokens("bad_signature", ED25519, "EdDSA"),
]
