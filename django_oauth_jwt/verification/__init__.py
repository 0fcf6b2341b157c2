"""Token in, `AccessToken` out: signature, issuer, and the rules for claims (RFC 9068 section 4).

`verifier` reads a token and asks each rule until one refuses it, `token_cache` remembers what was verified.
"""

from .claims import TIMES, check_audience, check_names, check_presence, check_times, check_type
from .verifier import averify, averify_token, encoded_bytes, verify, verify_token

__all__ = [
    "TIMES",
    "averify",
    "averify_token",
    "check_audience",
    "check_names",
    "check_presence",
    "check_times",
    "check_type",
    "encoded_bytes",
    "verify",
    "verify_token",
]
