"""One request: its Authorization header in, the challenge and the answer out, its token in between.

`authorization` has the steps that each entry point runs: accept the token, find its user, and ask for what is required;
`authentication` verifies the token once, and `credentials` reads it from the header. `needs` is what they wait for,
`user` gives the request its user, and `state` is what is known of the request from then on. `challenge` and `responses`
make the refusal (RFC 6750 section 3); `schemes` says which schemes it offers, `operation` which scopes it has to name,
and `resource_metadata` where to get a token (RFC 9728). `foreign` tells which tokens are another scheme's, `issuer`
which trusted issuer a token names. `typed_request` is what a project's type checker needs, and `wrapped_request` knows
of the request that Django REST framework gives to views.
"""

from .authentication import accepted_token, keys_speak_for, set_token, token_or_steps
from .authorization import acceptance_steps, authenticate, authorize, refusal_steps, reject
from .challenge import ABOUT_SCOPES, is_header_text
from .foreign import next_steps, passes_foreign_token
from .issuer import trusted_issuer_of
from .operation import (
    View,
    class_of,
    find_scopes_with,
    note_scopes,
    operation_of,
    scopes_of_decorators,
    scopes_of_operation,
)
from .resource_metadata import protected_resource_metadata
from .responses import NONCE_HEADER, mark_secured, refusal_headers, refuse, status_of, undo_changes
from .state import Protection, RequestState, RequestToken, state_of
from .typed_request import BearerRequest, get_access_token
from .user import anonymous_user
from .wrapped_request import unwrapped, with_user_for

__all__ = [
    "ABOUT_SCOPES",
    "NONCE_HEADER",
    "BearerRequest",
    "Protection",
    "RequestState",
    "RequestToken",
    "View",
    "acceptance_steps",
    "accepted_token",
    "anonymous_user",
    "authenticate",
    "authorize",
    "class_of",
    "find_scopes_with",
    "get_access_token",
    "is_header_text",
    "keys_speak_for",
    "mark_secured",
    "next_steps",
    "note_scopes",
    "operation_of",
    "passes_foreign_token",
    "protected_resource_metadata",
    "refusal_headers",
    "refusal_steps",
    "refuse",
    "reject",
    "scopes_of_decorators",
    "scopes_of_operation",
    "set_token",
    "state_of",
    "status_of",
    "token_or_steps",
    "trusted_issuer_of",
    "undo_changes",
    "unwrapped",
    "with_user_for",
]
