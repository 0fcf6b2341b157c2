"""What the authorization server grants, and to whom: Authlib's server, with dicts for a database."""

import time
from dataclasses import dataclass, field

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc7591 import ClientRegistrationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter

from .authlib_introspection import Introspection, KeyAuthentication, OpaqueToken, Revocation

#: Whom a token is for that was asked for without a `resource` (RFC 8707).
AUDIENCE = "https://api.example.com"


@dataclass
class Client(ClientMixin):
    """A client with the metadata that it registered (RFC 7591 section 2). It may do all that it registered for."""

    client_id: str
    client_secret: str
    metadata: dict

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return self.metadata["redirect_uris"][0]

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri in self.metadata["redirect_uris"]

    def check_client_secret(self, client_secret):
        return client_secret == self.client_secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.metadata["token_endpoint_auth_method"]

    def check_response_type(self, response_type):
        return response_type in self.metadata["response_types"]

    def check_grant_type(self, grant_type):
        return grant_type in self.metadata["grant_types"]


#: The one that needs no registration: it speaks for itself.
BATCH_JOB = Client(
    "batch-job",
    "batch-secret",
    {"token_endpoint_auth_method": "client_secret_basic", "grant_types": ["client_credentials"]},
)


class User:
    """The one who owns the resources, and approves of everything."""

    def get_user_id(self):
        return "anna"


@dataclass
class Code(AuthorizationCodeMixin):
    """An authorization code, with what it was given for."""

    client_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope


@dataclass
class RefreshToken(TokenMixin):
    """A refresh token, with what it is good for."""

    client_id: str
    scope: str

    def check_client(self, client):
        return self.client_id == client.client_id

    def get_scope(self):
        return self.scope


@dataclass
class Database:
    """All that the server remembers."""

    clients: dict = field(default_factory=lambda: {BATCH_JOB.client_id: BATCH_JOB})
    codes: dict = field(default_factory=dict)
    refresh_tokens: dict = field(default_factory=dict)
    opaque_tokens: dict = field(default_factory=dict)

    def save_token(self, token, request):
        if "." not in token["access_token"]:
            client_id, now = request.client.client_id, int(time.time())
            claims = {"sub": client_id, "client_id": client_id, "scope": token["scope"], "aud": AUDIENCE}
            claims |= {"iat": now, "exp": now + token["expires_in"]}
            self.opaque_tokens[token["access_token"]] = OpaqueToken(claims)
        if "refresh_token" in token:
            self.refresh_tokens[token["refresh_token"]] = RefreshToken(request.client.client_id, token["scope"])


class S256(CodeChallenge):
    """PKCE as OAuth 2.1 has it: the challenge is a hash."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):
    """For clients on a user's machine, which have no secret."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def save_authorization_code(self, code, request):
        data = request.payload.data
        pkce = data["code_challenge"], data["code_challenge_method"]
        kept = Code(request.client.client_id, request.payload.redirect_uri, request.scope, *pkce)
        self.server.database.codes[code] = kept

    def query_authorization_code(self, code, client):
        found = self.server.database.codes.get(code)
        return found if found is not None and found.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code):
        remove(self.server.database.codes, authorization_code)

    def authenticate_user(self, authorization_code):
        return User()


class RefreshTokenGrant(grants.RefreshTokenGrant):
    """Each refresh token is good for one use, as OAuth 2.1 wants it of clients without a secret."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        return self.server.database.refresh_tokens.get(refresh_token)

    def authenticate_user(self, refresh_token):
        return User()

    def revoke_old_credential(self, refresh_token):
        remove(self.server.database.refresh_tokens, refresh_token)


class Registration(ClientRegistrationEndpoint):
    """Open to anybody; a client that authenticates itself by a secret gets one."""

    def authenticate_token(self, request):
        return "none is needed"

    def generate_client_secret(self, request):
        needs_one = request.payload.data["token_endpoint_auth_method"].startswith("client_secret")
        return super().generate_client_secret(request) if needs_one else ""

    def get_server_metadata(self):
        return {}

    def save_client(self, client_info, client_metadata, request):
        client = Client(client_info["client_id"], client_info["client_secret"], client_metadata)
        self.server.database.clients[client.client_id] = client
        return client


@dataclass
class Issuer(IssuerParameter):
    """RFC 9207: the redirect says which server it comes from."""

    issuer: str

    def get_issuer(self):
        return self.issuer


def remove(table, value):
    """Remove the entry that has this value."""
    (key,) = [key for key, kept in table.items() if kept is value]
    del table[key]


class Server(AuthorizationServer):
    """Authlib's server with all that a Model Context Protocol client needs of it, and a grant for machines.

    APIs may ask about opaque tokens.
    """

    def __init__(self, app, issuer, generator):
        self.database = Database()
        self.issuer = issuer
        super().__init__(app, self.database.clients.get, self.database.save_token)
        self.register_grant(grants.ClientCredentialsGrant)
        self.register_grant(AuthorizationCodeGrant, [S256(required=True)])
        self.register_grant(RefreshTokenGrant)
        self.register_endpoint(Registration)
        self.register_endpoint(Introspection)
        self.register_endpoint(Revocation)
        self.register_client_auth_method(KeyAuthentication.CLIENT_AUTH_METHOD, KeyAuthentication(issuer))
        self.register_extension(Issuer(issuer))
        self.register_token_generator("default", generator)
