"""The WWW-Authenticate header: what a refused client is told (RFC 6750 section 3)."""

from collections.abc import Iterable, Mapping
from typing import Final

from ..errors import (
    BearerError,
    InsufficientAuthentication,
    InsufficientScope,
    InvalidToken,
    KeysUnavailable,
    MissingToken,
)
from .schemes import BEARER_ALONE, OfferedSchemes

#: The refusals whose challenge names the scopes of the operation: the client has to get another token.
ABOUT_SCOPES: Final = (MissingToken, InvalidToken, InsufficientScope)


def challenge(
    error: BearerError,
    schemes: OfferedSchemes = BEARER_ALONE,
    *,
    realm: str = "",
    scopes: Iterable[str] = (),
    resource_metadata: str = "",
) -> str | None:
    """Return the WWW-Authenticate header of a refusal, one line; None where the answer has none.

    ``scopes`` are those that the operation requires, as far as they are known. ``resource_metadata`` is the URL of
    RFC 9728 section 5.1.
    """
    if isinstance(error, KeysUnavailable):
        return None
    params = {"realm": realm, **_reason_params(error, scopes), "resource_metadata": resource_metadata}
    bearer = _with_params("Bearer", {} if schemes.about_dpop else params)
    if not schemes.dpop_algs:
        return bearer
    dpop = _with_params("DPoP", {"algs": schemes.dpop_algs, **(params if schemes.about_dpop else {})})
    return f"{dpop}, {bearer}" if schemes.dpop_first else f"{bearer}, {dpop}"


def _with_params(scheme: str, params: Mapping[str, str]) -> str:
    quoted = ", ".join(f"{name}={_quoted_string(value)}" for name, value in params.items() if value)
    return f"{scheme} {quoted}" if quoted else scheme


def is_header_text(value: str) -> bool:
    """Tell whether the value can stand in a quoted-string: printable ASCII (RFC 9110 section 5.6.4)."""
    return value.isascii() and value.isprintable()


def _reason_params(error: BearerError, scopes: Iterable[str]) -> dict[str, str]:
    params: dict[str, str] = {}
    if error.error is not None:
        params |= {"error": error.error, "error_description": error.description}
    if isinstance(error, ABOUT_SCOPES):
        own = error.scope.split() if isinstance(error, InsufficientScope) else []
        params["scope"] = " ".join(dict.fromkeys((*scopes, *own)))
    if isinstance(error, InsufficientAuthentication):
        params |= {"acr_values": error.acr_values, "max_age": error.max_age}
    return {name: _allowed(value) for name, value in params.items()}


def _allowed(value: str) -> str:
    """Return a value in one line, with a question mark for what RFC 6750 section 3 does not allow in it.

    A project's own words, which may be translated lazily, can have anything in them; the body shows them as they are.
    """
    line = " ".join(str(value).split()).replace('"', "'")
    return "".join(char if char != "\\" and is_header_text(char) else "?" for char in line)


def _quoted_string(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
