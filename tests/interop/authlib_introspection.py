"""Opaque tokens of the authorization server made of Authlib: who may ask about them, what it says, how they end."""

import time
from dataclasses import dataclass, field

from authlib.oauth2.rfc6749 import TokenMixin
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

#: How an API may say who it is.
METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]


@dataclass
class OpaqueToken(TokenMixin):
    """A token that says nothing by itself, with what there is to say of it."""

    claims: dict
    has_ended: bool = False

    def check_client(self, client):
        return self.claims["client_id"] == client.client_id

    def is_expired(self):
        return self.claims["exp"] <= time.time()

    def is_revoked(self):
        return self.has_ended


class Introspection(IntrospectionEndpoint):
    """RFC 7662. Every client may ask about every token."""

    CLIENT_AUTH_METHODS = METHODS

    def check_permission(self, token, client, request):
        return True

    def query_token(self, token_string, token_type_hint):
        return self.server.database.opaque_tokens.get(token_string)

    def introspect_token(self, token):
        return {"iss": self.server.issuer, **token.claims}


class Revocation(RevocationEndpoint):
    """RFC 7009. A client may end its own tokens."""

    def query_token(self, token_string, token_type_hint):
        return self.server.database.opaque_tokens.get(token_string)

    def revoke_token(self, token, request):
        token.has_ended = True


@dataclass
class KeyAuthentication(JWTBearerClientAssertion):
    """RFC 7523: a client signs who it is with a key that it has registered; each assertion is good once."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    issuer: str
    used: set = field(default_factory=set)

    def __post_init__(self):
        super().__init__()

    def get_audiences(self):
        return [self.issuer]

    def resolve_client_public_key(self, client):
        return client.metadata["jwks"]  # of a client that signs

    def validate_jti(self, claims, jti):
        is_new = jti not in self.used
        self.used.add(jti)
        return is_new
