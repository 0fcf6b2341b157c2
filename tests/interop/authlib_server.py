"""An authorization server made of Authlib and Flask, in a process of its own.

It prints its issuer identifier when it listens. What it knows of tokens and keys is Authlib's and joserfc's
own; nothing of the package under test is imported.
"""

import sys
import time

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask, jsonify
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.serving import make_server

AUDIENCE = "https://api.example.com"
MAKERS = {
    "RS256": lambda **options: RSAKey.generate_key(2048, **options),
    "ES256": lambda **options: ECKey.generate_key("P-256", **options),
}


class Client(ClientMixin):
    """The one confidential client, which may do all."""

    def get_client_id(self):
        return "batch-job"

    def get_allowed_scope(self, scope):
        return scope

    def check_client_secret(self, client_secret):
        return client_secret == "batch-secret"

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_basic"

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"


class TokenGenerator(JWTBearerTokenGenerator):
    """Authlib's generator of RFC 9068 tokens, with the keys of this server."""

    def __init__(self, issuer, alg):
        super().__init__(issuer, alg)
        self.keys = []
        self.rotate()

    def rotate(self):
        parameters = {"kid": f"{self.alg}-{time.time_ns()}", "alg": self.alg, "use": "sig"}
        self.keys.insert(0, MAKERS[self.alg](parameters=parameters, private=True))

    def get_jwks(self):
        return KeySet(self.keys[:1])  # of a set, so that the token names its key

    def get_audiences(self, client, user, scope):
        return AUDIENCE


def create_app(issuer, alg, metadata_path):
    app = Flask(__name__)
    server = AuthorizationServer(app, lambda client_id: Client(), lambda token, request: None)
    server.register_grant(grants.ClientCredentialsGrant)
    generator = TokenGenerator(issuer, alg)
    server.register_token_generator("default", generator)
    metadata = AuthorizationServerMetadata(
        issuer=issuer, token_endpoint=f"{issuer}/token", jwks_uri=f"{issuer}/keys", response_types_supported=["code"]
    )
    fetches = {"jwks": 0}

    @app.get(metadata_path)
    def show_metadata():
        return jsonify(metadata)

    @app.get("/keys")
    def show_keys():
        fetches["jwks"] += 1
        return jsonify(KeySet(generator.keys).as_dict(private=False))

    @app.post("/token")
    def issue_token():
        return server.create_token_response()

    @app.post("/rotate")
    def rotate():
        generator.rotate()
        return "", 204

    @app.get("/fetches")
    def show_fetches():
        return jsonify(fetches)

    return app


if __name__ == "__main__":
    alg, metadata_path = sys.argv[1:]
    http_server = make_server("127.0.0.1", 0, Flask(__name__), threaded=True)
    issuer = f"http://127.0.0.1:{http_server.port}"
    http_server.app = create_app(issuer, alg, metadata_path)
    print(issuer, flush=True)  # noqa: T201  # the test waits for it
    http_server.serve_forever()
