"""What the benchmarks verify: tokens as an authorization server issues them, and its JWKS on loopback."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, islice

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from jose.utils import base64url_decode

from django_oauth_jwt.testing import SigningKey

ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA")
AUDIENCE = "api"

#: Verified in turn, so that no one has a single token's luck.
TOKENS = 16


class JwksServer:
    """An authorization server as far as its JWKS endpoints go."""

    def __init__(self):
        documents = self._documents = {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = documents[self.path]
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def publish(self, path, jwks):
        self._documents[path] = json.dumps(jwks).encode()
        return self.url + path

    @contextmanager
    def serving(self) -> Iterator["JwksServer"]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class Issuer:
    """An issuer with its JWKS, its tokens and the settings that trust it.

    All of the ``key_count`` keys are the same but for their ``kid``: making RSA keys takes long, and what
    matters is how many there are to parse and to choose from. The last one signs.
    """

    def __init__(self, server, alg="RS256", *, name=None, key=None, key_count=1):
        self.alg = alg
        self.url = f"{server.url}/{name or alg}"
        key = key or SigningKey.generate(alg)
        self.key = SigningKey(f"key-{key_count}", alg, key.private_key)
        self.jwks = {"keys": [{**self.key.public_jwk(), "kid": f"key-{n + 1}"} for n in range(key_count)]}
        self.jwks_uri = server.publish(f"/{name or alg}/jwks", self.jwks)

    def settings(self, **more):
        """Return OAUTH_JWT with the same checks that the peers are told to make."""
        return {
            "JWKS_URI": self.jwks_uri,
            "ISSUER": self.url,
            "AUDIENCE": AUDIENCE,
            "ALGORITHMS": [self.alg],
            **more,
        }

    def tokens(self, count=TOKENS, **more):
        return [self.token(**more) for _ in range(count)]

    def token(self, *, size=None, **more):
        """Return a token as RFC 9068 has it; ``size`` is about how many characters it has."""
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "exp": now + 7200}
        if size is None or size > 800:
            claims |= {
                "sub": "5ba552d67",
                "client_id": "s6BhdRkqt3",
                "iat": now,
                "jti": str(uuid.uuid4()),
                "scope": "openid profile read write",
            }
        claims |= more
        if size is not None and "jti" in claims:
            # What makes tokens big in the wild: groups, roles, permissions.
            claims["groups"] = []
            while len(self._signed(claims, sign=False)) + 342 < size:
                claims["groups"].append(f"group-{len(claims['groups']):04}-of-people")
        return self._signed(claims)

    def _signed(self, claims, *, sign=True):
        key = self.key if sign else _UNSIGNED
        header = {"alg": self.alg, "kid": self.key.kid, **({"typ": "at+jwt"} if "jti" in claims else {})}
        return key.encode(header, json.dumps(claims, separators=(",", ":")).encode())

    def bare_check(self, token):
        """Return the floor: `cryptography`'s own check of the token's signature, and nothing else.

        All is decoded beforehand, an ECDSA signature from JOSE's form to DER's too.
        """
        signing_input, _, segment = token.encode().rpartition(b".")
        signature = base64url_decode(segment)
        verify = self.key.private_key.public_key().verify
        if self.alg.startswith("ES"):
            half = len(signature) // 2
            der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
            return verify, (der, signing_input, ec.ECDSA(hashes.SHA256()))
        if self.alg.startswith("RS"):
            return verify, (signature, signing_input, padding.PKCS1v15(), hashes.SHA256())
        if self.alg.startswith("PS"):
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256().digest_size)
            return verify, (signature, signing_input, pss, hashes.SHA256())
        return verify, (signature, signing_input)


def each(function, arguments):
    """Return what calls a function with these arguments in turn, as often as it is told."""

    turns = cycle(arguments)

    def repeat(times):
        for argument in islice(turns, times):
            function(argument)

    return repeat


def floor(issuer, tokens):
    """Return what does the bare signature checks of these tokens in turn, as often as it is told."""
    turns = cycle([issuer.bare_check(token) for token in tokens])

    def repeat(times):
        for verify, arguments in islice(turns, times):
            verify(*arguments)

    return repeat


class _Unsigned(SigningKey):
    def sign(self, message):
        return b""


_UNSIGNED = _Unsigned("", "RS256", None)
