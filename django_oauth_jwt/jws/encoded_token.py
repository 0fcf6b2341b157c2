"""The text of a token, so held that no report shows it; and what kind of token it seems to be."""

import binascii
import re
from typing import Final

from ..errors import InvalidToken
from .compact import ascii_bytes

#: RFC 6750 section 2.1: what a bearer token is made of.
_TOKEN: Final = re.compile(rb"[A-Za-z0-9\-._~+/]+=*")
_SEGMENTS: Final = 3
#: What may stand before a JSON text: blanks, the byte order marks of UTF-8 and UTF-16, the zeros of UTF-16.
_BLANKS: Final = b" \t\r\n\xef\xbb\xbf\xfe\xff\0"
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]")
_TO_BASE64: Final = bytes.maketrans(b"-_", b"+/")


class EncodedToken:
    """The text of a token. Functions that call a project's code hold it as this, and not as a string.

    Where such code raises, reports show the variables of all frames: a repr must not let a reader use the token.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def octets(self, maximum: int) -> bytes:
        """Return the token if it is worth reading; raise InvalidToken for an empty one or one of more bytes."""
        if not self.text:
            raise InvalidToken("empty")
        octets = ascii_bytes(self.text)
        if len(octets) > maximum:
            raise InvalidToken("too_long")
        return octets

    def is_opaque(self, maximum: int) -> bool:
        """Tell whether this is no JWT: whether it lacks the three segments, or the JOSE header in the first one.

        What any reader could take for a JOSE header counts as one: a JWT that fails its checks must never be taken for
        an opaque token. Raises InvalidToken for what is no token at all, and for one of more bytes.
        """
        octets = self.octets(maximum)
        if not _TOKEN.fullmatch(octets):
            raise InvalidToken("malformed")
        segments = octets.split(b".")
        return len(segments) != _SEGMENTS or not _begins_an_object(segments[0])

    def seems_opaque(self, maximum: int) -> bool:
        """Do as `is_opaque` does, and return False for what is no token at all."""
        try:
            return self.is_opaque(maximum)
        except InvalidToken:
            return False


def _begins_an_object(segment: bytes) -> bool:
    digits = _NOT_BASE64.sub(b"", segment.translate(_TO_BASE64))
    whole = digits[: len(digits) // 4 * 4] or digits.ljust(4, b"A")
    return binascii.a2b_base64(whole).lstrip(_BLANKS).startswith(b"{")
