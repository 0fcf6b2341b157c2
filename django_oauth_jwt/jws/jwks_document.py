"""A JWKS as it is read: strictly, but so that one bad key costs no other (RFC 7517 section 5)."""

from codecs import BOM_UTF8
from typing import Any

from .strict_json import FAULT, Fault, loads_marking_faults, refuse_lone_surrogates


def loads_jwks(data: bytes) -> dict[str, Any]:
    """Return the JSON object in ``data``, of which a byte order mark is skipped.

    A key with a member given twice, a constant or number that is refused, or a lone surrogate becomes an object that
    says so and cannot be used; beside ``keys`` these are a ValueError, like all else that `loads_object` refuses.
    """
    document = loads_marking_faults(data.removeprefix(BOM_UTF8))
    keys = document.get("keys")
    fault = _fault_in(
        {name: value for name, value in document.items() if name != "keys" or not isinstance(value, list)}
    )
    if fault is not None:
        raise ValueError(fault)
    return {**document, "keys": [_key(key) for key in keys]} if isinstance(keys, list) else document


def _key(jwk: Any) -> Any:
    fault = _fault_in(jwk)
    if fault is None:
        return jwk
    is_named = isinstance(jwk, dict) and "kid" in jwk and fault != "duplicate member 'kid'"
    kid = {"kid": jwk["kid"]} if is_named and _fault_in(jwk["kid"]) is None else {}
    return {**kid, FAULT: fault}


def _fault_in(value: Any) -> str | None:
    """Return what is wrong with a value, at whatever depth; None where nothing is."""
    marked = _marked_in(value)
    if marked is not None:
        return str(marked)
    try:
        refuse_lone_surrogates(value)
    except UnicodeEncodeError:
        return "lone surrogate"
    return None


def _marked_in(value: Any) -> Fault | None:
    if isinstance(value, Fault):
        return value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for found in map(_marked_in, inner) if found is not None), None)
