"""A part of the tour: a token that is bound to the key of its client (DPoP), with its proof and in wrong hands."""

from collections.abc import Iterator
from typing import Final

from django_oauth_jwt.jws import SUPPORTED_ALGORITHMS
from django_oauth_jwt.testing import ProofKey
from testproject.authorization_server import AuthorizationServer

from .tour import OK, Answer, Stop

HEADING = "Bound tokens (DPoP): good with a proof by the client's key, for one request"
_DPOP: Final = f'DPoP algs="{" ".join(SUPPORTED_ALGORITHMS)}"'
UNPROVEN = Answer(
    401, f'Bearer error="invalid_token", error_description="Token is not proven to be the sender\'s own", {_DPOP}'
)


def bad_proof(description: str) -> Answer:
    """Return the answer to a proof that is not good, with what is wrong with it."""
    return Answer(401, f'Bearer, {_DPOP}, error="invalid_dpop_proof", error_description="{description}"')


def bound_stops(server: AuthorizationServer, origin: str) -> Iterator[Stop | str]:
    """Yield what the client sends with its own token, and what a thief of the token could send."""
    path, proof_key = "/secured/token", ProofKey.generate()
    url, token = f"{origin}{path}", server.token(cnf={"jkt": proof_key.thumbprint})
    headers = proof_key.headers(token, "GET", url)
    without, replayed = "The token needs a proof in the DPoP header", "DPoP proof was used before"
    other_key = "DPoP proof is signed with another key than the token is bound to"
    yield HEADING
    yield Stop("bound token with its proof", path, OK, headers=headers)
    yield Stop("the same proof again", path, bad_proof(replayed), headers=headers)
    yield Stop("bound token without a proof", path, bad_proof(without), headers={"Authorization": f"DPoP {token}"})
    thief = ProofKey.generate().headers(token, "GET", url)
    yield Stop("bound token with a proof by another key", path, bad_proof(other_key), headers=thief)
    yield Stop("bound token sent as Bearer", path, UNPROVEN, token)
    api = "/api/token"
    yield Stop("bound token with its proof", api, OK, headers=proof_key.headers(token, "GET", f"{origin}{api}"))
