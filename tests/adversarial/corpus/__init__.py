"""All attacks, and the JWKS that they are made against."""

from ..forge import ALGORITHMS, mints
from . import algorithms, authorization, claims, encoding, headers, json, key_kinds, keys, rsa, segments, signatures

MODULES = (
    algorithms,
    authorization,
    claims,
    encoding,
    headers,
    json,
    key_kinds,
    keys,
    rsa,
    segments,
    signatures,
)
CASES = [case for module in MODULES for case in module.CASES]


def jwks(more=()):
    """Return the authorization server's JWKS: a key of its own for each algorithm, and one that is for several."""
    own = [mints(alg).jwk for alg in ALGORITHMS]
    return {"keys": [*own, algorithms.unspecific_jwk(), *more]}
