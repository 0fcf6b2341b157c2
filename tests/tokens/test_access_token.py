"""The access token: nothing about it can be changed, and its text stays out of logs."""

import copy
import json
import pickle
import weakref
from datetime import UTC, datetime

import pytest
from django.http import JsonResponse

from django_oauth_jwt.tokens import AccessToken, FrozenDict, VerifiedToken, freeze, thaw
from django_oauth_jwt.tokens.frozen_json import FrozenList

CLAIMS = {"sub": "user-1", "roles": ["a", {"b": ["c"]}], "nested": {"x": {"y": 1}}, "n": 1, "null": None}
GRANTS = {"scope": "b a", "client_id": "c"}


def _token(**claims):
    # Of its own objects: what a copy shares with the token would else be shared with CLAIMS, and go unseen.
    return AccessToken("SECRET.TOKEN.TEXT", VerifiedToken(copy.deepcopy(claims), freeze({"alg": "ES256"})))


def test_it_gives_what_was_verified():
    """Each property by its name."""
    token = _token(**CLAIMS, **GRANTS)
    assert (token.subject, token.client_id, token.scopes) == ("user-1", "c", {"a", "b"})
    assert (token.claims, token.header, token.encoded) == (CLAIMS | GRANTS, {"alg": "ES256"}, "SECRET.TOKEN.TEXT")
    assert _token().subject is None


def test_the_requests_that_share_a_token_share_its_read_only_claims():
    """They are made once, and the claims that were verified stay what they are beside them."""
    verified = VerifiedToken(copy.deepcopy(CLAIMS), freeze({}))
    first, second = AccessToken("a.b.c", verified), AccessToken("a.b.c", verified)
    assert first.claims is second.claims
    assert type(verified.claims) is dict


def test_its_text_stays_out_of_its_repr():
    """A log with the token in it would let its reader use it."""
    assert repr(_token(**CLAIMS, **GRANTS)) == "<AccessToken of 'user-1', client 'c', scopes ['a', 'b']>"
    assert "SECRET" not in f"{_token()} {_token()!r} {[_token()]}"


@pytest.mark.parametrize(
    "name", ["encoded", "claims", "header", "scopes", "subject", "client_id", "expires_at", "other"]
)
def test_no_attribute_can_be_set(name):
    """It is shared by whoever holds the request."""
    token = _token()
    with pytest.raises(AttributeError):
        setattr(token, name, "x")
    with pytest.raises(AttributeError):
        delattr(token, name)


@pytest.mark.parametrize(
    ("claims", "expires_at"),
    [
        ({}, None),
        ({"exp": 1_800_000_000}, datetime(2027, 1, 15, 8, tzinfo=UTC)),
        ({"exp": 1_800_000_000.5}, datetime(2027, 1, 15, 8, 0, 0, 500_000, tzinfo=UTC)),
        ({"exp": 10**400}, datetime.max.replace(tzinfo=UTC)),
        ({"exp": 1e300}, datetime.max.replace(tzinfo=UTC)),
        ({"exp": 10**12}, datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_its_end_is_a_time_in_utc(claims, expires_at):
    """None where it has none, the end of Python's time where it is beyond that."""
    assert _token(**claims).expires_at == expires_at


DICT_CHANGES = {
    "set": lambda d: d.__setitem__("x", 1),
    "delete": lambda d: d.__delitem__("sub"),
    "or": lambda d: d.__ior__({"x": 1}),
    "clear": lambda d: d.clear(),
    "pop": lambda d: d.pop("sub"),
    "popitem": lambda d: d.popitem(),
    "setdefault": lambda d: d.setdefault("x", 1),
    "update": lambda d: d.update(x=1),
}
LIST_CHANGES = {
    "set": lambda x: x.__setitem__(0, 1),
    "delete": lambda x: x.__delitem__(0),
    "add": lambda x: x.__iadd__([1]),
    "multiply": lambda x: x.__imul__(2),
    "append": lambda x: x.append(1),
    "clear": lambda x: x.clear(),
    "extend": lambda x: x.extend([1]),
    "insert": lambda x: x.insert(0, 1),
    "pop": lambda x: x.pop(),
    "remove": lambda x: x.remove("a"),
    "reverse": lambda x: x.reverse(),
    "sort": lambda x: x.sort(),
}


def test_every_method_that_changes_is_tried():
    """A method that a later Python adds to dict or list is seen here."""
    unchanging_dict = {"copy", "fromkeys", "get", "items", "keys", "values"}
    unchanging_list = {"copy", "count", "index"}
    assert {name for name in vars(dict) if name[0] != "_"} - unchanging_dict == set(DICT_CHANGES) - {
        "set",
        "delete",
        "or",
    }
    operators = {"set", "delete", "add", "multiply"}
    assert {name for name in vars(list) if name[0] != "_"} - unchanging_list == set(LIST_CHANGES) - operators


@pytest.mark.parametrize("change", DICT_CHANGES.values(), ids=DICT_CHANGES)
@pytest.mark.parametrize(
    "where", [lambda t: t.claims, lambda t: t.header, lambda t: t.claims["nested"], lambda t: t.claims["roles"][1]]
)
def test_no_object_in_it_can_be_changed(change, where):
    """Claims and header, at every depth, by any method."""
    token = _token(**CLAIMS)
    with pytest.raises(TypeError, match="cannot be changed"):
        change(where(token))
    assert token.claims == CLAIMS


@pytest.mark.parametrize("change", LIST_CHANGES.values(), ids=LIST_CHANGES)
@pytest.mark.parametrize("where", [lambda t: t.claims["roles"], lambda t: t.claims["roles"][1]["b"]])
def test_no_array_in_it_can_be_changed(change, where):
    """The same for arrays."""
    token = _token(**CLAIMS)
    with pytest.raises(TypeError, match="cannot be changed"):
        change(where(token))
    assert token.claims == CLAIMS


def test_its_claims_are_still_json():
    """They are what json, JsonResponse and comparisons take for a dict."""
    claims = _token(**CLAIMS).claims
    assert json.loads(json.dumps(claims)) == CLAIMS
    assert json.loads(JsonResponse(claims).content) == CLAIMS
    assert isinstance(claims, dict)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_a_copy_cannot_be_changed_either(duplicate):
    """Nor one that has been through a task queue."""
    token = duplicate(_token(**CLAIMS))
    assert token == _token(**CLAIMS)
    for value in (duplicate(_token(**CLAIMS).claims), token.claims):
        assert type(value) is FrozenDict
        assert type(value["roles"]) is FrozenList
        assert type(value["roles"][1]) is FrozenDict
        assert value == CLAIMS
    assert type(duplicate(freeze([1, [2]]))) is FrozenList


def test_it_can_be_told_apart_and_collected():
    """Equal where text and content are; a set and a dict take it, though claims cannot be hashed."""
    token = _token(**CLAIMS)
    assert {token, _token(**CLAIMS)} == {token}
    assert len({token, AccessToken("other", token._verified), _token(sub="other")}) == 3
    assert token != token.encoded
    assert weakref.ref(token)() is token


def test_the_confirmation_says_to_whom_the_token_is_bound():
    """RFC 7800 section 3.1: the claim cnf as it is, read-only; whether it can be checked is another question."""
    bound = _token(cnf={"jkt": "x", "other": ["y"]})
    assert bound.is_bound
    assert bound.confirmation == {"jkt": "x", "other": ["y"]}
    with pytest.raises(TypeError):
        bound.confirmation["jkt"] = "z"
    with pytest.raises(TypeError):
        bound.confirmation["other"].append("z")
    assert (_token(sub="ann").is_bound, _token(sub="ann").confirmation) == (False, None)
    assert (_token(cnf=None).is_bound, _token(cnf=None).confirmation) == (True, None)
    assert (_token(cnf="x").is_bound, _token(cnf="x").confirmation) == (True, "x")


def test_new_claims_are_the_takers_own():
    """A plain dict that shares nothing with the token, and is another one each time."""
    token = _token(**CLAIMS)
    first, second = token.new_claims(), token.new_claims()
    assert first == second == CLAIMS
    first["roles"][1]["b"].append("d")
    first["nested"]["x"]["y"] = 2
    assert second == CLAIMS
    assert token.claims == CLAIMS
    for claims in (first, token.new_claims()):  # from claims that were not frozen yet, and from frozen ones
        assert [type(value) for value in _containers(claims)] == [dict, list, dict, list, dict, dict]
        for other in (token.claims, second):
            assert not {id(value) for value in _containers(claims)} & {id(value) for value in _containers(other)}


def _containers(value):
    """Return the objects and arrays of a JSON value, itself first, at any depth."""
    members = {dict: dict.values, list: iter, FrozenDict: dict.values, FrozenList: iter}.get(type(value))
    return [value, *(found for member in members(value) for found in _containers(member))] if members else []


@pytest.mark.parametrize("value", [None, True, 5, 1.5, "x", [], {}, [[]], {"a": {}}])
def test_any_json_value_is_frozen_and_thawed(value):
    """There and back."""
    assert thaw(freeze(value)) == freeze(value) == value
    assert type(thaw(freeze(value))) is type(value)
