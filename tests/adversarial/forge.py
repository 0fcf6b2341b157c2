"""Signs and forges tokens with nothing of the package under test: base64url, JSON and `cryptography`."""

import base64
import json
import time
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://as.example"
AUDIENCE = "https://api.example"
#: A second authorization server that the project trusts, for other tokens than the first one's.
NEIGHBOUR = "https://neighbour.example"
NEIGHBOUR_AUDIENCE = "https://elsewhere.example"

HASHES = {"256": SHA256(), "384": SHA384(), "512": SHA512()}
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
CRV = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp256k1": "secp256k1"}
ALGORITHMS = (*(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in HASHES), "EdDSA", "Ed25519")


def b64(data: bytes) -> str:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    """Decode base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(value: int, size: int = 0) -> str:
    """Encode a number as JWKs do."""
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8 or 1, "big"))


@cache
def private_key(kind: str, owner: str = "as") -> Any:
    """Make a private key of this kind once per run; RSA ones take long, so a family shares one."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed" else ec.generate_private_key(CURVES[kind])


def public_jwk(key: Any) -> dict[str, str]:
    """Return the public half of a key as a JWK, without a name."""
    public = key.public_key()
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        numbers, size = public.public_numbers(), component_size(key)
        x, y = number(numbers.x, size), number(numbers.y, size)
        return {"kty": "EC", "crv": CRV[key.curve.name], "x": x, "y": y}
    x = b64(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
    return {"kty": "OKP", "crv": "Ed25519" if len(unb64(x)) == 32 else "Ed448", "x": x}


def component_size(key: Any) -> int:
    """Return how many bytes each number of an ECDSA signature takes."""
    return (key.curve.key_size + 7) // 8


def signature(alg: str, key: Any, message: bytes) -> bytes:
    """Return the JWS signature of a message."""
    digest = HASHES.get(alg[2:])
    if alg.startswith("RS"):
        return key.sign(message, padding.PKCS1v15(), digest)
    if alg.startswith("PS"):
        return key.sign(message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return ecdsa(key, digest, message) if alg.startswith("ES") else key.sign(message)


def ecdsa(key: Any, digest: Any, message: bytes) -> bytes:
    """Return an ECDSA signature as JWS has it, with whatever hash on whatever curve."""
    return b"".join(n.to_bytes(component_size(key), "big") for n in rs_of(key, digest, message))


def rs_of(key: Any, digest: Any, message: bytes) -> tuple[int, int]:
    """Return the two numbers of an ECDSA signature."""
    return decode_dss_signature(key.sign(message, ec.ECDSA(digest)))


class Mint:
    """The owner of one private key, who signs whatever is wanted: the right thing and the wrong one."""

    def __init__(self, alg: str, key: Any, kid: str | None = None, issuer: str = ISSUER, audience: str = AUDIENCE):
        self.alg, self.key, self.kid, self.issuer = alg, key, kid or alg, issuer
        self.header = {"typ": "at+jwt", "alg": alg, "kid": self.kid}
        now = int(time.time())
        self.claims = {"iss": issuer, "aud": audience, "sub": "user-1", "client_id": "client-1"}
        self.claims |= {"iat": now - 60, "nbf": now - 60, "exp": now + 3600}

    @property
    def jwk(self) -> dict[str, str]:
        """The public JWK, which says what it is for."""
        return {**public_jwk(self.key), "kid": self.kid, "alg": self.alg, "use": "sig"}

    @cached_property
    def token(self) -> str:
        """A token with nothing wrong with it."""
        return self.signed()

    @property
    def parts(self) -> list[str]:
        """The three segments of the token with nothing wrong with it."""
        return self.token.split(".")

    def sign(self, message: bytes) -> bytes:
        """Sign as the algorithm says."""
        return signature(self.alg, self.key, message)

    def signed(self, header: dict | None = None, claims: dict | None = None, sign: Any = None) -> str:
        """Return a token with other members in header and claims; ... takes one out."""
        return self.raw(dumps(self.header | (header or {})), dumps(self.claims | (claims or {})), sign)

    def raw(self, header: bytes | None = None, payload: bytes | None = None, sign: Any = None) -> str:
        """Return a token of these bytes, signed by ``sign`` or as the algorithm says."""
        header = dumps(self.header) if header is None else header
        payload = dumps(self.claims) if payload is None else payload
        return self.segments(b64(header), b64(payload), sign)

    def segments(self, header: str, payload: str, sign: Any = None) -> str:
        """Return a token of these two segments, spelled as they are, and a signature."""
        signing_input = f"{header}.{payload}"
        return f"{signing_input}.{b64((sign or self.sign)(signing_input.encode()))}"

    def literal(self, name: str, text: str, *, header: bool = False) -> str:
        """Return a token where a claim (or header parameter) is this JSON text, which may be none."""
        members = {**(self.header if header else self.claims), name: "@"}
        text = json.dumps(members).replace('"@"', text)
        return self.raw(header=text.encode()) if header else self.raw(payload=text.encode())


def dumps(members: dict) -> bytes:
    """Encode as JSON the members that are not ...; what is no JSON is written as Python does."""
    return json.dumps({name: value for name, value in members.items() if value is not ...}).encode()


class Case(NamedTuple):
    """One attack: its name, the reason of its refusal, and who is robbed of a token that is good."""

    name: str
    reason: str
    authorization: Callable[[Mint], str]
    alg: str = "ES256"
    #: More keys in the authorization server's JWKS, after its own.
    jwks: Callable[[Mint], list] = lambda mint: []


def tokens(reason: str, forgeries: dict[str, Callable[[Mint], str]], alg: str = "ES256") -> list[Case]:
    """Return the cases of these forged tokens, each sent as it should be."""
    return [Case(name, reason, _as_bearer(forge), alg) for name, forge in forgeries.items()]


def _as_bearer(forge: Callable[[Mint], str]) -> Callable[[Mint], str]:
    return lambda mint: f"Bearer {forge(mint)}"


def mints(alg: str) -> Mint:
    """Return the mint of an algorithm at the authorization server, whose ``kid`` is the algorithm's name."""
    return _mint(alg)


@cache
def _mint(alg: str) -> Mint:
    return Mint(alg, private_key(KINDS[alg]))


KINDS = {alg: alg if alg.startswith("ES") else "ed" if alg.startswith("Ed") else "rsa2048" for alg in ALGORITHMS}
