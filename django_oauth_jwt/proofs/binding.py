"""Whether a token is its sender's own: what its ``cnf`` requires, and whether the request has it (RFC 7800)."""

import time
from typing import Final, NamedTuple

from ..conf import DpopSettings, Runtime, Settings, TrustedIssuer
from ..errors import InvalidProof, InvalidToken, without_frames
from ..tokens import AccessToken
from ..upstream import Steps
from .dpop import VerifiedProof, check_proof
from .facts import BEARER, DPOP, RequestFacts
from .nonce import check_nonce
from .replay import ReplayMemory


class Methods(NamedTuple):
    """How the sender of a token proves that it is theirs, None for what is not required.

    ``jkt`` is the thumbprint of the key that signs the proofs, ``certificate`` that of the client's certificate.
    """

    jkt: str | None
    certificate: str | None


_NONE: Final = Methods(None, None)
_JKT: Final = "jkt"
_CERTIFICATE: Final = "x5t#S256"


def must_prove(token: AccessToken, scheme: str, settings: Settings) -> bool:
    """Tell whether `binding_steps` has anything to check; it is cheap, and False for nearly all bearer tokens."""
    return scheme != BEARER or token.is_bound or settings.may_require_bound_tokens


def binding_steps(
    token: AccessToken, facts: RequestFacts, runtime: Runtime, trusted: TrustedIssuer
) -> Steps[str | None]:
    """Check that the token is its sender's own; return the nonce for the header DPoP-Nonce, None where none is due.

    ``trusted`` is the token's issuer. Raises InvalidToken (``unproven``, ``malformed_claim``), InvalidProof,
    NonceRequired or ReplayCheckUnavailable, without frames that hold a token or a proof.
    """
    methods = required_methods(token, trusted)
    check_scheme(methods, facts.scheme)
    if methods.certificate is not None:
        _check_certificate(methods.certificate, facts)
    if methods.jkt is None:
        return None
    return (yield from _proof_steps(token, methods.jkt, facts, runtime, trusted.leeway))


def required_methods(token: AccessToken, trusted: TrustedIssuer) -> Methods:
    """Do as `methods_of` does, and raise InvalidToken (``unproven``) where the token has to be bound and is not."""
    methods = methods_of(token)
    if methods is _NONE and trusted.require_bound_tokens:
        raise _unproven("the token is bound to nobody, and REQUIRE_BOUND_TOKENS is set")
    return methods


def check_scheme(methods: Methods, scheme: str) -> None:
    """Raise InvalidToken (``unproven``) where a token with these methods was sent with another scheme than its own."""
    if (methods.jkt is not None) != (scheme == DPOP):
        is_bound = methods.jkt is not None
        raise _unproven("bound to a key, and sent as Bearer" if is_bound else "sent as DPoP, and not bound to a key")


def methods_of(token: AccessToken) -> Methods:
    """Return what the token's ``cnf`` requires. Members that are not known do not count, unless they are alone.

    Raises InvalidToken: ``malformed_claim`` for what is no object or has a thumbprint that is no string,
    ``unproven`` where nothing in it can be checked here.
    """
    if not token.is_bound:
        return _NONE
    confirmation = token.confirmation
    if not isinstance(confirmation, dict):
        raise InvalidToken("malformed_claim", detail="cnf")
    for name in (_JKT, _CERTIFICATE):
        if name in confirmation and not isinstance(confirmation[name], str):
            raise InvalidToken("malformed_claim", detail=f"{name} in cnf")
    methods = Methods(confirmation.get(_JKT), confirmation.get(_CERTIFICATE))
    if methods == _NONE:
        raise _unproven("no method in cnf that is known here")
    return methods


def _check_certificate(thumbprint: str, facts: RequestFacts) -> None:
    found = facts.certificate()
    if found is None:
        raise _unproven("the client has shown no certificate")
    if found != thumbprint:
        raise _unproven("the client has shown another certificate")


def _proof_steps(
    token: AccessToken, jkt: str, facts: RequestFacts, runtime: Runtime, leeway: float
) -> Steps[str | None]:
    dpop, now = runtime.settings.dpop, time.time()
    proof = _checked_proof(facts, token, jkt, dpop, leeway, now)
    nonce = check_nonce(proof.nonce, now, dpop.proof_seconds) if dpop.nonce else None
    # Last, since it is remembered: of a proof that is refused for another reason nothing is kept.
    # One clock accepts a proof for PROOF_SECONDS and twice the leeway. That of another server may be off as much.
    yield from runtime.part(ReplayMemory).first_use_steps(jkt, proof.jti, dpop.proof_seconds + 4 * leeway)
    return nonce


def _checked_proof(
    facts: RequestFacts, token: AccessToken, jkt: str, dpop: DpopSettings, leeway: float, now: float
) -> VerifiedProof:
    try:
        return check_proof(facts, token, jkt, dpop, leeway, now)
    except InvalidProof as error:
        # The frames below hold the proof, which may be a good one for another request.
        raise without_frames(error) from None


def _unproven(detail: str) -> InvalidToken:
    return InvalidToken("unproven", detail=detail)
