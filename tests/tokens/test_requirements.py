"""Requirements as data: what they are parsed from, and what meets them."""

import enum
import re
import uuid
from collections import OrderedDict, UserDict, UserList, UserString, deque
from contextlib import nullcontext
from datetime import date
from decimal import Decimal
from fractions import Fraction
from http import HTTPStatus
from math import inf, nan
from types import MappingProxyType

import pytest
from django.utils.functional import lazystr

from django_oauth_jwt.errors import InsufficientScope, MissingClaims
from django_oauth_jwt.tokens import (
    AccessToken,
    ClaimRequirement,
    Requirements,
    VerifiedToken,
    claim_requirement,
    freeze,
    parse_authentication_context,
    parse_claims,
    parse_requirements,
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
    "pairs": [["a", "b"]],
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


LISTS = [list, tuple, deque, UserList, iter, dict.fromkeys, lambda names: dict.fromkeys(names).keys()]
LISTS += [lambda names: (name for name in names), lambda names: map(str, names)]


@pytest.mark.parametrize("make", [make for make in LISTS if make != dict.fromkeys])
def test_a_program_gives_any_iterable(make):
    """As the types say; a list in a list, such as a path or several values, as well."""
    claims = iter([make(["org", "role"]), {"name": make(["a", "b"]), "value": make(["x", "y"])}])
    assert parse_requirements(make(["read", "write"]), claims) == Requirements(
        ("read", "write"), (ClaimRequirement(("org", "role")), ClaimRequirement(("a", "b"), ("x", "y")))
    )


@pytest.mark.parametrize("given", [b"read", bytearray(b"read"), {"read": 1}, MappingProxyType({"read": 1}), 5, None])
def test_what_is_no_list_of_strings_is_none_for_a_program_either(given):
    """Neither bytes nor the names of a mapping; a string is the scopes or the one claim that it names."""
    for scope, claims in [(given, ()), ((), given), ((), [{"name": given}])]:
        with pytest.raises(ValueError, match=r"expected a list|a claim is"):
            parse_requirements(scope, claims)
    assert parse_requirements("read write", "role") == Requirements(("read", "write"), (ROLE,))


@pytest.mark.parametrize("of_kind", [lazystr, UserString])
def test_a_string_of_any_kind_is_no_list_of_letters(of_kind):
    """As the value of a claim it is what it says; that it names no scope is told at once."""
    for claims in ([{"name": "c", "value": of_kind("ab")}], [{"name": "c", "value": ["x", of_kind("ab")]}]):
        required = parse_requirements((), claims)
        assert [_meets(required, {"c": value}) for value in ("ab", "a")] == [True, False]
    for scope in (of_kind("ab"), [of_kind("ab")]):
        for parse in (lambda scope: parse_requirements(scope, ()), parse_authentication_context):
            with pytest.raises(ValueError, match=r"expected a list|is not a"):
                parse(scope)


class Role(enum.StrEnum):
    ADMIN = "admin"


class Level(enum.Enum):
    HIGH = "high"


NO_JSON = [uuid.UUID(int=1), Level.HIGH, len, object(), b"x", re.compile("a"), range(3), ..., nan, inf, Decimal("NaN")]
NO_JSON += [date(2020, 1, 1), {1: "a"}, {"a": b"x"}, {"a": {"b"}}, [[nan]], 1j, UserDict]


@pytest.mark.parametrize("value", NO_JSON)
def test_a_value_that_no_json_has_is_a_mistake(value):
    """It would refuse everybody without a word."""
    for given in (value, ["x", value]):
        with pytest.raises(ValueError, match=r"required of 'c' is .*, which no JSON has: write what the token has"):
            claim_requirement("c", given)


@pytest.mark.parametrize(
    ("value", "claim"),
    [
        (Role.ADMIN, "admin"),
        (Decimal(1), 1),
        (Decimal("0.5"), 0.5),
        (HTTPStatus.OK, 200),
        (10**400, 10**400),
        (Fraction(1, 2), 0.5),
        ("", ""),
        (False, False),
        ({"a": None}, {"a": None}),
        (UserDict(a=[lazystr("x")]), {"a": ["x"]}),
        ({UserString("a"): {}}, {"a": {}}),
        ([("x", "y")], ["x", "y"]),
        ([[Role.ADMIN, ("x", None)]], ["admin", ["x", None]]),
        ([[]], []),
    ],
)
def test_a_value_that_is_equal_to_jsons_is_none(value, claim):
    """Enums of strings, numbers of any kind, lazy strings, mappings; a tuple in a list is an array, too."""
    assert claim_requirement("c", value).is_met_by({"c": [claim]})


@pytest.mark.parametrize("make", LISTS[2:])
def test_what_is_read_more_than_once_is_a_list(make):
    """Settings and attributes of views: a generator would be empty the second time, and require nothing."""
    with pytest.raises(ValueError, match="expected a list"):
        parse_scopes(make(["read"]))


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
        ("pairs", [[["a", "b"]]], True),
        ("pairs", [[["a", "x"]]], False),
        ("pairs", [[["x", "b"]]], False),
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
        ({"scope": ["a", "b c", ""]}, {"a", "b c"}),
        *(({"scope": ["a", other]}, set()) for other in (5, None, True, {}, ["b"])),
        ({"scope": ["a", 5], "scp": "b"}, {"b"}),
        ({"scp": "a", "scope": ["b"]}, {"a", "b"}),
        ({"scp": ["a"], "scope": None}, {"a"}),
        ({"scope": 5, "scp": {"a": 1}}, set()),
        ({"scope": True}, set()),
        ({"scope": "a\tb\u00a0c"}, {"a\tb\u00a0c"}),
    ],
)
def test_scopes_are_read_from_scope_and_scp(claims, scopes):
    """String or array of strings, both together; anything else grants nothing, and only a space divides."""
    assert scopes_of(claims) == frozenset(scopes)


def _meets(requirements, claims):
    """Tell whether a token of these claims meets the requirements."""
    try:
        requirements.check(_token(**claims))
    except (InsufficientScope, MissingClaims):
        return False
    return True


def any_of(*values):
    return {"name": "c", "value": list(values)}


NESTED = {"realm_access": {"roles": ["admin", "user"], "n": None, "deep": {"er": 1}}}


@pytest.mark.parametrize(
    ("requirement", "token", "met"),
    [
        pytest.param("c", {"c": "x"}, True, id="name alone: there"),
        pytest.param("c", {"c": False}, True, id="name alone: false is there"),
        pytest.param("c", {"c": 0}, True, id="name alone: zero is there"),
        pytest.param("c", {"c": ""}, True, id="name alone: empty is there"),
        pytest.param("c", {"c": []}, True, id="name alone: an array is there"),
        pytest.param("c", {}, False, id="name alone: missing"),
        pytest.param({"name": "c"}, {}, False, id="dict without value: missing"),
        pytest.param({"name": "c", "value": "x"}, {"c": "x"}, True, id="string: equal"),
        pytest.param({"name": "c", "value": "x"}, {"c": "X"}, False, id="string: case differs"),
        pytest.param({"name": "c", "value": ""}, {"c": ""}, True, id="string: empty"),
        pytest.param({"name": "c", "value": "x"}, {"c": ["w", "x"]}, True, id="array: one equal"),
        pytest.param({"name": "c", "value": "x"}, {"c": ["w", ["x"]]}, False, id="array: no deeper"),
        pytest.param({"name": "c", "value": "x"}, {"c": {"x": "x"}}, False, id="object is no string"),
        pytest.param({"name": "c", "value": "x"}, {"c": "wx"}, False, id="string: no substring"),
        pytest.param({"name": "c", "value": True}, {"c": True}, True, id="true is true"),
        pytest.param({"name": "c", "value": True}, {"c": 1}, False, id="1 is not true"),
        pytest.param({"name": "c", "value": 1}, {"c": True}, False, id="true is not 1"),
        pytest.param({"name": "c", "value": False}, {"c": 0}, False, id="0 is not false"),
        pytest.param({"name": "c", "value": False}, {"c": False}, True, id="false can be required"),
        pytest.param({"name": "c", "value": 1}, {"c": [True]}, False, id="array: true is not 1"),
        pytest.param({"name": "c", "value": 1}, {"c": "1"}, False, id="a string is no number"),
        pytest.param({"name": "c", "value": 1}, {"c": 1.0}, True, id="1 and 1.0 are one JSON number"),
        pytest.param({"name": "c", "value": {"a": 1}}, {"c": {"a": 1}}, True, id="object: equal"),
        pytest.param({"name": "c", "value": {"a": 1}}, {"c": {"a": True}}, False, id="object: types within"),
        pytest.param({"name": "c", "value": {"a": 1}}, {"c": {"a": 1, "b": 2}}, False, id="object: more members"),
        pytest.param({"name": "c", "value": {"a": [1]}}, {"c": {"a": [1]}}, True, id="object: array within"),
        pytest.param({"name": "c", "value": {"a": [1]}}, {"c": {"a": [1, 2]}}, False, id="object: longer within"),
        pytest.param({"name": "c", "value": {"a": [1]}}, {"c": {"a": [True]}}, False, id="object: types deep within"),
        pytest.param(any_of("a", "b"), {"c": "b"}, True, id="any of: one"),
        pytest.param(any_of("a", "b"), {"c": "d"}, False, id="any of: none"),
        pytest.param(any_of("a", "b"), {"c": ["d", "b"]}, True, id="any of: one in the array"),
        pytest.param(any_of(1, "b"), {"c": True}, False, id="any of: types count"),
        pytest.param({"name": ["realm_access", "roles"], "value": "admin"}, NESTED, True, id="path: there"),
        pytest.param({"name": ("realm_access", "roles"), "value": "root"}, NESTED, False, id="path: differs"),
        pytest.param({"name": ["realm_access", "deep", "er"], "value": 1}, NESTED, True, id="path: deeper"),
        pytest.param({"name": ["realm_access", "n"]}, NESTED, False, id="path: null is not there"),
        pytest.param({"name": ["realm_access", "none"]}, NESTED, False, id="path: missing"),
        pytest.param({"name": ["realm_access", "roles", "admin"]}, NESTED, False, id="path: not through an array"),
        pytest.param({"name": ["sub", "x"]}, NESTED, False, id="path: not through a string"),
        pytest.param({"name": "https://api/roles", "value": "a"}, {"https://api/roles": "a"}, True, id="URL as name"),
        pytest.param({"name": "realm_access.roles"}, NESTED, False, id="a dot is part of the name"),
        pytest.param(ClaimRequirement(("c",), ("x",)), {"c": "x"}, True, id="one that is made already"),
    ],
)
def test_a_claim_requirement(requirement, token, met):
    """Present and not null, one element of an array, equal with equal JSON type, any of, a path."""
    assert _meets(Requirements(claims=parse_claims([requirement])), {"sub": "user-1", **token}) is met


@pytest.mark.parametrize("requirement", ["c", {"name": "c"}, {"name": ["o", "c"]}])
def test_a_claim_that_is_null_is_not_there(requirement):
    """JSON's null says that there is no value."""
    (parsed,) = parse_claims([requirement])
    assert not parsed.is_met_by({"c": None, "o": {"c": None}})
    assert parsed.is_met_by({"c": 1, "o": {"c": 1}})


@pytest.mark.parametrize(
    ("granted", "let_in"),
    [
        ({"scope": "read write"}, True),
        ({"scope": "  write   read  "}, True),
        ({"scope": "read"}, False),
        ({"scope": "readwrite"}, False),
        ({"scope": "READ WRITE"}, False),
        ({"scope": "read\twrite"}, False),
        ({"scp": "read write"}, True),
        ({"scp": ["read", "write"]}, True),
        ({"scp": ["read write"]}, False),
        ({"scope": "read", "scp": ["write"]}, True),
        ({"scp": ["read", 1, None, ["write"]]}, False),
        ({"scp": {"read": 1, "write": 1}}, False),
        ({"scp": 5}, False),
        ({"permissions": ["read", "write"]}, False),
        ({}, False),
    ],
)
def test_scope_is_a_string_or_an_array_and_scp_counts(granted, let_in):
    """RFC 6749 section 3.3, and what authorization servers send instead; rubbish grants nothing and breaks nothing."""
    assert _meets(Requirements(scopes=parse_scopes(["read", "write"])), granted) is let_in


def test_what_is_missing_is_named():
    """Each claim by its path, with the values that are required; a value may be none of JSON's own kinds."""
    required = [{"name": ["realm", "level"], "value": [2, "x"]}, "email", {"name": "since", "value": Decimal("0.5")}]
    token = AccessToken("", VerifiedToken({"email": "a@example.com", "realm": {"level": 1}}, freeze({})))
    with pytest.raises(MissingClaims) as caught:
        Requirements(claims=parse_claims(required)).check(token)
    assert caught.value.missing == ("realm.level", "since")
    assert caught.value.detail == '"level" in "realm" = 2 or "x", "since" = "Decimal(\'0.5\')"'
