"""Requirements as data: what they are parsed from, and what meets them."""

from collections import OrderedDict
from contextlib import nullcontext
from types import MappingProxyType

import pytest

from django_oauth_jwt.errors import InsufficientScope, MissingClaims
from django_oauth_jwt.tokens import (
    AccessToken,
    ClaimRequirement,
    Requirements,
    VerifiedToken,
    claim_requirement,
    freeze,
    parse_claims,
    parse_scopes,
    scopes_of,
)

ROLE = ClaimRequirement(("role",))
ADMIN = ClaimRequirement(("role",), ("admin",))
EVERYTHING = {
    "s": "x",
    "n": 1,
    "f": 1.5,
    "yes": True,
    "no": False,
    "nothing": None,
    "list": ["a", 1, True, ["b"], {"c": 1}],
    "empty": [],
    "object": {"a": 1, "b": {"c": [True]}},
}


def _token(**claims):
    return AccessToken("a.b.c", VerifiedToken(freeze(claims), freeze({})))


@pytest.mark.parametrize(
    ("given", "scopes"),
    [
        ("", ()),
        ("  ", ()),
        ("read", ("read",)),
        (" read  write ", ("read", "write")),
        (["read", "write"], ("read", "write")),
        (("read",), ("read",)),
        ({"read"}, ("read",)),
        (frozenset({"read"}), ("read",)),
        ("https://api.example.com/read:all", ("https://api.example.com/read:all",)),
        ("!#[]~", ("!#[]~",)),
    ],
)
def test_scopes_are_parsed(given, scopes):
    """A space-separated string, or whatever holds several."""
    assert parse_scopes(given) == scopes


@pytest.mark.parametrize(
    "given",
    [None, 5, {"read": 1}, ["read write"], [""], [" "], [5], [None], [b"read"], 'a"b', "a\\b", "\u00fc", "a\x7fb"],
)
def test_what_is_no_scope_is_a_mistake(given):
    """RFC 6749 section 3.3: a scope that no token can have would refuse everybody, and break the challenge."""
    with pytest.raises(ValueError, match=r"not a scope|expected a list"):
        parse_scopes(given)


@pytest.mark.parametrize(
    ("given", "requirements"),
    [
        ([], ()),
        ("role", (ROLE,)),
        (["role"], (ROLE,)),
        ({"name": "role"}, (ROLE,)),
        ([{"name": "role"}, "role"], (ROLE, ROLE)),
        ([{"name": "role", "value": "admin"}], (ADMIN,)),
        (MappingProxyType({"name": "role", "value": "admin"}), (ADMIN,)),
        ([{"name": "role", "value": ["admin", "root"]}], (ClaimRequirement(("role",), ("admin", "root")),)),
        ([{"name": "role", "value": {"admin"}}], (ADMIN,)),
        ([{"name": ["a", "b"], "value": 0}], (ClaimRequirement(("a", "b"), (0,)),)),
        ([{"name": ("a", "b")}], (ClaimRequirement(("a", "b")),)),
        ([("a", "b")], (ClaimRequirement(("a", "b")),)),
        ([{"name": "n", "value": False}], (ClaimRequirement(("n",), (False,)),)),
        ([{"name": "n", "value": {"a": 1}}], (ClaimRequirement(("n",), ({"a": 1},)),)),
        ([ADMIN], (ADMIN,)),
    ],
)
def test_claim_requirements_are_parsed(given, requirements):
    """Every spelling of the setting CLAIMS and of the decorator's argument."""
    assert parse_claims(given) == requirements


@pytest.mark.parametrize(
    "given",
    [
        *(None, 5, [None], [5], [""], [[]], [["a", ""]], [["a", 5]], {}, [{}], [{"value": 1}], [{"name": ""}]),
        *([{"name": 5}], [{"name": {"a": 1}}], [{"name": "a", "values": [1]}], [{"name": "a", "value": 1, "x": 1}]),
        *([{"name": "a", "value": None}], [{"name": "a", "value": []}], [{"name": "a", "value": [1, None]}]),
    ],
)
def test_what_is_no_claim_requirement_is_a_mistake(given):
    """A requirement that no token can meet is told when it is written."""
    with pytest.raises(ValueError, match=r"expected a list|a claim's name|a claim is|which no claim can meet"):
        parse_claims(given)


@pytest.mark.parametrize(
    ("name", "value", "met"),
    [
        ("s", [], True),
        ("no", [], True),
        ("empty", [], True),
        ("nothing", [], False),
        ("missing", [], False),
        ("s", ["x"], True),
        ("s", ["X"], False),
        ("s", [["w", "x"]], True),
        ("n", [1], True),
        ("n", [1.0], True),
        ("n", [True], False),
        ("n", ["1"], False),
        ("f", [1.5], True),
        ("yes", [True], True),
        ("yes", [1], False),
        ("no", [False], True),
        ("no", [0], False),
        ("missing", ["x"], False),
        ("list", ["a"], True),
        ("list", [1], True),
        ("list", ["z"], False),
        ("list", [[["b"]]], True),
        ("list", [[["b", "c"]]], False),
        ("list", [{"c": 1}], True),
        ("list", [{"c": True}], False),
        ("empty", ["a"], False),
        ("object", [{"b": {"c": [True]}, "a": 1}], True),
        ("object", [OrderedDict(a=1, b=MappingProxyType({"c": [True]}))], True),
        ("object", [{"a": 1, "b": {"c": [1]}}], False),
        ("object", [{"a": 1}], False),
        ("object", ["a"], False),
        (["object", "a"], [1], True),
        (["object", "b", "c"], [True], True),
        (["object", "b", "c"], [], True),
        (["object", "z"], [], False),
        (["object", "a", "z"], [], False),
        (["s", "x"], [], False),
        (["list", "c"], [], False),
        (["nothing", "x"], [], False),
    ],
)
def test_a_claim_meets_its_requirement_by_json_equality(name, value, met):
    """Name alone, value, any of several values, array, path: true is not 1, and 1 is 1.0."""
    requirement = claim_requirement(name, *value)
    assert requirement.is_met_by(EVERYTHING) is met
    assert requirement.is_met_by(freeze(EVERYTHING)) is met


@pytest.mark.parametrize(
    ("requirements", "claims", "lacks_scope", "lacks_claim"),
    [
        (Requirements(), {}, False, False),
        (Requirements(scopes=("a",)), {"scope": "a b"}, False, False),
        (Requirements(scopes=("a", "c")), {"scope": "a b"}, True, False),
        (Requirements(scopes=("a",)), {}, True, False),
        (Requirements(claims=(ADMIN,)), {"role": "admin"}, False, False),
        (Requirements(claims=(ADMIN, ClaimRequirement(("x",)))), {"role": "admin"}, False, True),
        (Requirements(("a",), (ADMIN,)), {}, True, True),
    ],
)
def test_all_scopes_and_all_claims_are_required(requirements, claims, lacks_scope, lacks_claim):
    """One that is missing is enough to refuse; a missing scope is told first."""
    expected = InsufficientScope if lacks_scope else MissingClaims if lacks_claim else None
    with pytest.raises(expected) if expected else nullcontext():
        requirements.check(_token(**claims))


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({}, set()),
        ({"scope": ""}, set()),
        ({"scope": " a  b "}, {"a", "b"}),
        ({"scope": ["a", "b c", "", 5, None]}, {"a", "b c"}),
        ({"scp": "a", "scope": ["b"]}, {"a", "b"}),
        ({"scp": ["a"], "scope": None}, {"a"}),
        ({"scope": 5, "scp": {"a": 1}}, set()),
        ({"scope": True}, set()),
        ({"scope": "a\tb\u00a0c"}, {"a\tb\u00a0c"}),
    ],
)
def test_scopes_are_read_from_scope_and_scp(claims, scopes):
    """String or array, both together; anything else grants nothing, and only a space divides."""
    assert scopes_of(claims) == frozenset(scopes)
