"""A small authorization server on loopback, to try a resource server with.

``python -m testproject.authorization_server`` starts it. It knows no clients and asks for no secrets: whoever
asks for a token gets it. An API that asks about a token has to say who it is.
"""

import argparse
import hmac
import json
import logging
import os
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from django_oauth_jwt.errors import InvalidProof
from django_oauth_jwt.jws import SUPPORTED_ALGORITHMS
from django_oauth_jwt.testing import TokenIssuer

from .loopback import LoggingHandler, LoopbackServer, interrupt_when_stopped, logger, wait_until_interrupted
from .token_proof import thumbprint_of

#: How long its tokens last, in seconds.
LIFETIME: Final = 3600
#: How an API that asks about tokens identifies itself (RFC 7662 section 2.1): "books" with the password "secret".
API_CREDENTIALS: Final = f"Basic {b64encode(b'books:secret').decode()}"
#: The largest form that it reads, in bytes.
MAXIMUM_FORM: Final = 65536

Answer = tuple[HTTPStatus, Mapping[str, Any]]


class _Handler(LoggingHandler):
    server: "AuthorizationServer"

    def do_GET(self) -> None:  # noqa: N802  # the base class calls it so
        self._answer({"/jwks": self._jwks, "/.well-known/oauth-authorization-server": self._metadata})

    def do_POST(self) -> None:  # noqa: N802  # as above
        views = {"/token": self._token, "/introspect": self._introspect, "/revoke": self._revoke}
        self._answer({**views, "/rotate": self._rotate})

    def do_OPTIONS(self) -> None:  # noqa: N802  # as above
        """Let the page of the example project send a proof: a browser asks first."""
        self.send_response(HTTPStatus.NO_CONTENT)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "DPoP")
        self.end_headers()

    def _answer(self, views: Mapping[str, Callable[[], Answer]]) -> None:
        status, document = views.get(urlsplit(self.path).path, self._not_found)()
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Access-Control-Allow-Origin", "*")  # for the page of the example project
        self.send_header("Cache-Control", "no-store" if self.command == "POST" else "max-age=300")
        self.end_headers()
        self.wfile.write(body)

    def _jwks(self) -> Answer:
        return HTTPStatus.OK, self.server.fetch_jwks()

    def _metadata(self) -> Answer:
        return HTTPStatus.OK, self.server.metadata()

    def _token(self) -> Answer:
        return self.server.grant(self._form(), self.headers.get("DPoP"))

    def _introspect(self) -> Answer:
        form = self._form()
        if not hmac.compare_digest(self.headers.get("Authorization", ""), API_CREDENTIALS):
            return HTTPStatus.UNAUTHORIZED, {"error": "invalid_client"}
        return HTTPStatus.OK, self.server.introspect(form.get("token", ""))

    def _revoke(self) -> Answer:
        self.server.issuer.revoke(self._form().get("token", ""))
        return HTTPStatus.OK, {}

    def _rotate(self) -> Answer:
        self._form()
        self.server.issuer.rotate()
        return HTTPStatus.OK, {"kid": self.server.issuer.keys[-1].kid}

    def _not_found(self) -> Answer:
        return HTTPStatus.NOT_FOUND, {"error": "not_found"}

    def _form(self) -> dict[str, str]:
        length = self.headers.get("Content-Length", "0")
        body = self.rfile.read(min(int(length), MAXIMUM_FORM) if length.isdecimal() else 0)
        return dict(parse_qsl(body.decode(errors="replace")))


class AuthorizationServer(LoopbackServer):
    """Serves its metadata, its JWKS and tokens; `issuer` makes tokens of any other kind in process.

    ``jwks_fetches`` counts how often its JWKS was fetched, ``introspections`` how often it was asked about a token.
    """

    handler = _Handler

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.issuer = TokenIssuer(self.origin, alg="ES256")  # tokens half as long as RS256's
        self.jwks_uri = f"{self.origin}/jwks"
        self.jwks_fetches = 0
        self.introspections = 0
        self._counting = threading.Lock()

    def metadata(self) -> dict[str, Any]:
        """Return the metadata (RFC 8414 section 2)."""
        return {
            "issuer": self.issuer.issuer,
            "jwks_uri": self.jwks_uri,
            "token_endpoint": f"{self.origin}/token",
            "introspection_endpoint": f"{self.origin}/introspect",
            "revocation_endpoint": f"{self.origin}/revoke",
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["none"],
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "dpop_signing_alg_values_supported": list(SUPPORTED_ALGORITHMS),
        }

    def fetch_jwks(self) -> dict[str, Any]:
        """Return the JWKS, and count that."""
        with self._counting:
            self.jwks_fetches += 1
        return self.issuer.jwks()

    def introspect(self, token: str) -> dict[str, Any]:
        """Return what is to be said of a token (RFC 7662 section 2.2), and count that."""
        with self._counting:
            self.introspections += 1
        return self.issuer.introspect(token)

    def grant(self, form: Mapping[str, str], proof: str | None = None) -> Answer:
        """Answer a token request of the client credentials grant (RFC 6749 section 4.4).

        ``scope`` is granted as it is asked for, ``resource`` becomes the audience (RFC 8707), ``role`` a claim, and so
        do the members of ``claims``, a JSON object. ``kind`` is "good", "expired", "forged" or "opaque". With a
        ``proof``, the header DPoP, the token is bound to the key of that (RFC 9449 section 5).
        """
        if form.get("grant_type") != "client_credentials":
            return HTTPStatus.BAD_REQUEST, {"error": "unsupported_grant_type"}
        try:
            bound = {} if proof is None else {"cnf": {"jkt": thumbprint_of(proof, f"{self.origin}/token")}}
        except (ValueError, InvalidProof):
            return HTTPStatus.BAD_REQUEST, {"error": "invalid_dpop_proof"}
        audience = {"aud": form["resource"]} if "resource" in form else {}
        try:
            wanted = {"role": form.get("role"), **audience, **_claims(form.get("claims", "{}")), **bound}
        except ValueError as error:
            return HTTPStatus.BAD_REQUEST, {"error": "invalid_request", "error_description": str(error)}
        token = self.token(
            form.get("scope"), client_id=form.get("client_id", "demo"), kind=form.get("kind", "good"), **wanted
        )
        token_type = "DPoP" if bound else "Bearer"
        return HTTPStatus.OK, {"access_token": token, "token_type": token_type, "expires_in": LIFETIME}

    def token(self, scope: str | None = None, *, client_id: str = "demo", kind: str = "good", **claims: Any) -> str:
        """Return a token that speaks for a client (RFC 9068 section 2.2: ``sub`` is the client then)."""
        content = {"sub": client_id, "client_id": client_id, **claims}
        if kind == "expired":
            return self.issuer.token(scope, expired=True, **content)
        content = {"exp": int(time.time()) + LIFETIME, **content}
        if kind == "opaque":
            return self.issuer.opaque_token(scope, **content)
        return self.issuer.token(scope, forged=kind == "forged", **content)


#: Parameters of a function that makes a token, hence no claims of one that is asked for.
_NO_CLAIMS: Final = frozenset(
    {"scope", "client_id", "kind", "header", "bound_to"} | {"expired", "forged", "rotated", "active"}
)


def _claims(text: str) -> dict[str, Any]:
    claims = json.loads(text)
    if not isinstance(claims, dict) or claims.keys() & _NO_CLAIMS:
        raise ValueError("claims is a JSON object, in which scope and client_id have no place")
    return claims


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="An authorization server on loopback.")
    parser.add_argument("--port", type=int, default=8001, help="0 is any free one; default: %(default)s")
    port = parser.parse_args(arguments).port
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "testproject.settings")
    try:
        server = AuthorizationServer(port)
    except OSError as error:
        parser.exit(1, f"Port {port} is not to be had: {error.strerror}\n")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with suppress(KeyboardInterrupt), server:
        interrupt_when_stopped()
        logger.info("Authorization server at %s. Ctrl-C ends it. A token:", server.origin)
        logger.info('curl -d "grant_type=client_credentials&scope=read&role=admin" %s/token', server.origin)
        wait_until_interrupted()


if __name__ == "__main__":
    main()
