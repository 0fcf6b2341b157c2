"""Whatever is made of a good token or header by chance: nothing but the exact token is accepted, nothing breaks."""

import re

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from .corpus.signatures import ORDERS
from .entrances import as_received
from .forge import b64, mints, unb64
from .mutations import examples, fragments, mutated, steps

pytestmark = pytest.mark.unmeasured

ALGORITHMS = ["ES256", "ES512", "EdDSA", "PS256", "RS256"]


@pytest.fixture(autouse=True)
def _trusting(trust_mints):
    """Trust the mints."""
    trust_mints()


@pytest.mark.parametrize("alg", ALGORITHMS)
@examples(300)
@given(changes=steps)
def test_nothing_but_the_exact_token_is_accepted(entrances, alg, changes):
    """One character, bit, segment or spelling off, right after the token itself was accepted and remembered."""
    token = mints(alg).token
    assert entrances.accepts(token)
    changed = mutated(token, changes)
    assert entrances.accepts(changed) is (changed == token)


@pytest.mark.parametrize("alg", ALGORITHMS)
@examples(100)
@given(data=st.data())
def test_no_signature_fits_another_token(entrances, alg, data):
    """Segments of two good tokens, put together at will, are a good token only where they are one of the two."""
    mint = mints(alg)
    tokens = [mint.token, mint.signed({"typ": "JWT"}, {"sub": "user-2"})]
    mixed = ".".join(data.draw(st.sampled_from(tokens)).split(".")[segment] for segment in range(3))
    assert entrances.accepts(mixed) is (mixed in tokens)


@pytest.mark.parametrize("alg", ALGORITHMS)
@examples(100)
@given(signature=st.binary(max_size=600))
def test_a_random_signature_is_refused(entrances, alg, signature):
    """Of any length."""
    assert not entrances.accepts(mints(alg).signed(sign=lambda message: signature))


@examples(300)
@given(token=st.text() | st.text("ey.A_-=", max_size=80) | st.lists(fragments, max_size=40).map("".join))
def test_random_text_is_refused(entrances, token):
    """Any characters, and those that tokens are made of."""
    assert not entrances.accepts(token)


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512"])
def test_the_one_other_signature_of_ecdsa_says_nothing_new(entrances, alg):
    """The exception that ECDSA makes: negated s holds as well, for the same header and claims to the letter.

    Honest signers make either, and RFC 7518 section 3.4 asks for neither, so it cannot be refused.
    """
    mint = mints(alg)
    header, payload, signature = mint.parts
    r, s = unb64(signature)[: len(unb64(signature)) // 2], unb64(signature)[len(unb64(signature)) // 2 :]
    negated = (ORDERS[alg] - int.from_bytes(s, "big")).to_bytes(len(s), "big")
    token = f"{header}.{payload}.{b64(r + negated)}"
    assert token != mint.token
    assert entrances.accepts(token)
    assert [verify(token).claims for verify in entrances.verifiers.values()] == [mint.claims] * 2


blanks = st.sampled_from(["", " ", "  ", "\t", "\n", "\r\n", "\u00a0", ":", ",", " , ", "=", '"', " Bearer "])
ODD_PARTS = {
    "before": blanks | st.text(max_size=3),
    "scheme": st.sampled_from(["bearer", "BEARER", "Bearer:", "Bearer,", "Basic", "DPoP", "JWT", ""])
    | st.text(max_size=8),
    "between": blanks | st.text(max_size=3),
    "changes": steps,
    "after": blanks | st.text(max_size=3),
}
#: What is odd about a header: one or two of its parts, so that nothing else is at fault.
oddities = st.sets(st.sampled_from(sorted(ODD_PARTS)), max_size=2).flatmap(
    lambda names: st.fixed_dictionaries({name: ODD_PARTS[name] for name in sorted(names)})
)


@pytest.mark.parametrize("path", ["/middleware", "/decorator", "/drf-open"])
@examples(300)
@given(odd=oddities)
def test_no_header_but_the_scheme_and_the_exact_token_is_accepted(path, odd):
    """By the grammar, read here by a regular expression: the scheme in any case, blanks, and the token itself."""
    token = mints("ES256").token
    good = {"before": "", "scheme": "Bearer", "between": " ", "changes": [], "after": ""}
    sent = as_received(_header_of(token, **{**good, **odd}))
    response = Client().get(path, headers={"Authorization": sent})
    is_good = re.fullmatch(rf"(?ai:bearer) +{re.escape(token)} *", sent) is not None
    assert (response.json().get("sub") is not None) is is_good
    if response.status_code == 200:
        # A view that is open to all is open to those who bring another scheme, and to them alone.
        assert is_good or (path == "/drf-open" and sent.partition(" ")[0].lower() != "bearer")
    else:
        assert response.status_code in (401, 403)
        assert re.match(r"Bearer\b", response["WWW-Authenticate"])  # first, also for who came with DPoP
        assert response["WWW-Authenticate"].isprintable()


def _header_of(token, before, scheme, between, changes, after):
    return f"{before}{scheme}{between}{mutated(token, changes)}{after}"
