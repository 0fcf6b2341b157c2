"""What a trusted key has signed, drawn at random: accepted where it follows the rules, refused elsewhere."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_oauth_jwt.verification import verify_token

from .forge import AUDIENCE, ISSUER, mints
from .mutations import examples, mutated
from .rules_oracle import are_good_claims, is_good_header

pytestmark = pytest.mark.unmeasured

MINT = mints("ES256")
NOW = MINT.claims["iat"] + 60

numbers = st.integers() | st.floats() | st.integers(-(10**400), 10**400)
texts = st.text(st.characters(exclude_categories=()), max_size=10)
scalars = st.none() | st.booleans() | numbers | texts
values = scalars | st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=8
)
#: Times, of which some are near enough to the bounds to count.
times = st.integers(-60, 60).map(lambda seconds: NOW + seconds) | st.floats(NOW - 60, NOW + 60) | values

#: What a token says that it is for.
uses = st.sampled_from(["access", "Bearer", "id", "ID", "Refresh", "refresh_token", "Offline", "identity", ["id"]])

ODD_CLAIMS = {
    "iss": st.sampled_from([ISSUER, ISSUER + "/", ISSUER.upper()]) | values,
    "aud": st.sampled_from(
        [AUDIENCE, [AUDIENCE], ["x", AUDIENCE], [AUDIENCE, {}], [None, AUDIENCE], ["x"], AUDIENCE + "x", []]
    )
    | values,
    "sub": values,
    "exp": times,
    "nbf": times,
    "iat": times,
    "scope": values,
    "client_id": values,
    "x": values,
    "at_hash": values,
    "c_hash": values,
    "s_hash": values,
    "events": values,
    "token_introspection": values,
    **dict.fromkeys(("token_use", "token_type", "typ"), uses | values),
}
#: Good claims, of which some are drawn at random and some are left out.
claim_sets = st.builds(
    lambda odd, gone: {name: value for name, value in {**MINT.claims, **odd}.items() if name not in gone},
    st.sets(st.sampled_from(sorted(ODD_CLAIMS)), max_size=2).flatmap(
        lambda names: st.fixed_dictionaries({name: ODD_CLAIMS[name] for name in sorted(names)})
    ),
    st.sets(st.sampled_from(sorted(ODD_CLAIMS)), max_size=1),
)


@pytest.fixture(autouse=True)
def _trusting(trust_mints, monkeypatch):
    """Trust the mints, at a time that stands still."""
    monkeypatch.setattr("time.time", lambda: NOW)
    trust_mints()


@examples(500)
@given(claims=claim_sets)
def test_random_claims_are_accepted_only_where_they_follow_the_rules(entrances, claims):
    """Two readings of the rules, this folder's and the package's, never differ."""
    assert entrances.accepts(MINT.raw(payload=json.dumps(claims).encode())) is are_good_claims(claims, NOW)


HEADER_NAMES = ["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "nonce", "x"]


@examples(400)
@given(odd=st.dictionaries(st.sampled_from(HEADER_NAMES), values, max_size=2))
def test_a_random_header_is_accepted_only_where_it_follows_the_rules(entrances, odd):
    """With whatever beside what a header needs, or instead of it."""
    header = {**MINT.header, **odd}
    assert entrances.accepts(MINT.raw(header=json.dumps(header).encode())) is is_good_header(header)


@examples(300)
@given(
    payload=st.binary()
    | values.map(lambda value: json.dumps(value).encode())
    | texts.map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_a_random_payload_is_refused(entrances, payload):
    """Bytes, and JSON of all kinds: without its claims it is no access token."""
    assert not entrances.accepts(MINT.raw(payload=payload))


manglings = st.tuples(
    st.sampled_from(["insert", "replace", "delete", "cut", "swap", "one bit"]),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from([*'{}[],:"\\', "NaN", "1e999", '"exp"', "null"]),
)


@examples(500)
@given(changes=st.lists(manglings, max_size=3))
def test_signed_json_that_was_mangled_is_accepted_only_as_what_it_says(entrances, changes):
    """Read by another reader it is JSON with no name twice, follows the rules, and says the same."""
    assert_two_readers_agree(entrances, mutated(json.dumps(MINT.claims), changes))


def _object_texts(inner):
    """Make the text of objects in which a name may well come twice."""
    members = st.tuples(st.sampled_from(['"a"', r'"\u0061"', '"b"', '"sub"', '"exp"', r'"\ud800"']), inner)
    return st.lists(members, max_size=3).map(lambda pairs: _object_text(*map(": ".join, pairs)))


def _object_text(*members):
    return "{" + ", ".join(filter(None, members)) + "}"


#: The text of JSON values, and of what some readers take for one.
value_texts = st.recursive(
    st.sampled_from(
        ["1", "null", '"x"', "NaN", "-Infinity", "1e999", "01", "9" * 5000, r'"\ud800"', r'"\ud83d\udd11"']
    ),
    lambda inner: st.lists(inner, max_size=3).map(lambda texts: f"[{', '.join(texts)}]") | _object_texts(inner),
    max_leaves=4,
)


@examples(500)
@given(added=_object_texts(value_texts), is_first=st.booleans())
def test_signed_json_with_more_members_is_accepted_only_as_what_it_says(entrances, added, is_first):
    """Names that come twice, in any spelling and at any depth, and values that are no JSON, among good claims."""
    members = [json.dumps(MINT.claims)[1:-1], added[1:-1]]
    assert_two_readers_agree(entrances, _object_text(*(members[::-1] if is_first else members)))


def assert_two_readers_agree(entrances, text):
    """Accepted is what the other reader can read, to the letter, and finds good."""
    token = MINT.raw(payload=text.encode())
    try:
        claims = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant)
    except ValueError:
        claims = {}
    assert entrances.accepts(token) is (isinstance(claims, dict) and are_good_claims(claims, NOW))
    if entrances.accepts(token):
        assert verify_token(token).claims == claims


def _pairs(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name comes twice")
    return dict(pairs)


def _no_constant(name):
    raise ValueError(name)
