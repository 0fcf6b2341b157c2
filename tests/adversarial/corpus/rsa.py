"""Attacks on RSA's own mathematics: the block that is signed, its padding, and the numbers of the signature."""

import hashlib
from functools import partial

from cryptography.hazmat.primitives.asymmetric import padding

from ..forge import SHA256, SHA384, tokens
from .signatures import changed

#: DigestInfo of SHA-256, of SHA-1, and of SHA-256 without the NULL that RFC 8017 section 9.2 asks for.
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
SHA1_INFO = bytes.fromhex("3021300906052b0e03021a05000414")
BARE_INFO = bytes.fromhex("302f300b0609608648016503040201" + "0420")


def _block(mint, message, *, kind=1, info=SHA256_INFO, digest=hashlib.sha256, fill=b"\xff", tail=b"", size=0):
    """Return a PKCS #1 v1.5 block raised to the private exponent, by hand."""
    numbers = mint.key.private_numbers()
    content = info + digest(message).digest() + tail
    filling = fill * (size or 256 - 3 - len(content))
    block = (bytes([0, kind]) + filling + b"\0" + content).ljust(256, b"\x01")
    value = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n)
    return value.to_bytes(256, "big")


BLOCKS = {
    "RS256 with garbage after the digest (Bleichenbacher 2006)": {"size": 8},
    "RS256 with garbage in the padding's place": {"tail": b"\x01" * 16, "size": 100},
    "RS256 with eight bytes of padding and a tail of zeros": {"size": 8, "tail": b"\0" * 194},
    "RS256 with padding that begins with another byte": {"fill": b"\xfe"},
    "RS256 with SHA-1 in its block": {"info": SHA1_INFO, "digest": hashlib.sha1},
    "RS256 with SHA-512 in its block": {"digest": hashlib.sha512},
    "RS256 with no NULL in its DigestInfo": {"info": BARE_INFO},
    "RS256 with no DigestInfo": {"info": b""},
    "RS256 with encryption's padding": {"kind": 2, "fill": b"\x5a"},
    "RS256 with padding of zeros": {"fill": b"\0"},
    "RS256 with block type 0": {"kind": 0},
}


def right_block(mint):
    """Return the token whose block is right: it shows that the other blocks are wrong for one reason only."""
    return mint.signed(sign=partial(_block, mint))


def _pss(mint, salt, digest=None, mask=None):
    digest = digest or SHA256()
    form = padding.PSS(padding.MGF1(mask or digest), salt)
    return mint.signed(sign=lambda message: mint.key.sign(message, form, digest))


def _modulus(mint):
    return mint.key.public_key().public_numbers().n


def _plus_modulus(mint, raw):
    """Return another number that is the same modulo n; one byte longer where it must be."""
    value = int.from_bytes(raw, "big") + _modulus(mint)
    return value.to_bytes(256 if value < 2**2048 else 257, "big")


def _negated(mint, raw):
    return (_modulus(mint) - int.from_bytes(raw, "big")).to_bytes(256, "big")


RSA = {name: lambda m, o=options: m.signed(sign=partial(_block, m, **o)) for name, options in BLOCKS.items()} | {
    "RSA signature plus the modulus": changed(_plus_modulus),
    "RSA signature negated": changed(_negated),
    "RSA signature zero": changed(lambda m, raw: bytes(256)),
    "RSA signature one": changed(lambda m, raw: bytes(255) + b"\1"),
    "RSA signature the modulus": changed(lambda m, raw: _modulus(m).to_bytes(256, "big")),
    "RSA signature one less than the modulus": changed(lambda m, raw: (_modulus(m) - 1).to_bytes(256, "big")),
    "RSA signature with a zero byte before it": changed(lambda m, raw: b"\0" + raw),
    "RSA signature of no bytes": changed(lambda m, raw: b""),
    "RSA signature cut by a byte": changed(lambda m, raw: raw[:-1]),
    "RSA signature of ten thousand bytes": changed(lambda m, raw: raw * 40),
}
PSS = {
    "PS256 with no salt": lambda m: _pss(m, 0),
    "PS256 with a short salt": lambda m: _pss(m, 20),
    "PS256 with the longest salt": lambda m: _pss(m, padding.PSS.MAX_LENGTH),
    "PS256 with another mask's hash": lambda m: _pss(m, 32, mask=SHA384()),
    "PS256 with another hash": lambda m: _pss(m, 32, SHA384()),
}

CASES = [*tokens("bad_signature", RSA, "RS256"), *tokens("bad_signature", PSS, "PS256")]
