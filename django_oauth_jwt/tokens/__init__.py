"""The access token that views get, and the requirements that a view can have for it.

`access_token` is the verified token, read-only thanks to `frozen_json`. `requirements` are the scopes and claims that
a view or the settings require, `authentication_context` is how and when the user must have logged in (RFC 9470).
"""

from .access_token import AccessToken, VerifiedToken, scopes_of
from .authentication_context import parse_authentication_context
from .frozen_json import FrozenDict, freeze, thaw
from .requirements import ClaimRequirement, Requirements, claim_requirement, parse_claims, parse_scopes

__all__ = [
    "AccessToken",
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
