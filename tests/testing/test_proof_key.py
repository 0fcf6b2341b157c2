"""The test kit's key of a DPoP client: its proofs are good, and each fault makes them bad for its own reason."""

import json

import pytest
from jose import jws as reference

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.errors import BearerError
from django_oauth_jwt.jws import SUPPORTED_ALGORITHMS
from django_oauth_jwt.proofs import DPOP, RequestFacts, binding_steps
from django_oauth_jwt.testing import ProofKey, SigningKey
from django_oauth_jwt.upstream import run_blocking
from django_oauth_jwt.verification import verify_token

NOW = 1_800_000_000
URL = "http://testserver/books/"


@pytest.fixture
def proof_key(signing_key):
    return ProofKey(signing_key("ES256", "client"))


def reason_of(issuer, token, headers, method="GET", url=URL):
    """Why the sender of these headers is refused, None where the token is theirs."""
    runtime, (scheme, sent) = get_runtime(), headers["Authorization"].split(" ")
    assert (scheme, sent) == ("DPoP", token)
    facts = RequestFacts(DPOP, method, url, headers["DPoP"])
    try:
        run_blocking(
            binding_steps(
                verify_token(token, binding_checked=True), facts, runtime, runtime.settings.issuers[issuer.issuer]
            )
        )
    except BearerError as error:
        return error.reason
    return None


def test_a_token_is_bound_to_the_key(issuer, proof_key, frozen_time):
    """By the thumbprint, unless a test says otherwise."""
    token = issuer.token("read", bound_to=proof_key)
    assert verify_token(token, binding_checked=True).confirmation == {"jkt": proof_key.thumbprint}
    assert verify_token(issuer.token("read")).confirmation is None
    assert verify_token(issuer.token(bound_to=proof_key, cnf={"jkt": "x"}), binding_checked=True).confirmation == {
        "jkt": "x"
    }


def test_a_proof_holds_what_a_client_puts_in(proof_key, frozen_time):
    """RFC 9449 section 4.2; the URL without query and fragment, and another jti each time."""
    headers = [proof_key.headers("token", "POST", f"{URL}?page=2#top") for _ in range(2)]
    assert headers[0]["Authorization"] == "DPoP token"
    first, second = (json.loads(reference.get_unverified_claims(each["DPoP"])) for each in headers)
    assert first.pop("jti") != second.pop("jti")
    ath = "PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A"
    assert first == second == {"htm": "POST", "htu": URL, "iat": NOW, "ath": ath}
    header = reference.get_unverified_header(headers[0]["DPoP"])
    assert header == {"typ": "dpop+jwt", "alg": "ES256", "jwk": proof_key.public_jwk}
    assert set(proof_key.public_jwk) == {"kty", "crv", "x", "y"}


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ({}, None),
        ({"nonce": "x", "kid": "x"}, None),
        ({"typ": "JWT"}, "malformed_proof"),
        ({"alg": "none"}, "malformed_proof"),
        ({"jwk": None}, "malformed_proof"),
        ({"crit": ["x"]}, "malformed_proof"),
        ({"jti": None}, "malformed_proof"),
        ({"ath": None}, "malformed_proof"),
        ({"signed_by": ProofKey(SigningKey.generate("ES256"))}, "malformed_proof"),
        ({"htm": "POST"}, "wrong_proof_method"),
        ({"htu": "http://testserver/"}, "wrong_proof_url"),
        ({"iat": NOW - 3600}, "stale_proof"),
        ({"ath": "x"}, "wrong_proof_token"),
    ],
)
def test_each_fault_is_refused_for_its_own_reason(issuer, proof_key, frozen_time, faults, reason):
    """A test of a refusal is worth something only if nothing else is wrong with the proof."""
    token = issuer.token(bound_to=proof_key)
    assert reason_of(issuer, token, proof_key.headers(token, "GET", URL, **faults)) == reason


def test_a_thief_of_the_token_has_another_key(issuer, proof_key, signing_key, frozen_time):
    """Its proof is good in itself."""
    token, thief = issuer.token(bound_to=proof_key), ProofKey(signing_key("ES256", "thief"))
    assert reason_of(issuer, token, thief.headers(token, "GET", URL)) == "wrong_proof_key"


@pytest.mark.parametrize("alg", [alg for alg in SUPPORTED_ALGORITHMS if alg[:2] not in ("RS", "PS")])
def test_a_key_is_made_for_an_algorithm(issuer, alg, frozen_time):
    """ES256, unless a test says otherwise."""
    key = ProofKey.generate(alg)
    token = issuer.token(bound_to=key)
    assert reason_of(issuer, token, key.headers(token, "GET", URL)) is None
    assert ProofKey.generate().signing_key.alg == "ES256"
    with pytest.raises(KeyError):
        ProofKey.generate("HS256")
