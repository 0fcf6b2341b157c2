"""What forged tokens leave behind in the process: nothing that adds up."""

import gc
import tracemalloc

import pytest

from .forge import b64, dumps, mints

pytestmark = pytest.mark.unmeasured

COUNT = 8
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


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_forged_tokens_take_up_no_memory(trust_mints, entrances, forge):
    """Whoever has no key can make the process remember a few bytes for each token, but not what is in it."""
    trust_mints()
    assert entrances.accepts(MINT.token)
    tokens = [forge(number) for number in range(1000, 1000 + COUNT)]
    gc.collect()
    tracemalloc.start()
    try:
        assert not any(entrances.accepts(token) for token in tokens)
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < COUNT * 2000
