"""Scopes that stand for others."""

import pytest

from django_oauth_jwt.tokens import FLAT, ScopeHierarchy

BOOKS = ScopeHierarchy({"books.admin": ["books.write", "users"], "books.write": ["books.read"]})


@pytest.mark.parametrize(
    ("granted", "expanded"),
    [
        ([], []),
        (["books.read"], ["books.read"]),
        (["books.write"], ["books.read", "books.write"]),
        (["books.admin"], ["books.admin", "books.read", "books.write", "users"]),
        (["other", "books.write"], ["books.read", "books.write", "other"]),
    ],
)
def test_a_scope_stands_for_what_it_implies_transitively(granted, expanded):
    """And for itself; a scope that is not in it stands for itself alone."""
    assert sorted(BOOKS.with_implied(granted)) == expanded
    assert sorted(FLAT.with_implied(granted)) == sorted(granted)


@pytest.mark.parametrize(
    ("required", "ways"),
    [
        (("books.read",), [("books.admin",), ("books.write",)]),
        (("books.read", "other"), [("books.admin", "other"), ("books.write", "other")]),
        (("books.admin", "books.write"), [("books.admin",)]),
        (("other",), []),
    ],
)
def test_broader_scopes_do_in_place_of_those_they_stand_for(required, ways):
    """Each scope is named once, also where the broader one is required itself."""
    assert BOOKS.instead_of(required) == ways


@pytest.mark.parametrize(
    ("implies", "circle"),
    [
        ({"a": ["a"]}, "a > a"),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, "a > b > c > a"),
        ({"x": ["a"], "a": ["b"], "b": ["a"]}, "a > b > a"),
    ],
)
def test_a_circle_is_an_error_that_shows_it(implies, circle):
    """Two scopes that stand for each other are one."""
    with pytest.raises(ValueError, match=f"^{circle}$"):
        ScopeHierarchy(implies)


def test_a_long_chain_and_many_ways_to_one_scope_take_no_time():
    """A mistake in the settings does not stop a project from starting."""
    chain = ScopeHierarchy({f"s{n}": [f"s{n + 1}"] for n in range(1000)})
    assert len(chain.with_implied(["s0"])) == 1001
    diamonds = {f"{side}{n}": [f"a{n + 1}", f"b{n + 1}"] for n in range(40) for side in "ab"}
    assert len(ScopeHierarchy(diamonds).with_implied(["a0"])) == 81


def test_two_that_say_the_same_are_equal():
    """However they say it: settings are compared."""
    same = ScopeHierarchy({"a": ["b"], "b": ["c"]}), ScopeHierarchy({"b": ("c",), "a": {"b", "c"}})
    assert same[0] == same[1] != FLAT
    assert len({*same, FLAT}) == 2
