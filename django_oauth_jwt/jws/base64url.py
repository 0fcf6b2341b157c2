"""Base64url without padding (RFC 7515 section 2), read strictly: each byte string has exactly one spelling."""

import binascii
from typing import Final

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#: Translates base64url to Python's base64; a byte that is not in the alphabet becomes "!", which Python refuses.
_TO_BASE64: Final = bytes(
    b"+/"[b"-_".index(byte)] if byte in b"-_" else byte if byte in _ALPHABET else ord("!") for byte in range(256)
)
#: By length modulo 4: the padding to add, and the last characters whose unused bits are all zero.
_ENDINGS: Final = ((b"", b""), (b"=", b""), (b"==", _ALPHABET[::16]), (b"=", _ALPHABET[::4]))


def decode_segment(segment: bytes) -> bytes:
    """Decode one segment of a JWS, for example ``b"e30"`` to ``b"{}"``.

    Raises ValueError for padding, for characters outside the alphabet and for unused bits that are not zero.
    """
    # Python's decoder refuses other characters in strict mode only, and never checks the unused bits.
    padding, last_characters = _ENDINGS[len(segment) % 4]
    if padding and segment[-1] not in last_characters:
        raise ValueError("not base64url")
    return binascii.a2b_base64(segment.translate(_TO_BASE64) + padding, strict_mode=True)
