"""JSON Web Signatures in compact serialization, read strictly, and the keys that check them (RFC 7515, 7517, 7518).

`compact` reads a JWS (its `header`, its `base64url` segments) and checks its signature. `key_set` selects the key of a
JWKS, `public_key` parses one JWK, `thumbprint` names it, and `verifying_keys` checks with it, by `algorithms` that
the key allows and the token cannot change; `signing` signs with a key of our own. `key_files` reads keys that are no
JWKS of a server. `strict_json` reads the JSON inside. `encoded_token` holds the text of a token. Nothing here knows
HTTP, settings or claims.
"""

from .algorithms import KEY_SHAPES, SUPPORTED_ALGORITHMS
from .base64url import decode_segment
from .compact import check_algorithm, read_compact, verify_compact, verify_signature
from .encoded_token import EncodedToken
from .header import UnverifiedHeader, check_critical, header_of, media_type, read_header
from .jwks_document import loads_jwks
from .key_files import KeyFile, UnreadableFile, read_key_file, static_keys
from .key_set import KeySet, SkippedKey, key_set_from
from .public_key import PublicKey
from .signing import algorithms_of_private_key, sign, sign_compact
from .strict_json import loads_object, no_object
from .thumbprint import encode_segment, required_members, thumbprint_of
from .verifying_keys import SignatureCheck

__all__ = [
    "KEY_SHAPES",
    "SUPPORTED_ALGORITHMS",
    "EncodedToken",
    "KeyFile",
    "KeySet",
    "PublicKey",
    "SignatureCheck",
    "SkippedKey",
    "UnreadableFile",
    "UnverifiedHeader",
    "algorithms_of_private_key",
    "check_algorithm",
    "check_critical",
    "decode_segment",
    "encode_segment",
    "header_of",
    "key_set_from",
    "loads_jwks",
    "loads_object",
    "media_type",
    "no_object",
    "read_compact",
    "read_header",
    "read_key_file",
    "required_members",
    "sign",
    "sign_compact",
    "static_keys",
    "thumbprint_of",
    "verify_compact",
    "verify_signature",
]
