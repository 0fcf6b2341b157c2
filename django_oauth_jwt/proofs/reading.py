"""One DPoP proof, read strictly: its parts, its header with the public key, its claims (RFC 9449 section 4.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from ..errors import InvalidProof, InvalidToken
from ..jws import (
    PublicKey,
    SignatureCheck,
    decode_segment,
    loads_object,
    read_header,
    required_members,
    thumbprint_of,
)

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


@dataclass(slots=True)  # not frozen: that would take longer than to read the header
class UnverifiedProof:
    """A proof as read: its header, and what is signed and decoded; nothing of what it says is verified."""

    header: ProofHeader
    signing_input: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def read_proof(proof: str | None) -> UnverifiedProof:
    """Return the one proof in a header field; raise InvalidProof where there is none."""
    if proof is None:
        raise InvalidProof("missing_proof")
    if "," in proof:  # servers join fields of one name so, and no JWS has one
        raise malformed("more than one DPoP header")
    if len(proof) > MAXIMUM_LENGTH:
        raise malformed("too long")
    try:
        signing_input, _, signature_segment = proof.encode("ascii").rpartition(b".")
        header_segment, payload_segment = signing_input.split(b".")
        payload, signature = decode_segment(payload_segment), decode_segment(signature_segment)
    except ValueError as error:
        raise malformed("not a JWS") from error
    is_short = len(header_segment) <= LONGEST_CACHED_HEADER
    header = (read_proof_header_cached if is_short else read_proof_header)(header_segment)
    return UnverifiedProof(header, signing_input, payload, signature)


def read_claims(payload: bytes) -> Mapping[str, Any]:
    """Return the claims of a proof, of which those that are checked have the right type; else raise InvalidProof."""
    try:
        claims = loads_object(payload)
    except ValueError as error:
        raise malformed("payload") from error
    for name in ("jti", "htm", "htu", "ath"):
        if not isinstance(claims.get(name), str) or not claims[name]:
            raise malformed(name)
    if type(claims.get("iat")) not in (int, float):  # a bool is an int to isinstance
        raise malformed("iat")
    if not isinstance(claims.get("nonce", ""), str):
        raise malformed("nonce")
    return claims


def read_proof_header(segment: bytes) -> ProofHeader:
    """Return the header in the first segment of a proof; raise InvalidProof where it is none."""
    try:
        header = read_header(segment)
    except (ValueError, InvalidToken) as error:
        raise malformed("header" if isinstance(error, ValueError) else "crit") from error
    if header.typ != PROOF_TYPE:
        raise malformed("typ")
    if not _OTHER_KEYS.isdisjoint(header.parameters):
        raise malformed("another key beside jwk")
    key = _public_key(header.parameters.get("jwk"))
    if header.alg not in key.verifiers:
        raise malformed("alg does not fit jwk")
    return ProofHeader(header.alg, key.verifiers[header.alg], thumbprint_of(key))


#: `read_proof_header` for segments of up to `LONGEST_CACHED_HEADER`. To parse a key takes as long as to use it.
read_proof_header_cached = lru_cache(maxsize=512)(read_proof_header)


def malformed(detail: str) -> InvalidProof:
    """Return the refusal of what is no proof."""
    return InvalidProof("malformed_proof", detail=detail)


def _public_key(jwk: Any) -> PublicKey:
    try:
        key = PublicKey.from_jwk(jwk)
    except ValueError as error:
        raise malformed(f"jwk: {error}") from error
    # Else one key would have several thumbprints.
    if any(jwk[name] != value for name, value in required_members(key).items()):
        raise malformed("jwk: a member is not in its shortest spelling")
    return key
