"""The key of a DPoP client, for tests and demos only."""

import hashlib
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any, Final

from ..jws import PublicKey, encode_segment, thumbprint_of
from .signing import SigningKey

#: Faults that are parameters of the JOSE header; the others are claims.
_HEADER: Final = frozenset({"typ", "alg", "jwk", "kid", "crit", "jku", "x5u", "x5c"})
#: Members of a JWK that say how it is used, and nothing of the key.
_NOT_THE_KEY: Final = frozenset({"kid", "alg", "use"})


@dataclass(frozen=True)
class ProofKey:
    """A key to which tokens are bound, and which signs a proof for each request with one of them (RFC 9449).

    >>> proof_key = ProofKey.generate()
    >>> token = issuer.token("books.read", bound_to=proof_key)
    >>> url = "http://testserver/books/"
    >>> client.get(url, headers=proof_key.headers(token, "GET", url)).status_code
    200
    """

    signing_key: SigningKey

    @classmethod
    def generate(cls, alg: str = "ES256") -> "ProofKey":
        """Return a new key for one of the supported algorithms; KeyError for another."""
        return cls(SigningKey.generate(alg))

    @property
    def public_jwk(self) -> dict[str, str]:
        """The public key as it stands in a proof."""
        jwk = self.signing_key.public_jwk()
        return {name: value for name, value in jwk.items() if name not in _NOT_THE_KEY}

    @property
    def thumbprint(self) -> str:
        """The thumbprint of the key: the ``jkt`` of the tokens that are bound to it (RFC 7638)."""
        return thumbprint_of(PublicKey.from_jwk(self.public_jwk))

    def headers(self, token: str, method: str, url: str, **faults: Any) -> dict[str, str]:
        """Return the headers of a request with a token and a new proof. ``url`` is absolute; its query does not count.

        ``faults`` replace what is in the proof, and None leaves it out: the header parameters ``typ``, ``alg``,
        ``jwk``, ``kid``, ``crit``, ``jku``, ``x5u`` and ``x5c``, and any claim, such as ``jti``, ``htm``, ``htu``,
        ``iat`` (Unix seconds), ``ath`` or ``nonce``. ``signed_by`` is another `ProofKey` that signs in this one's
        place, under this one's ``jwk``.

        >>> proof_key.headers(token, "GET", url, iat=time.time() - 3600)  # stale
        >>> proof_key.headers(token, "GET", url, signed_by=ProofKey.generate())  # forged
        >>> other_key.headers(token, "GET", url)  # by a thief of the token
        """
        return {"Authorization": f"DPoP {token}", "DPoP": self._proof(token, method, url, faults)}

    def _proof(self, token: str, method: str, url: str, faults: dict[str, Any]) -> str:
        signer = faults.pop("signed_by", self).signing_key
        header = {"typ": "dpop+jwt", "alg": self.signing_key.alg, "jwk": self.public_jwk}
        claims = {
            "jti": str(uuid.uuid4()),
            "htm": method,
            "htu": url.partition("#")[0].partition("?")[0],
            "iat": int(time.time()),
            "ath": encode_segment(hashlib.sha256(token.encode()).digest()),
        }
        header |= {name: value for name, value in faults.items() if name in _HEADER}
        claims |= {name: value for name, value in faults.items() if name not in _HEADER}
        return str(signer.encode(_without_none(header), json.dumps(_without_none(claims)).encode()))


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
