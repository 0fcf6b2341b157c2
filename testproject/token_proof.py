"""The proof with which a client asks the example's authorization server for a token that is bound to its key."""

import time
from typing import Final

from django_oauth_jwt.errors import InvalidProof
from django_oauth_jwt.jws import loads_object
from django_oauth_jwt.proofs import read_proof

#: How old a proof may be, in seconds, or how far in the future.
SECONDS: Final = 60


def thumbprint_of(proof: str, url: str) -> str:
    """Return the thumbprint (RFC 7638) of the key that signed a proof for a POST to this URL (RFC 9449 section 5).

    Raises ValueError or InvalidProof. That a proof is used once only is not enforced: here tokens are given to anybody.
    """
    read = read_proof(proof)
    claims = loads_object(read.payload)
    if not read.header.key.verify(read.signing_input, read.signature):
        raise InvalidProof("malformed_proof")
    if (claims.get("htm"), claims.get("htu")) != ("POST", url):
        raise InvalidProof("wrong_proof_url")
    issued_at, now = claims.get("iat"), time.time()
    if not isinstance(issued_at, int | float) or not now - SECONDS <= issued_at <= now + SECONDS:
        raise InvalidProof("stale_proof")
    return read.header.thumbprint
