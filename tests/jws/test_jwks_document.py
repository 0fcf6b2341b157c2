"""A JWKS as it is read: one blemish costs what it is in, and no more."""

import json

import pytest

from django_oauth_jwt.jws import KeySet, loads_jwks
from django_oauth_jwt.jws.strict_json import FAULT

GOOD = '{"kty": "EC", "kid": "good"}'


@pytest.mark.parametrize(
    ("bad", "name", "kid"),
    [
        ('{"kty": "EC", "kid": "bad", "alg": "ES256", "alg": "ES384"}', "'alg'", "bad"),
        ('{"kid": "bad", "x5c": [{"a": 1, "a": 2}]}', "'a'", "bad"),
        ('{"kid": "bad", "nested": {"a": {"b": 1, "b": 1}}}', "'b'", "bad"),
        ('{"kid": "a", "kid": "b"}', "'kid'", None),
        ('[{"a": 1, "a": 2}]', "'a'", None),
    ],
)
def test_a_member_given_twice_inside_a_key_costs_that_key(bad, name, kid):
    """The others are as good as before, also from the cache, and the reason names the true cause."""
    document = loads_jwks(f'{{"keys": [{GOOD}, {bad}, {GOOD}]}}'.encode())
    assert document["keys"][0] == document["keys"][2] == json.loads(GOOD)
    for read in (document, json.loads(json.dumps(document))):
        unusable = KeySet.from_jwks(read).unusable[1]
        assert unusable.reason == f"duplicate member {name}"
        assert unusable.kid == kid


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ('"exp": NaN', "NaN is not JSON"),
        ('"x": [{"exp": -Infinity}]', "-Infinity is not JSON"),
        ('"exp": 1e999', "number out of range"),
        (f'"exp": {"9" * 5000}', "number of thousands of digits"),
        (r'"x": {"y": "\ud800"}', "lone surrogate"),
        (r'"\udfff": 1', "lone surrogate"),
    ],
)
def test_a_value_that_is_refused_costs_the_key_it_is_in(member, reason):
    """The others are as good as before, also from the cache."""
    document = loads_jwks(f'{{"keys": [{GOOD}, {{"kid": "bad", {member}}}, {GOOD}]}}'.encode())
    assert document["keys"][0] == document["keys"][2] == json.loads(GOOD)
    for read in (document, json.loads(json.dumps(document))):
        unusable = KeySet.from_jwks(read).unusable[1]
        assert (unusable.kid, unusable.reason) == ("bad", reason)


@pytest.mark.parametrize("bad", ['{"kid": NaN}', r'{"kid": "\ud800"}', "NaN", r'"\ud800"', "1e999"])
def test_a_key_that_is_or_has_no_name_but_such_a_value_has_none(bad):
    """Its position names it."""
    keys = loads_jwks(f'{{"keys": [{bad}, {GOOD}]}}'.encode())["keys"]
    assert KeySet.from_jwks({"keys": keys}).unusable[0].name == "number 1"
    assert keys[1] == json.loads(GOOD)


def test_a_reason_that_a_jwks_makes_up_is_safe_to_print():
    """It may have the member in which the reason stands."""
    (unusable,) = KeySet.from_jwks({"keys": [{FAULT: "made\nup"}]}).unusable
    assert unusable.reason == r"made\nup"


def test_numbers_and_escapes_of_a_good_key_are_as_they_were():
    """What is no fault is read as ever."""
    key = r'{"iat": 1700000000, "x": [1.5, -2e3], "text": "\ud83d\ude00\u00e9"}'
    assert loads_jwks(f'{{"keys": [{key}]}}'.encode())["keys"] == [json.loads(key)]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"keys": [], "keys": []}', "duplicate member 'keys'"),
        (b'{"keys": [], "a": {"b": 1, "b": 2}}', "duplicate member 'b'"),
        (b'{"keys": [], "a": [[{"b": 1, "b": 2}]]}', "duplicate member 'b'"),
        (b'{"keys": {"a": 1, "a": 2}}', "duplicate member 'a'"),
        (b'{"keys": [], "a": 1e999}', "number out of range"),
        (b'{"keys": [], "a": "\\ud800"}', "lone surrogate"),
        (b'{"\\u001b": 1, "\\u001b": 2}', r"duplicate member '\\x1b'"),
    ],
)
def test_such_a_fault_beside_the_keys_costs_the_document(data, problem):
    """What it says as a whole is in doubt; the name is safe to print."""
    with pytest.raises(ValueError, match=f"^{problem}$"):
        loads_jwks(data)


def test_a_byte_order_mark_is_skipped():
    """One, before the document: RFC 8259 section 8.1 lets a parser do so."""
    assert loads_jwks(b"\xef\xbb\xbf" + b'{"keys": []}') == {"keys": []}
    for data in (b"\xef\xbb\xbf" * 2 + b"{}", b" \xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00"):
        with pytest.raises(ValueError):  # noqa: PT011  # of several kinds
            loads_jwks(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b"{" * 70,
        b'{"a":' * 70,
        b'{"keys": [{"a": "\n"}]}',
        b'{"keys": ["\xe9"]}',
    ],
)
def test_everything_else_is_as_strict_as_in_a_token(data):
    """The same parser reads both."""
    with pytest.raises(ValueError):  # noqa: PT011  # as above
        loads_jwks(data)
