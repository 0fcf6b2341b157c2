"""The Authorization header: the encoded token that a request brings, and its scheme (RFC 6750 2.1, RFC 9449 7.1)."""

from typing import Final

from django.http import HttpRequest

from ..errors import InvalidToken, MissingToken
from ..jws import EncodedToken
from ..proofs import BEARER, DPOP

_SCHEMES: Final = (BEARER, DPOP)


def parse_authorization(header: str | None) -> tuple[str, str]:
    """Return the scheme, `BEARER` or `DPOP`, and the encoded token of an Authorization header.

    Raises MissingToken where there is none (no header, another scheme, the scheme alone, more than two parts) and
    InvalidToken where it is empty. The scheme matches without regard to case (RFC 9110 section 11.1).
    """
    if not header:
        raise MissingToken("no_authorization")
    scheme, space, rest = header.partition(" ")
    scheme = scheme.lower()
    if scheme not in _SCHEMES:
        raise MissingToken("other_scheme")
    if not space:
        raise MissingToken("malformed_authorization")
    encoded_token = rest.strip(" ")
    if not encoded_token:
        raise InvalidToken("empty")
    if " " in encoded_token:
        raise MissingToken("malformed_authorization")
    return scheme, encoded_token


def credentials_of(request: HttpRequest) -> tuple[str, EncodedToken]:
    """Return the scheme and the token of a request; raise as `parse_authorization` does."""
    scheme, encoded_token = parse_authorization(request.META.get("HTTP_AUTHORIZATION"))
    return scheme, EncodedToken(encoded_token)


def is_of_ours(header: str | None) -> bool:
    """Tell whether a header is of one of our schemes, with or without a token."""
    return (header or "").partition(" ")[0].lower() in _SCHEMES


def scheme_of(header: str | None) -> str:
    """Return the scheme of a header, `DPOP` or, whatever else it is, `BEARER`."""
    return DPOP if (header or "").partition(" ")[0].lower() == DPOP else BEARER
