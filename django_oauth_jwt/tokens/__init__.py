"""What a token says: the access token that views see, and what can be required of it.

`access_token` is the verified token, immutable through `frozen_json`. `requirements` are scopes and claims that a
view or the settings demand, `authentication_context` how and when the user has to have authenticated (RFC 9470).
"""

from .access_token import AccessToken, VerifiedToken, scopes_of
from .authentication_context import AuthenticationContext, parse_authentication_context
from .frozen_json import FrozenDict, freeze, thaw
from .requirements import ClaimRequirement, Requirements, claim_requirement, parse_claims, parse_scopes

__all__ = [
    "AccessToken",
    "AuthenticationContext",
    "ClaimRequirement",
    "FrozenDict",
    "Requirements",
    "VerifiedToken",
    "claim_requirement",
    "freeze",
    "parse_authentication_context",
    "parse_claims",
    "parse_scopes",
    "scopes_of",
    "thaw",
]
