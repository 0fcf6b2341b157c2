"""Token in, `AccessToken` out: signature, issuer, and the rules for claims (RFC 9068 section 4).

`rules` is the list of what every token must satisfy. `verifier` takes a token apart (`reading`) and goes through the
list until the token breaks a rule; for the keys it asks by `needs`. `token_cache` remembers what was verified, and
`times` is what is checked again at each use. `revocation` asks at each use whether the token was revoked, which the
project says; `denylist` is what it may leave that to.
"""

from .denylist import Denylist
from .reading import EncodedToken, UnverifiedToken, issuer_of, read_token
from .revocation import Revocation
from .rules import NO_KEYS, RULES, Rule
from .verifier import averify_token, remembered_or_steps, verify_token

__all__ = [
    "NO_KEYS",
    "RULES",
    "Denylist",
    "EncodedToken",
    "Revocation",
    "Rule",
    "UnverifiedToken",
    "averify_token",
    "issuer_of",
    "read_token",
    "remembered_or_steps",
    "verify_token",
]
