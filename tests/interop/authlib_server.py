"""An authorization server made of Authlib and Flask, in a process of its own.

It prints its issuer identifier when it listens. What it knows of tokens and keys is Authlib's and joserfc's
own; nothing of the package under test is imported.
"""

import json
import sys
import time
from functools import partial

from authlib.common.security import generate_token
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask, jsonify, request
from joserfc import jws
from joserfc.jwk import ECKey, KeySet, RSAKey, import_key
from werkzeug.serving import make_server

from .authlib_grants import AUDIENCE, Server, User
from .authlib_introspection import METHODS

#: Authlib's own, by their paths.
ENDPOINTS = {"/register": "client_registration", "/introspect": "introspection", "/revoke": "revocation"}
MAKERS = {
    "RS256": lambda **options: RSAKey.generate_key(2048, **options),
    "ES256": lambda **options: ECKey.generate_key("P-256", **options),
}
#: How proofs may be signed. A header with an RSA key is longer than joserfc takes by itself.
PROOFS = jws.JWSRegistry(algorithms=["ES256", "ES512", "PS256", "EdDSA"])
PROOFS.max_header_length = 2048


class TokenGenerator(JWTBearerTokenGenerator):
    """Authlib's generator of RFC 9068 tokens, with the keys of this server. ``lifetime`` is in seconds."""

    def __init__(self, issuer, alg):
        super().__init__(issuer, alg, lambda **_: generate_token(48), lambda client, grant_type: self.lifetime)
        self.lifetime = 3600
        self.keys = []
        self.rotate()

    def rotate(self):
        parameters = {"kid": f"{self.alg}-{time.time_ns()}", "alg": self.alg, "use": "sig"}
        self.keys.insert(0, MAKERS[self.alg](parameters=parameters, private=True))

    def get_jwks(self):
        return KeySet(self.keys[:1])  # of a set, so that the token names its key

    def get_audiences(self, client, user, scope):
        return request.form.get("resource", AUDIENCE)

    def get_extra_claims(self, client, grant_type, user, scope):
        """Bind the token to the key of the client's proof (RFC 9449 section 6.1), of which Authlib knows nothing."""
        return {"cnf": {"jkt": key_of(request.headers["DPoP"]).thumbprint()}} if "DPoP" in request.headers else {}

    def access_token_generator(self, client, grant_type, user, scope):
        """Return an opaque token where one is asked for."""
        if request.form.get("token_format") == "opaque":
            return generate_token(48)
        return super().access_token_generator(client, grant_type, user, scope)

    def generate(self, *args, **kwargs):
        kind = {"token_type": "DPoP"} if "DPoP" in request.headers else {}
        return {**super().generate(*args, **kwargs), **kind}


def key_of(proof):
    """Return the key that a proof is signed with, as it says itself."""
    signed = jws.deserialize_compact(proof, lambda signed: import_key(signed.headers()["jwk"]), registry=PROOFS)
    claims = json.loads(signed.payload)
    assert (signed.headers()["typ"], claims["htm"], claims["htu"]) == ("dpop+jwt", "POST", request.base_url)
    return import_key(signed.headers()["jwk"])


def metadata_of(issuer):
    """Return the metadata (RFC 8414 section 2)."""
    return AuthorizationServerMetadata(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/authorize",
        token_endpoint=f"{issuer}/token",
        registration_endpoint=f"{issuer}/register",
        jwks_uri=f"{issuer}/keys",
        introspection_endpoint=f"{issuer}/introspect",
        introspection_endpoint_auth_methods_supported=METHODS,
        revocation_endpoint=f"{issuer}/revoke",
        response_types_supported=["code"],
        grant_types_supported=["authorization_code", "refresh_token", "client_credentials"],
        token_endpoint_auth_methods_supported=["none", "client_secret_basic"],
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
    )


def create_app(issuer, alg, metadata_path):
    app = Flask(__name__)
    generator = TokenGenerator(issuer, alg)
    server = Server(app, issuer, generator)
    fetches = {"jwks": 0}

    @app.get(metadata_path)
    def show_metadata():
        return jsonify(metadata_of(issuer))

    @app.get("/keys")
    def show_keys():
        fetches["jwks"] += 1
        return jsonify(KeySet(generator.keys).as_dict(private=False))

    for path, endpoint in ENDPOINTS.items():
        app.add_url_rule(path, endpoint, partial(server.create_endpoint_response, endpoint), methods=["POST"])

    @app.get("/authorize")
    def authorize():
        return server.create_authorization_response(grant=server.get_consent_grant(), grant_user=User())

    @app.post("/token")
    def issue_token():
        return server.create_token_response()

    @app.post("/rotate")
    def rotate():
        generator.rotate()
        return "", 204

    @app.post("/lifetime/<int(signed=True):seconds>")
    def set_lifetime(seconds):
        generator.lifetime = seconds
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
