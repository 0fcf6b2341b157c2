"""Signatures: JWS in compact serialization, read strictly, and the keys that check it (RFC 7515, 7517, 7518).

`compact` reads a JWS and checks its signature, `key_set` chooses the key, `verifying_keys` checks with it, by
`algorithms` that the key allows and the token cannot change. `strict_json` reads what is inside. Nothing here knows
HTTP, settings or claims.
"""

from .algorithms import KEY_SHAPES, SUPPORTED_ALGORITHMS
from .compact import (
    UnverifiedHeader,
    ascii_bytes,
    check_algorithm,
    check_critical,
    decode_segment,
    header_of,
    media_type,
    read_compact,
    verify_compact,
    verify_signature,
)
from .key_set import KeySet, PublicKey, SkippedKey
from .strict_json import loads_object
from .verifying_keys import HASHES

__all__ = [
    "HASHES",
    "KEY_SHAPES",
    "SUPPORTED_ALGORITHMS",
    "KeySet",
    "PublicKey",
    "SkippedKey",
    "UnverifiedHeader",
    "ascii_bytes",
    "check_algorithm",
    "check_critical",
    "decode_segment",
    "header_of",
    "loads_object",
    "media_type",
    "read_compact",
    "verify_compact",
    "verify_signature",
]
