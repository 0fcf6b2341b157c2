"""The DRF throttle that counts the requests of a token's subject, whichever user the project makes of it."""

import hashlib
import json
from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from .authentication import token_seen

__all__ = ["TokenRateThrottle"]


class TokenRateThrottle(SimpleRateThrottle):
    """Limit the rate by issuer and subject, else by issuer and client; without a token by IP address.

    The rate is that of ``token`` in DEFAULT_THROTTLE_RATES, or of another ``scope`` in a subclass:

    >>> REST_FRAMEWORK = {
    ...     "DEFAULT_THROTTLE_CLASSES": ["django_oauth_jwt.throttling.TokenRateThrottle"],
    ...     "DEFAULT_THROTTLE_RATES": {"token": "100/min"},
    ... }
    """

    scope = "token"

    def get_cache_key(self, request: Request, view: Any) -> str:
        """Return the key of the counter. It is a hash, since not every cache takes all characters of a subject."""
        token = token_seen(request)
        ident: list[str | None]
        if token is None:
            ident = ["address", self.get_ident(request)]
        elif token.subject:
            ident = ["subject", token.issuer, token.subject]
        else:
            # Of a token that names nobody at all, each counts by itself.
            ident = ["client", token.issuer, token.client_id or hashlib.sha256(token.encoded.encode()).hexdigest()]
        digest = hashlib.sha256(json.dumps(ident).encode()).hexdigest()
        return str(self.cache_format % {"scope": self.scope, "ident": digest})
