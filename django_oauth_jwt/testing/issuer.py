"""A stand-in for an authorization server in tests: it has keys and signs tokens."""

import json
import math
import secrets
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.conf import settings as django_settings
from django.test import override_settings

from ..conf import NAME
from ..errors import InvalidToken
from ..jws import SUPPORTED_ALGORITHMS, KeySet, verify_compact
from .introspection import session_of
from .proofs import ProofKey
from .signing import SigningKey


class TokenIssuer:
    """Makes keys and tokens. The project trusts them while `installed`; no network is used.

    >>> issuer = TokenIssuer()
    >>> with issuer.installed(AUDIENCE="https://books.example.com"):
    ...     client.get("/books/", headers=issuer.headers("books.read", sub="anna")).status_code
    200

    The key's algorithm is that of ``key``, else ``alg``, else the first of the project's setting ALGORITHMS. The
    object is also the key service that the project then uses (JWKS_SERVICE).
    """

    def __init__(
        self, issuer: str = "https://issuer.test", *, alg: str | None = None, key: SigningKey | None = None
    ) -> None:
        self.issuer = issuer
        self.keys = [key or SigningKey.generate(alg or project_algorithm())]
        self._alg = self.keys[0].alg
        self._key_set = KeySet.from_jwks(self.jwks())
        self._opaque_tokens: dict[str, dict[str, Any]] = {}

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as a JWKS (RFC 7517 section 5)."""
        return {"keys": [key.public_jwk() for key in self.keys]}

    def rotate(self, *, keep_old: bool = True) -> None:
        """Sign with a new key from now on. The JWKS keeps the old keys, unless ``keep_old`` is False."""
        key = SigningKey.generate(self._alg, f"key-{uuid.uuid4()}")
        self.keys = [*(self.keys if keep_old else []), key]
        self._key_set = KeySet.from_jwks(self.jwks())

    def token(
        self,
        scope: str | Iterable[str] | None = None,
        *,
        expired: bool = False,
        forged: bool = False,
        rotated: bool = False,
        bound_to: ProofKey | None = None,
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Return a signed token with these scopes and claims, valid for five minutes.

        ``expired``: it expired an hour ago. ``forged``: another key signed it, under the same ``kid``.
        ``rotated``: its key is no longer in the JWKS. ``bound_to``: it is good only with proofs by this key, which has
        the ``headers`` for them. ``header`` adds parameters to the JOSE header. ``claims`` replace the default ones; a
        claim that is None is left out.

        >>> issuer.token("books.read", sub="anna", exp=None, header={"typ": "JWT"})
        """
        payload = self._claims(scope, claims, bound_to, expired=expired)
        key = self.keys[-1]
        kid = "rotated-out" if rotated else key.kid
        signer = key_of_process(key.alg, "foreign") if forged or rotated else key
        jose_header = {"typ": "at+jwt", "alg": key.alg, "kid": kid, **(header or {})}
        jose_header = {name: value for name, value in jose_header.items() if value is not None}
        return signer.encode(jose_header, json.dumps(payload).encode())

    def opaque_token(
        self,
        scope: str | Iterable[str] | None = None,
        *,
        active: bool = True,
        bound_to: ProofKey | None = None,
        **claims: Any,
    ) -> str:
        """Return a token that says nothing by itself: the project asks this issuer about it (INTROSPECTION, RFC 7662).

        ``active``: False is what a token is that has expired, was revoked, or never was one. The other arguments are
        those of `token`. No network is used while the issuer is `installed`.

        >>> with issuer.installed(INTROSPECTION={"CLIENT_ID": "books", "CLIENT_SECRET": "secret"}):
        ...     token = issuer.opaque_token("books.read", sub="anna")
        ...     client.get("/books/", headers={"Authorization": f"Bearer {token}"}).status_code
        200
        """
        encoded_token = secrets.token_urlsafe(24)
        members = {"active": True, **self._claims(scope, claims, bound_to)} if active else {"active": False}
        self._opaque_tokens[encoded_token] = members
        return encoded_token

    def revoke(self, encoded_token: str) -> None:
        """Say of a token from now on that it is not active. What the project remembers of it holds for a while."""
        self._opaque_tokens[encoded_token] = {"active": False}

    def knows(self, encoded_token: str) -> bool:
        """Tell whether this issuer has made a token, and its keys still say so."""
        return encoded_token in self._opaque_tokens or self._claims_of_jwt(encoded_token) is not None

    def introspect(self, encoded_token: str) -> dict[str, Any]:
        """Return what an introspection endpoint says of a token (RFC 7662 section 2.2), opaque or JWT."""
        if encoded_token in self._opaque_tokens:
            return dict(self._opaque_tokens[encoded_token])
        claims = self._claims_of_jwt(encoded_token)
        is_active = claims is not None and claims.get("exp", math.inf) > time.time()
        return {"active": True, **claims} if claims and is_active else {"active": False}

    def phantom_of(self, members: dict[str, Any]) -> str:
        """Return the JWT access token that stands for an active opaque one, with these members for claims."""
        key = self.keys[-1]
        claims = {name: value for name, value in members.items() if name != "active"}
        return key.encode({"typ": "at+jwt", "alg": key.alg, "kid": key.kid}, json.dumps(claims).encode())

    def headers(self, scope: str | Iterable[str] | None = None, **kwargs: Any) -> dict[str, str]:
        """Return request headers with a bearer token. Takes the arguments of `token`.

        For a token that is bound to a key `ProofKey.headers` makes the headers.
        """
        return {"Authorization": f"Bearer {self.token(scope, **kwargs)}"}

    @contextmanager
    def installed(self, **settings: Any) -> Iterator["TokenIssuer"]:
        """Make the project trust this issuer and no other, until the context ends.

        ``settings`` replace keys of OAUTH_JWT; the other keys stay as they are. If ISSUERS has a single entry (and
        ISSUER is not set), the entry's settings, such as its AUDIENCE, apply to this issuer. Several entries are
        ignored, since this issuer could stand for any of them.
        """
        kept = {key: value for key, value in _trusting().items() if key not in _SOURCES}
        trusting = {**kept, "ISSUER": self.issuer, "JWKS_SERVICE": self, **settings}
        if trusting.get("INTROSPECTION") is not None and "HTTP_SESSION" not in settings:
            trusting["HTTP_SESSION"] = session_of(self)
        with override_settings(**{NAME: trusting}):
            yield self

    def current(self) -> KeySet:
        """Return the keys."""
        return self._key_set

    def key_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Return the keys."""
        return self._key_set

    async def akey_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Return the keys."""
        return self._key_set

    def _claims(
        self,
        scope: str | Iterable[str] | None,
        claims: Mapping[str, Any],
        bound_to: ProofKey | None,
        *,
        expired: bool = False,
    ) -> dict[str, Any]:
        """Return the claims of a new token; those that are None are left out."""
        now = int(time.time()) - (7200 if expired else 0)
        if scope is not None and not isinstance(scope, str):
            scope = " ".join(scope)
        content = {
            "iss": self.issuer,
            "sub": "user-1",
            "aud": project_audience(),
            "client_id": "client-1",
            "iat": now,
            "exp": now + (3600 if expired else 300),
            "jti": str(uuid.uuid4()),
            "scope": scope,
            "cnf": None if bound_to is None else {"jkt": bound_to.thumbprint},
            **claims,
        }
        return {name: value for name, value in content.items() if value is not None}

    def _claims_of_jwt(self, encoded_token: str) -> dict[str, Any] | None:
        """Return the claims of a JWT by a key of the JWKS, None for anything else."""
        try:
            _, payload = verify_compact(encoded_token, self._key_set, SUPPORTED_ALGORITHMS)
        except InvalidToken:
            return None
        claims: dict[str, Any] = json.loads(payload)
        return claims


_SOURCES = ("JWKS_URI", "JWKS", "JWKS_SERVICE", "ISSUER", "ISSUERS", "ISSUER_RESOLVER")


def _project_settings() -> Mapping[str, Any]:
    return getattr(django_settings, NAME, None) or {}


def _trusting() -> Mapping[str, Any]:
    """Return the project's settings, with those of the one entry of ISSUERS if there is a single trusted issuer."""
    settings = _project_settings()
    issuers = settings.get("ISSUERS") or {}
    if len(issuers) != 1 or settings.get("ISSUER") is not None:
        return settings
    (own,) = issuers.values()
    return {**settings, **{key: value for key, value in own.items() if value is not None}}


def project_audience() -> Any:
    """Return an audience that the project accepts, None where it accepts any: AUDIENCE, else its first resource."""
    trusting = _trusting()
    resources = trusting.get("RESOURCE_METADATA") or ()
    first = resources if isinstance(resources, Mapping) else next(iter(resources), {})
    return _first(trusting.get("AUDIENCE")) or first.get("resource")


def project_algorithm() -> str:
    """Return an algorithm that the project accepts."""
    return _first(_trusting().get("ALGORITHMS")) or "RS256"


def _first(accepted: Any) -> Any:
    return next(iter(accepted)) if accepted and not isinstance(accepted, str) else accepted


@cache
def key_of_process(alg: str, kid: str) -> SigningKey:
    """Return a key that is generated once per process: an RSA key takes longer than most tests."""
    return SigningKey.generate(alg, kid)
