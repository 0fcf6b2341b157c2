"""The Authorization header: the encoded token that a request brings (RFC 6750 section 2.1)."""

from ..errors import InvalidToken, MissingToken


def parse_authorization(header: str | None) -> str:
    """Return the encoded token of an Authorization header.

    Raises MissingToken where there is none (no header, another scheme, ``Bearer`` alone, more than two
    parts) and InvalidToken where it is empty. The scheme matches without regard to case (RFC 9110
    section 11.1).
    """
    if not header:
        raise MissingToken("no_authorization")
    scheme, space, rest = header.partition(" ")
    if scheme.lower() != "bearer":
        raise MissingToken("other_scheme")
    if not space:
        raise MissingToken("malformed_authorization")
    encoded_token = rest.strip(" ")
    if not encoded_token:
        raise InvalidToken("empty")
    if " " in encoded_token:
        raise MissingToken("malformed_authorization")
    return encoded_token
