"""Proofs for one request with one bound token: the good one, and whatever can be wrong with it."""

import base64
import json
import time

from django_oauth_jwt.jws import decode_segment
from django_oauth_jwt.proofs import RequestFacts
from django_oauth_jwt.testing import ProofKey
from django_oauth_jwt.tokens import AccessToken, FrozenDict, VerifiedToken

METHOD = "GET"
URL = "https://api.example.com/books/17"
ISSUED = "https://issuer.test"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token_of(text="aaa.bbb.ccc", **claims):
    """A token that was verified, with these claims."""
    return AccessToken(text, VerifiedToken({"iss": ISSUED, **claims}, FrozenDict()))


class Forge:
    """What a client has: its key, the token that is bound to it; and another client's key."""

    def __init__(self, key, other):
        self.key, self.other = ProofKey(key), ProofKey(other)
        self.token = token_of(cnf={"jkt": self.key.thumbprint})

    def proof(self, **faults):
        """A proof that is right but for the faults."""
        return self.key.headers(self.token.encoded, METHOD, URL, **faults)["DPoP"]

    def facts(self, proof, **replaced):
        return RequestFacts(**{"scheme": "dpop", "method": METHOD, "url": URL, "proof": proof, **replaced})

    def claims(self, **replaced):
        payload = self.proof().split(".")[1]
        return {**json.loads(decode_segment(payload.encode())), **replaced}

    def header(self, **replaced):
        return {"typ": "dpop+jwt", "alg": self.key.signing_key.alg, "jwk": self.key.public_jwk, **replaced}

    def jwk(self, *without, **replaced):
        """The header's public key with some members replaced, and others left out."""
        return {name: value for name, value in {**self.key.public_jwk, **replaced}.items() if name not in without}

    def signed(self, header=None, payload=None):
        """A proof of this header and this payload, each as JSON or as bytes, signed by the right key."""
        parts = [self.header() if header is None else header, self.claims() if payload is None else payload]
        segments = [encode(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in parts]
        signing_input = ".".join(segments)
        return f"{signing_input}.{encode(self.key.signing_key.sign(signing_input.encode()))}"

    def parts(self, **faults):
        return self.proof(**faults).split(".")

    def with_signature(self, change):
        """A proof whose signature is changed: ``change`` takes and returns its bytes."""
        header, payload, signature = self.parts()
        return f"{header}.{payload}.{encode(change(decode_segment(signature.encode())))}"


def ago(seconds):
    return int(time.time()) - seconds
