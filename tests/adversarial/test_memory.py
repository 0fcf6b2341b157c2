"""What forged tokens leave behind in the process: nothing that adds up."""

import gc
import tracemalloc

import pytest

from .forge import b64, dumps, mints

pytestmark = pytest.mark.unmeasured

COUNT = 4
MINT = mints("ES256")


def _objects(number):
    """As many objects as a token has room for, each token's its own."""
    return {"number": number, "objects": [{}] * 3000}


FORGED = {
    "a header full of objects": lambda number: MINT.signed({"x": _objects(number)}, sign=lambda message: b""),
    "a payload full of objects": lambda number: MINT.signed(claims={"x": _objects(number)}, sign=lambda message: b""),
    "a kid of ten kilobytes": lambda number: MINT.signed({"kid": f"{number}" * 3000}, sign=lambda message: b""),
    "an issuer of ten kilobytes": lambda number: MINT.signed(claims={"iss": f"{number}" * 3000}),
    "a genuine payload that has expired": lambda number: MINT.signed(claims={"x": _objects(number), "exp": 1}),
    "a header that is no JSON": lambda number: f"{b64(dumps(_objects(number))[:-1])}.{MINT.parts[1]}.{MINT.parts[2]}",
}


def _bytes_kept(accepts, tokens):
    gc.collect(1)  # what is young; the rest of a long run takes a second to look through
    tracemalloc.start()
    try:
        assert not any(accepts(token) for token in tokens)
        gc.collect(1)
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_forged_tokens_take_up_no_memory(trust_mints, entrances, forge):
    """Whoever has no key can make the process remember a few bytes for each token, but not what is in it."""
    trust_mints()
    assert entrances.accepts(MINT.token)
    rounds = [[forge(number) for number in range(begin, begin + COUNT)] for begin in (1000, 2000, 3000)]
    # The fewest of three: what is kept is kept each time, what pytest's own threads receive meanwhile is not.
    assert min(_bytes_kept(entrances.accepts, tokens) for tokens in rounds) < COUNT * 6000
