"""A JWKS as it is read: strictly, but so that one bad key costs no other (RFC 7517 section 5)."""

from typing import Any, Final

from .strict_json import DUPLICATE_MEMBER, loads_marking_duplicates

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def loads_jwks(data: bytes) -> dict[str, Any]:
    """Return the JSON object in ``data``, of which a byte order mark is skipped.

    A key in which a member is given twice becomes an object that says so and cannot be used; a member that is given
    twice beside ``keys`` is a ValueError, like all else that `loads_object` refuses.
    """
    document = loads_marking_duplicates(data.removeprefix(_BYTE_ORDER_MARK))
    keys = document.get("keys")
    beside = {name: value for name, value in document.items() if name != "keys" or not isinstance(value, list)}
    duplicate = _duplicate_in(beside)
    if duplicate is not None:
        raise ValueError(f"duplicate member {duplicate}")
    return {**document, "keys": [_key(key) for key in keys]} if isinstance(keys, list) else document


def _key(jwk: Any) -> Any:
    duplicate = _duplicate_in(jwk)
    if duplicate is None:
        return jwk
    is_named = isinstance(jwk, dict) and "kid" in jwk and duplicate != "'kid'"
    kid = {"kid": jwk["kid"]} if is_named else {}
    return {**kid, DUPLICATE_MEMBER: duplicate}


def _duplicate_in(value: Any) -> str | None:
    """Return the name of a member that is given twice, at whatever depth; None where there is none."""
    if isinstance(value, dict) and DUPLICATE_MEMBER in value:
        return str(value[DUPLICATE_MEMBER])
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for found in map(_duplicate_in, inner) if found is not None), None)
