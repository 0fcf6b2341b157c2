"""One DPoP proof, checked against the request and the token that it came with (RFC 9449 section 4.3).

What it must satisfy once it is read is one list of rules for each part of it, in the order in which they are checked. A
request stops at the first that its proof breaks, `diagnosis` asks all of them. Nothing here waits or remembers: whether
the proof was used before is `replay`'s question.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar

from ..conf import DpopSettings
from ..errors import InvalidProof
from ..jws import encode_segment
from ..tokens import AccessToken
from .facts import RequestFacts
from .reading import UnverifiedProof, malformed, read_claims, read_proof
from .target import is_for_url

Claims = Mapping[str, Any]
Part = TypeVar("Part")


class Expected(NamedTuple):
    """What a proof has to fit: the request, the token, and the key whose thumbprint is ``jkt``; at the time ``now``."""

    facts: RequestFacts
    token: AccessToken
    jkt: str
    dpop: DpopSettings
    leeway: float
    now: float


@dataclass(frozen=True, slots=True)
class ProofRule(Generic[Part]):
    """One thing that every proof must satisfy, by the part of it that it is about.

    ``check`` raises InvalidProof. ``shown`` are what the proof has and what is accepted, to show to people.
    """

    name: str
    check: Callable[[Part, Expected], None]
    shown: Callable[[Part, Expected], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class VerifiedProof:
    """What is left to check of a proof: whether its ``jti`` is new, and its ``nonce``, None where it has none."""

    jti: str = field(repr=False)
    nonce: str | None = field(repr=False)


def check_proof(
    facts: RequestFacts, token: AccessToken, jkt: str, dpop: DpopSettings, leeway: float, now: float
) -> VerifiedProof:
    """Check that the request has a proof for it, for the token, by the key whose thumbprint is ``jkt``, made just now.

    ``now`` is in Unix seconds, ``leeway`` in seconds. Raises InvalidProof.
    """
    expected = Expected(facts, token, jkt, dpop, leeway, now)
    proof = read_proof(facts.proof)
    for check in _CHECKS_OF_KEY:
        check(proof, expected)
    claims = read_claims(proof.payload)
    for check_claims in _CHECKS_OF_CLAIMS:
        check_claims(claims, expected)
    return VerifiedProof(claims["jti"], claims.get("nonce"))


def _check_algorithm(proof: UnverifiedProof, expected: Expected) -> None:
    if proof.header.alg not in expected.dpop.algorithms:
        raise malformed("alg is not accepted")


def _check_key(proof: UnverifiedProof, expected: Expected) -> None:
    if proof.header.thumbprint != expected.jkt:
        raise InvalidProof("wrong_proof_key")


def _check_signature(proof: UnverifiedProof, expected: Expected) -> None:
    if not proof.header.key.verify(proof.signing_input, proof.signature):
        raise malformed("signature")


def _check_method(claims: Claims, expected: Expected) -> None:
    if claims["htm"] != expected.facts.method:
        raise InvalidProof("wrong_proof_method", detail=f"expected {expected.facts.method}")


def _check_url(claims: Claims, expected: Expected) -> None:
    if not is_for_url(claims["htu"], expected.facts.url):
        raise InvalidProof("wrong_proof_url", detail=f"expected {expected.facts.url}")


def _check_time(claims: Claims, expected: Expected) -> None:
    iat, now, leeway = claims["iat"], expected.now, expected.leeway
    if iat < now - expected.dpop.proof_seconds - leeway:
        raise InvalidProof("stale_proof", detail="iat is too long ago")
    if iat > now + leeway:
        raise InvalidProof("stale_proof", detail="iat is in the future")


def _check_token(claims: Claims, expected: Expected) -> None:
    if claims["ath"] != encode_segment(hashlib.sha256(expected.token.encoded.encode()).digest()):
        raise InvalidProof("wrong_proof_token")


def _time_shown(claims: Claims, expected: Expected) -> Mapping[str, Any]:
    seconds = {"seconds": expected.dpop.proof_seconds, "leeway": expected.leeway}
    return {"has": claims["iat"], "now": expected.now, **seconds}


#: Before the claims: what a forger writes into them is of no interest.
KEY_RULES: Final[tuple[ProofRule[UnverifiedProof], ...]] = (
    ProofRule(
        "proof algorithm",
        _check_algorithm,
        lambda proof, expected: {"has": proof.header.alg, "accepted": expected.dpop.algorithms},
    ),
    ProofRule("proof key", _check_key, lambda proof, expected: {"has": proof.header.thumbprint, "jkt": expected.jkt}),
    ProofRule("proof signature", _check_signature, lambda proof, _: {"has": proof.header.alg}),
)
CLAIM_RULES: Final[tuple[ProofRule[Claims], ...]] = (
    ProofRule(
        "proof method",
        _check_method,
        lambda claims, expected: {"has": claims["htm"], "expected": expected.facts.method},
    ),
    ProofRule("proof URL", _check_url, lambda claims, expected: {"has": claims["htu"], "expected": expected.facts.url}),
    ProofRule("proof time", _check_time, _time_shown),
    ProofRule("proof token", _check_token, lambda *_: {}),
)
_CHECKS_OF_KEY: Final = tuple(rule.check for rule in KEY_RULES)
_CHECKS_OF_CLAIMS: Final = tuple(rule.check for rule in CLAIM_RULES)
