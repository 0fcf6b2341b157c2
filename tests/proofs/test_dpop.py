"""One proof against one request: each bad one is refused for its own reason, and what is right is accepted."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_oauth_jwt.conf import DpopSettings
from django_oauth_jwt.errors import InvalidProof
from django_oauth_jwt.jws import SUPPORTED_ALGORITHMS
from django_oauth_jwt.proofs import RequestFacts
from django_oauth_jwt.proofs.dpop import check_proof
from django_oauth_jwt.proofs.reading import LONGEST_CACHED_HEADER, MAXIMUM_LENGTH, read_proof_header_cached

from .bad_proofs import BAD, HEADERS, KEYS, NOT_ONE_PROOF, PAYLOADS, SIGNATURES
from .forge import METHOD, URL, Forge, ago, token_of
from .rfc_vectors import JKT, MADE_AT, PROOF, RESOURCE, TOKEN, TOKEN_REQUEST_PROOF

NOW = 1_800_000_000.0
DEFAULTS = DpopSettings()


def check(forge, proof, *, dpop=DEFAULTS, leeway=30, **facts):
    return check_proof(forge.facts(proof, **facts), forge.token, forge.key.thumbprint, dpop, leeway, NOW)


def refusal_of(forge, proof, **kwargs):
    with pytest.raises(InvalidProof) as caught:
        check(forge, proof, **kwargs)
    return caught.value


@pytest.mark.parametrize(("make", "reason"), BAD.values(), ids=BAD)
def test_a_bad_proof_is_refused_for_its_reason(forge, make, reason):
    """Each has one fault, and 401."""
    error = refusal_of(forge, make(forge))
    assert (error.reason, error.error, error.status) == (reason, "invalid_dpop_proof", 401)


def test_there_are_many_bad_proofs():
    """No table was emptied by mistake."""
    assert len(BAD) > 200


def test_a_request_without_a_proof_needs_one(forge):
    """There is no header at all."""
    assert refusal_of(forge, None).reason == "missing_proof"


def test_a_good_proof_is_accepted(forge):
    """What is left to ask is whether it is used for the first time."""
    proof = check(forge, forge.proof(jti="one", nonce="two"))
    assert (proof.jti, proof.nonce) == ("one", "two")
    assert check(forge, forge.signed()).nonce is None


def test_a_proof_is_not_shown():
    """A log line or an error report must not let anybody use it."""
    assert "secret" not in repr(RequestFacts("dpop", "GET", URL, "secret"))


GOOD = {
    "typ in other letters": {"typ": "DPoP+JWT"},
    "typ as a media type": {"typ": "application/dpop+jwt"},
    "kid beside jwk": {"kid": "key-1"},
    "an unknown parameter": {},
    "iat a fraction": {"iat": NOW - 0.5},
    "iat as old as may be": {"iat": NOW - 90},
    "iat as far ahead as may be": {"iat": NOW + 30},
    "claims that nobody asked for": {"exp": 1, "aud": 5, "htx": None},
    "a long jti": {"jti": "x" * 4000},
    "a jti of any characters": {"jti": "\u00e9 \n\0"},
    "a nonce that nobody asked for": {"nonce": "x"},
}


@pytest.mark.parametrize("faults", GOOD.values(), ids=GOOD)
def test_what_does_not_matter_is_accepted(forge, faults):
    """RFC 9449 section 4.2 allows more in header and claims."""
    assert check(forge, forge.proof(**faults))


@pytest.mark.parametrize("more", [{"kid": "x"}, {"use": "sig"}, {"alg": "ES256"}, {"key_ops": ["verify"]}, {"x": "y"}])
def test_members_beside_the_key_do_not_matter(forge, more):
    """They do not change the thumbprint either (RFC 7638 section 3.2)."""
    assert check(forge, forge.signed(header=forge.header(jwk={**more, **forge.jwk()})))


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
def test_every_algorithm_signs_proofs(signing_key, frozen_time, alg):
    """With the key that fits; the token is bound to its thumbprint."""
    kid = "rsa" if alg[:2] in ("RS", "PS") else "client"
    forge = Forge(signing_key(alg, kid), signing_key(alg, "other"))
    assert check(forge, forge.proof())
    assert refusal_of(forge, forge.proof(), dpop=DpopSettings(algorithms=("ES256K",))).reason == "malformed_proof"


def test_an_algorithm_that_is_not_listed_is_refused(forge):
    """DPOP["ALGORITHMS"] restricts, though the key could do more; the log says which it is."""
    error = refusal_of(forge, forge.proof(), dpop=DpopSettings(algorithms=("ES384", "EdDSA")))
    assert (error.reason, error.detail) == ("malformed_proof", "alg is not accepted")


#: By table of bad proofs: how the details begin.
STAGES = {
    "not one proof": (NOT_ONE_PROOF, ("not a JWS", "more than one DPoP header", "too long", "header")),
    "header": (HEADERS, ("header", "crit", "typ", "another key beside jwk", "alg does not fit jwk")),
    "key": (KEYS, ("jwk: ", "alg does not fit jwk", "header")),
    "signature": (SIGNATURES, ("signature",)),
    "payload": (PAYLOADS, ("payload", "jti", "htm", "htu", "iat", "ath", "nonce")),
}


@pytest.mark.parametrize(
    ("make", "details"),
    [
        pytest.param(make, details, id=f"{stage}: {name}")
        for stage, (table, details) in STAGES.items()
        for name, make in table.items()
    ],
)
def test_a_malformed_proof_is_refused_where_its_fault_is(forge, make, details):
    """Not further on, where another fault would be found that the same change has brought along."""
    assert refusal_of(forge, make(forge)).detail.startswith(details)


DETAILS = {
    "two headers": "more than one DPoP header",
    "too long": "too long",
    "one segment": "not a JWS",
    "header is no JSON": "header",
    "crit": "crit",
    "typ of a JWT": "typ",
    "x5c beside jwk": "another key beside jwk",
    "alg of another curve": "alg does not fit jwk",
    "private member d": "jwk: secret or private key material has no place in a JWKS that is public",
    "coordinate with zeros in front": "jwk: a member is not in its shortest spelling",
    "in DER": "signature",
    "payload is no JSON": "payload",
    "no jti": "jti",
    "no ath": "ath",
    "no iat": "iat",
    "nonce 1": "nonce",
}


@pytest.mark.parametrize(("name", "detail"), DETAILS.items(), ids=DETAILS)
def test_the_log_says_what_is_malformed(forge, name, detail):
    """The description for the client is one for all; the project has to find the fault."""
    assert refusal_of(forge, BAD[f"malformed_proof: {name}"][0](forge)).detail == detail


def test_the_log_says_what_was_expected(forge):
    """Of the request alone, in which nobody who forges a proof has a say."""
    assert refusal_of(forge, forge.proof(htm="POST")).detail == "expected GET"
    assert refusal_of(forge, forge.proof(htu="https://evil.test/")).detail == f"expected {URL}"
    assert refusal_of(forge, forge.proof(iat=0)).detail == "iat is too long ago"
    assert refusal_of(forge, forge.proof(iat=NOW + 99)).detail == "iat is in the future"


@pytest.mark.parametrize(
    ("seconds", "leeway", "age", "is_good"),
    [
        *((60, 0, 60, True), (60, 0, 61, False), (60, 0, 0, True), (60, 0, -1, False)),
        *((60, 30, 90, True), (60, 30, 91, False), (60, 30, -30, True), (60, 30, -31, False)),
        *((1, 0, 1, True), (1, 0, 2, False), (300, 5, 305, True), (300, 5, 306, False), (0.5, 0, 1, False)),
    ],
)
def test_a_proof_is_good_for_its_time(forge, seconds, leeway, age, is_good):
    """PROOF_SECONDS, and LEEWAY on both sides for clocks ahead and behind."""
    proof = forge.proof(iat=ago(age))
    dpop = DpopSettings(proof_seconds=seconds)
    if is_good:
        assert check(forge, proof, dpop=dpop, leeway=leeway)
    else:
        assert refusal_of(forge, proof, dpop=dpop, leeway=leeway).reason == "stale_proof"


def test_the_length_is_bounded_to_the_byte(forge):
    """The longest that is read, and one byte more."""
    short = len(forge.proof(jti="x"))
    longest = next(
        proof
        for size in range((MAXIMUM_LENGTH - short) * 3 // 4 - 8, MAXIMUM_LENGTH)
        if len(proof := forge.proof(jti="x" * size)) >= MAXIMUM_LENGTH - 1
    )
    assert len(longest) <= MAXIMUM_LENGTH
    assert check(forge, longest)
    assert refusal_of(forge, "x" * (MAXIMUM_LENGTH + 1)).detail == "too long"
    assert refusal_of(forge, "x" * MAXIMUM_LENGTH).detail == "not a JWS"


def test_the_key_is_looked_at_before_the_signature_and_that_before_the_claims(forge):
    """Who cannot sign learns nothing of what the claims should have been."""
    wrong = {"htm": "POST", "htu": "https://evil.test/", "iat": 0, "ath": "x"}
    assert refusal_of(forge, forge.proof(signed_by=forge.other, **wrong)).detail == "signature"
    assert refusal_of(forge, forge.proof(signed_by=forge.other, jwk=forge.other.public_jwk)).reason == "wrong_proof_key"


def test_a_header_that_comes_again_is_parsed_once(forge):
    """A client sends the same one with each proof, and to parse its key takes as long as to use it."""
    read_proof_header_cached.cache_clear()
    for _ in range(3):
        check(forge, forge.proof())
    assert read_proof_header_cached.cache_info()[:2] == (2, 1)
    read_proof_header_cached.cache_clear()


def test_the_memory_of_headers_is_bounded(forge):
    """Anybody can make up a header: long ones are not kept, and of the short ones a number."""
    read_proof_header_cached.cache_clear()
    assert check(forge, forge.signed(header=forge.header(extra="x" * LONGEST_CACHED_HEADER)))
    assert read_proof_header_cached.cache_info().currsize == 0
    for position in range(600):
        check(forge, forge.signed(header=forge.header(extra=position)))
    assert read_proof_header_cached.cache_info().currsize == 512
    read_proof_header_cached.cache_clear()


def test_a_header_is_remembered_apart_from_the_settings_and_the_token(forge):
    """What another project accepts, or another token is bound to, says nothing of this one."""
    proof = forge.proof()
    assert check(forge, proof)
    assert refusal_of(forge, proof, dpop=DpopSettings(algorithms=("EdDSA",))).detail == "alg is not accepted"
    with pytest.raises(InvalidProof, match="another key"):
        check_proof(forge.facts(proof), forge.token, forge.other.thumbprint, DEFAULTS, 30, NOW)


def test_the_rfcs_example_is_accepted():
    """RFC 9449 section 7.1: its token, its proof, its request, at its time; and a second too late for it."""
    facts, token = RequestFacts("dpop", "GET", RESOURCE, PROOF), token_of(TOKEN)
    assert check_proof(facts, token, JKT, DEFAULTS, 0, MADE_AT).jti == "e1j3V_bKic8-LAEB"
    with pytest.raises(InvalidProof, match="just now"):
        check_proof(facts, token, JKT, DEFAULTS, 0, MADE_AT + 61)


def test_the_rfcs_proof_for_the_token_endpoint_is_none_for_a_resource():
    """RFC 9449 section 5: its signature is good, but it has no ``ath``."""
    facts = RequestFacts("dpop", "POST", "https://server.example.com/token", TOKEN_REQUEST_PROOF)
    with pytest.raises(InvalidProof) as caught:
        check_proof(facts, token_of(TOKEN), JKT, DEFAULTS, 0, 1562262616)
    assert caught.value.detail == "ath"


@given(st.text(alphabet=string.ascii_letters + string.digits + "-_.,=~ \u00e9\0", max_size=60))
def test_whatever_is_sent_as_a_proof_ends_in_its_refusal(text):
    """No text makes any other error."""
    with pytest.raises(InvalidProof) as caught:
        check_proof(RequestFacts("dpop", METHOD, URL, text), token_of(), JKT, DEFAULTS, 30, NOW)
    assert caught.value.reason == "malformed_proof"


@given(st.data())
def test_a_proof_with_one_character_changed_is_refused(data):
    """Wherever it is."""
    at = data.draw(st.integers(0, len(PROOF) - 1))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_.").filter(lambda c: c != PROOF[at]))
    facts = RequestFacts("dpop", "GET", RESOURCE, PROOF[:at] + other + PROOF[at + 1 :])
    with pytest.raises(InvalidProof):
        check_proof(facts, token_of(TOKEN), JKT, DEFAULTS, 0, MADE_AT)
