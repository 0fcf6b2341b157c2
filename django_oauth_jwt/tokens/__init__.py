"""The access token that views get, and the requirements that a view can have for it.

`access_token` is the verified token, read-only thanks to `frozen_json`. `requirements` are the scopes and claims that
a view or the settings require, `lists` what they may be given in, `alternatives` the ways to meet those that compose.
`scope_hierarchy` tells which scopes stand for others, `permissions` which permissions of Django a token grants.
`authentication_context` is how and when the user must have logged in (RFC 9470). `mistakes` tells what to do instead
where one of ours was given a request.
"""

from .access_token import AccessToken, VerifiedToken, scopes_of
from .alternatives import Alternative, all_of, best_of, is_uncertain, scopes_to_ask_for, short_of_scopes
from .authentication_context import parse_authentication_context
from .frozen_json import FrozenDict, freeze, thaw
from .lists import in_lists
from .mistakes import IF_NINJA, INSTEAD, refuse_request, takes_no_request
from .permissions import NO_PERMISSIONS, TokenPermissions
from .requirements import (
    ClaimRequirement,
    Requirements,
    claim_requirement,
    parse_claims,
    parse_requirements,
    parse_scopes,
)
from .scope_hierarchy import FLAT, ScopeHierarchy

__all__ = [
    "FLAT",
    "IF_NINJA",
    "INSTEAD",
    "NO_PERMISSIONS",
    "AccessToken",
    "Alternative",
    "ClaimRequirement",
    "FrozenDict",
    "Requirements",
    "ScopeHierarchy",
    "TokenPermissions",
    "VerifiedToken",
    "all_of",
    "best_of",
    "claim_requirement",
    "freeze",
    "in_lists",
    "is_uncertain",
    "parse_authentication_context",
    "parse_claims",
    "parse_requirements",
    "parse_scopes",
    "refuse_request",
    "scopes_of",
    "scopes_to_ask_for",
    "short_of_scopes",
    "takes_no_request",
    "thaw",
]
