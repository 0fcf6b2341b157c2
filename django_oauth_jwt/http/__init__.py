"""One request: its Authorization header in, the challenge and the answer out, its token in between.

`authorization` reads the header, `request_token` verifies its token once, `authentication` finds the user and asks for
what is required. `challenge` and `responses` make the refusal (RFC 6750 section 3), `resource_metadata` tells clients
where to get a token (RFC 9728).
"""

from .authentication import aauthenticate, accepted_token, authenticate, reject
from .challenge import is_header_text
from .request_token import RequestToken, averify_request, verify_request
from .resource_metadata import protected_resource_metadata
from .responses import mark_secured, refusal_headers, refuse, status_of

__all__ = [
    "RequestToken",
    "aauthenticate",
    "accepted_token",
    "authenticate",
    "averify_request",
    "is_header_text",
    "mark_secured",
    "protected_resource_metadata",
    "refusal_headers",
    "refuse",
    "reject",
    "status_of",
    "verify_request",
]
