"""All attacks, and the JWKS that they are made against."""

import corpus_algorithms
import corpus_authorization
import corpus_claims
import corpus_encoding
import corpus_headers
import corpus_json
import corpus_key_kinds
import corpus_keys
import corpus_rsa
import corpus_segments
import corpus_signatures
from adversarial_forge import ALGORITHMS, mints

MODULES = (
    corpus_algorithms,
    corpus_authorization,
    corpus_claims,
    corpus_encoding,
    corpus_headers,
    corpus_json,
    corpus_key_kinds,
    corpus_keys,
    corpus_rsa,
    corpus_segments,
    corpus_signatures,
)
CASES = [case for module in MODULES for case in module.CASES]


def jwks(more=()):
    """Return the authorization server's JWKS: a key of its own for each algorithm, and one that is for several."""
    own = [mints(alg).jwk for alg in ALGORITHMS]
    return {"keys": [*own, corpus_algorithms.unspecific_jwk(), *more]}
