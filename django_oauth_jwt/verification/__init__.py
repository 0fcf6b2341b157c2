"""Token in, `AccessToken` out: signature, issuer, and the rules for claims (RFC 9068 section 4).

`rules` is the list of what every token must satisfy. `verifier` takes a token apart (`reading`) and goes through the
list until the token breaks a rule; for the keys it asks by `needs`. Of opaque tokens it has what their issuers say
(`introspected`), and holds each `introspection_response` to the rules. `token_cache` remembers what was verified, and
`times` is what is checked again at each use. `revocation` asks at each use whether the token was revoked, which the
project says; `denylist` is what it may leave that to.
"""

from .denylist import Denylist
from .introspected import OF_ANOTHER, add_confirmation
from .introspection_response import judge, token_of_answer
from .reading import UnverifiedToken, issuer_of, read_token, resolution_steps
from .revocation import Revocation
from .rules import FOR_INTROSPECTION, NO_KEYS, RULES, Rule
from .verifier import averify_token, remembered_or_steps, verify_token

__all__ = [
    "FOR_INTROSPECTION",
    "NO_KEYS",
    "OF_ANOTHER",
    "RULES",
    "Denylist",
    "Revocation",
    "Rule",
    "UnverifiedToken",
    "add_confirmation",
    "averify_token",
    "issuer_of",
    "judge",
    "read_token",
    "remembered_or_steps",
    "resolution_steps",
    "token_of_answer",
    "verify_token",
]
