"""One DPoP proof, read strictly and checked against the request and the token that it came with (RFC 9449 section 4.3).

Nothing here waits or remembers: whether the proof was used before is `replay`'s question.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from ..conf import DpopSettings
from ..errors import InvalidProof, InvalidToken
from ..jws import (
    PublicKey,
    SignatureCheck,
    decode_segment,
    encode_segment,
    loads_object,
    read_header,
    required_members,
    thumbprint_of,
)
from ..tokens import AccessToken
from .facts import RequestFacts
from .target import is_for_url

#: In bytes. A proof with a long RSA key has some three thousand.
MAXIMUM_LENGTH: Final = 8192
#: In base64url characters. A client sends the same header with each proof; a longer one would be no usual key.
LONGEST_CACHED_HEADER: Final = 2048
PROOF_TYPE: Final = "dpop+jwt"
#: Parameters that name another key than ``jwk`` (RFC 7515 section 4.1).
_OTHER_KEYS: Final = frozenset({"jku", "x5u", "x5c"})


@dataclass(frozen=True, slots=True)
class ProofHeader:
    """What the header of a proof says: the algorithm, what checks with the public key, its thumbprint (RFC 7638)."""

    alg: str
    key: SignatureCheck
    thumbprint: str


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
    header, signing_input, payload, signature = _read(facts.proof)
    if header.alg not in dpop.algorithms:
        raise _malformed("alg is not accepted")
    if header.thumbprint != jkt:
        raise InvalidProof("wrong_proof_key")
    # Before the claims: what a forger writes into them is of no interest.
    if not header.key.verify(signing_input, signature):
        raise _malformed("signature")
    claims = _claims(payload)
    _check_request(claims, facts)
    _check_time(claims["iat"], dpop.proof_seconds + leeway, leeway, now)
    if claims["ath"] != encode_segment(hashlib.sha256(token.encoded.encode()).digest()):
        raise InvalidProof("wrong_proof_token")
    return VerifiedProof(claims["jti"], claims.get("nonce"))


def read_proof_header(segment: bytes) -> ProofHeader:
    """Return the header in the first segment of a proof; raise InvalidProof where it is none."""
    try:
        header = read_header(segment)
    except (ValueError, InvalidToken) as error:
        raise _malformed("header" if isinstance(error, ValueError) else "crit") from error
    if header.typ != PROOF_TYPE:
        raise _malformed("typ")
    if not _OTHER_KEYS.isdisjoint(header.parameters):
        raise _malformed("another key beside jwk")
    key = _public_key(header.parameters.get("jwk"))
    if header.alg not in key.verifiers:
        raise _malformed("alg does not fit jwk")
    return ProofHeader(header.alg, key.verifiers[header.alg], thumbprint_of(key))


#: `read_proof_header` for segments of up to `LONGEST_CACHED_HEADER`. To parse a key takes as long as to use it.
read_proof_header_cached = lru_cache(maxsize=512)(read_proof_header)


def _read(proof: str | None) -> tuple[ProofHeader, bytes, bytes, bytes]:
    """Return the header, the signing input, the payload and the signature of the one proof in a header field."""
    if proof is None:
        raise InvalidProof("missing_proof")
    if "," in proof:  # servers join fields of one name so, and no JWS has one
        raise _malformed("more than one DPoP header")
    if len(proof) > MAXIMUM_LENGTH:
        raise _malformed("too long")
    try:
        signing_input, _, signature_segment = proof.encode("ascii").rpartition(b".")
        header_segment, payload_segment = signing_input.split(b".")
        payload, signature = decode_segment(payload_segment), decode_segment(signature_segment)
    except ValueError as error:
        raise _malformed("not a JWS") from error
    is_short = len(header_segment) <= LONGEST_CACHED_HEADER
    header = (read_proof_header_cached if is_short else read_proof_header)(header_segment)
    return header, signing_input, payload, signature


def _public_key(jwk: Any) -> PublicKey:
    try:
        key = PublicKey.from_jwk(jwk)
    except ValueError as error:
        raise _malformed(f"jwk: {error}") from error
    # Else one key would have several thumbprints.
    if any(jwk[name] != value for name, value in required_members(key).items()):
        raise _malformed("jwk: a member is not in its shortest spelling")
    return key


def _claims(payload: bytes) -> Mapping[str, Any]:
    """Return the claims, of which those that are checked have the right type (RFC 9449 section 4.2)."""
    try:
        claims = loads_object(payload)
    except ValueError as error:
        raise _malformed("payload") from error
    for name in ("jti", "htm", "htu", "ath"):
        if not isinstance(claims.get(name), str) or not claims[name]:
            raise _malformed(name)
    if type(claims.get("iat")) not in (int, float):  # a bool is an int to isinstance
        raise _malformed("iat")
    if not isinstance(claims.get("nonce", ""), str):
        raise _malformed("nonce")
    return claims


def _check_request(claims: Mapping[str, Any], facts: RequestFacts) -> None:
    if claims["htm"] != facts.method:
        raise InvalidProof("wrong_proof_method", detail=f"expected {facts.method}")
    if not is_for_url(claims["htu"], facts.url):
        raise InvalidProof("wrong_proof_url", detail=f"expected {facts.url}")


def _check_time(iat: float, oldest: float, newest: float, now: float) -> None:
    if iat < now - oldest:
        raise InvalidProof("stale_proof", detail="iat is too long ago")
    if iat > now + newest:
        raise InvalidProof("stale_proof", detail="iat is in the future")


def _malformed(detail: str) -> InvalidProof:
    return InvalidProof("malformed_proof", detail=detail)
