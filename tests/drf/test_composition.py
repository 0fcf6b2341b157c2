"""Permissions that compose: let in is let in, and a refusal that stands says what is missing."""

import itertools
import operator
import random
import re

import pytest
from rest_framework.permissions import BasePermission, IsAdminUser, IsAuthenticated

from django_oauth_jwt.permissions import HasAuthenticationContext, HasClaim, HasScope, TokenPermission

from ..flood import flood

NO_CLAIM = 'Bearer error="invalid_token", error_description="Token is missing some required claims"'

STEP_UP = (
    'Bearer error="insufficient_user_authentication", '
    'error_description="A different or more recent authentication of the user is required", '
    'acr_values="mfa", max_age="60"'
)


def lacking(scope):
    text = "Token is missing some required scope values"
    return f'Bearer error="insufficient_scope", error_description="{text}", scope="{scope}"'


# What a token of the scopes "a b" is and acr "pwd" is let in by, and the challenge of a refusal.
OURS = {
    HasScope("a"): (True, None),
    HasScope("a", "b"): (True, None),
    HasScope("x"): (False, lacking("x")),
    HasScope("a", "y"): (False, lacking("a y")),
    HasClaim("sub"): (True, None),
    HasClaim("role", "admin"): (False, NO_CLAIM),
    HasAuthenticationContext(["mfa", "pwd"]): (True, None),
    HasAuthenticationContext(["mfa"], max_age=60): (False, STEP_UP),
}


def trees_of(leaves):
    """Every leaf, its opposite, and every pair of these under every operator, and the opposite of those."""
    singles = [*((leaf, None, None) for leaf in leaves), *(("~", leaf, None) for leaf in leaves)]
    pairs = [(op, *pair) for op in "&|" for pair in itertools.product(singles, repeat=2)]
    return [*singles, *pairs, *(("~", pair, None) for pair in pairs)]


def deep_trees(leaves, count):
    """Trees of up to four levels, always the same ones."""
    dice = random.Random(1)

    def grow(depth):
        if not depth or dice.random() < 0.1:
            return (dice.choice(leaves), None, None)
        kind = dice.choice("&|~")
        return ("~", grow(depth - 1), None) if kind == "~" else (kind, grow(depth - 1), grow(depth - 1))

    return [grow(4) for _ in range(count)]


def built(tree):
    """The permission of a tree, made with DRF's operators."""
    kind, left, right = tree
    if kind == "~":
        return ~(built(left) if isinstance(left, tuple) else left)
    if kind in ("&", "|"):
        return (operator.and_ if kind == "&" else operator.or_)(built(left), built(right))
    return kind


def answer(tree, leaves, asked):
    """Whether a tree lets in, and the challenge of the first of ours that stands in the way; notes who was asked."""
    kind, left, right = tree
    if kind == "~":
        let_in = not (answer(left, leaves, asked) if isinstance(left, tuple) else leaves[left])[0]
        found = let_in, None
    elif kind not in ("&", "|"):
        found = leaves[kind]
    else:
        first = answer(left, leaves, asked)
        second = first if first[0] == (kind == "|") else answer(right, leaves, asked)
        found = second[0], None if second[0] else first[1] or second[1]
    asked[id(tree)] = found[0]
    return found


def ways(tree, leaves, asked, has_token=True):
    """The ways to be let in by a tree: scopes, and whether something else is missing, 0.5 where nobody has seen it."""
    kind, left, right = tree
    if kind == "|":
        return ways(left, leaves, asked, has_token) + ways(right, leaves, asked, has_token)
    if kind == "&":
        pairs = itertools.product(ways(left, leaves, asked, has_token), ways(right, leaves, asked, has_token))
        return [((*dict.fromkeys(one + other),), max(lacks, lacks_too)) for (one, lacks), (other, lacks_too) in pairs]
    if isinstance(kind, HasScope):
        return [(kind.requirements_for("GET", None).scopes, 0)]
    if isinstance(kind, TokenPermission):
        return [((), int(not leaves[kind][0] or not has_token))]
    return [((), 1 - asked.get(id(tree), 0.5))]


def scopes_in(ways):
    """The scopes of the first way that takes nothing else, as far as was seen, else of the first that takes any."""
    return next((scopes for scopes, _ in sorted(ways, key=lambda way: way[1]) if scopes), ())


def expected(tree, leaves):
    """Whether a tree lets in a token of the scopes "a b", and the whole challenge of the denial."""
    asked = {}
    let_in, challenge = answer(tree, leaves, asked)
    if let_in or challenge is None:
        return let_in, challenge
    found = ways(tree, leaves, asked)
    possible = sorted((way for way in found if way[1] < 1), key=lambda way: way[1])
    short = next((scopes for scopes, _ in possible if not {"a", "b"}.issuperset(scopes)), None)
    if short is not None:
        return False, lacking(" ".join(short))
    own = re.search(r'scope="(.*)"', challenge)
    if own is None:
        return False, challenge
    return False, lacking(" ".join(dict.fromkeys((*scopes_in(found), *own[1].split()))))


@pytest.fixture
def ask(serve):
    """Send a request to a view that these permissions guard."""

    guards = []
    client = serve(get_permissions=lambda view: [permission() for permission in guards])

    def ask(permission, headers=None):
        guards[:] = [permission]
        return client.get("/", headers=headers)

    return ask


@pytest.mark.unmeasured
def test_every_composition_lets_in_by_logic_and_names_what_is_missing(ask, issuer, yes, no):
    """With `|`, `&` and `~` in any order and depth, beside other people's permissions on either side."""
    leaves = {**OURS, yes: (True, None), no: (False, None)}
    headers = issuer.headers("a b", acr="pwd")
    for tree in [*trees_of(list(leaves)), *deep_trees(list(leaves), flood(300))]:
        response = ask(built(tree), headers)
        let_in, challenge = expected(tree, leaves)
        assert response.status_code == (200 if let_in else 401 if challenge == STEP_UP else 403), tree
        assert response.headers.get("WWW-Authenticate") == challenge, tree
        assert response.headers.get("Cache-Control") == ("no-store" if challenge else None), tree


@pytest.mark.unmeasured
def test_every_composition_without_a_token_asks_for_one(ask, issuer, yes, no):
    """Nobody is let in that logic keeps out, and who is kept out is asked for a token."""
    leaves = {**dict.fromkeys(OURS, (False, "Bearer")), yes: (True, None), no: (False, None)}
    for tree in trees_of(list(leaves)):
        response = ask(built(tree))
        asked = {}
        let_in, _ = answer(tree, leaves, asked)
        scopes = scopes_in(ways(tree, leaves, asked, has_token=False))
        challenge = f'Bearer scope="{" ".join(scopes)}"' if scopes else "Bearer"
        assert response.status_code == (200 if let_in else 401), tree
        assert response.headers.get("WWW-Authenticate") == (None if let_in else challenge), tree


@pytest.mark.parametrize(
    ("permissions", "challenge"),
    [
        pytest.param([HasScope("a"), HasScope("x")], lacking("a x"), id="all in the list"),
        pytest.param([HasScope("x"), HasClaim("role")], lacking("x"), id="the first that refuses"),
        pytest.param([HasScope("x"), HasScope("y")], lacking("x y"), id="two at once"),
        pytest.param([HasClaim("role") & HasScope("x") | HasScope("y")], lacking("y"), id="the way that scopes open"),
        pytest.param([HasScope("x") & HasClaim("role") | HasScope("y")], lacking("y"), id="the same in another order"),
        pytest.param([IsAdminUser & HasScope("x") | HasScope("y")], lacking("y"), id="not what others denied"),
        pytest.param([HasScope("x") & IsAdminUser | HasScope("y")], lacking("y"), id="not what others may deny"),
        pytest.param([HasScope("x") & IsAdminUser | HasScope("x", "y") & IsAdminUser], lacking("x"), id="in doubt"),
        pytest.param([IsAdminUser, HasScope("x")], None, id="somebody else refuses first"),
        pytest.param([IsAuthenticated, HasScope("x")], lacking("x"), id="somebody else agrees"),
        pytest.param([HasScope("x") | IsAdminUser], lacking("x"), id="a scope would do"),
        pytest.param([IsAdminUser | HasScope("x")], lacking("x"), id="a scope would do, on the right"),
        pytest.param([HasScope("x") | HasScope("y")], lacking("x"), id="either scope would do"),
        pytest.param([HasScope("x") & IsAdminUser], lacking("x"), id="a scope is missing first"),
        pytest.param([HasScope("a") & IsAdminUser], None, id="the scope is there, but not the admin"),
        pytest.param([~HasScope("a")], None, id="a scope is too much"),
        pytest.param([~HasScope("a") | HasClaim("role")], NO_CLAIM, id="a claim would do in spite of it"),
        pytest.param([HasScope("x") | HasScope("a"), IsAdminUser], None, id="an alternative agreed, the next refuses"),
    ],
)
def test_the_challenge_is_of_the_refusal_that_stands(serve, issuer, permissions, challenge):
    """A scope that would not have helped is not asked for."""
    response = serve(permission_classes=permissions).get("/", headers=issuer.headers("a"))
    assert response.status_code == 403
    assert response.headers.get("WWW-Authenticate") == challenge


@pytest.mark.parametrize(
    "permission",
    [HasScope("x") | HasScope("a"), HasScope("x") | IsAuthenticated, ~HasScope("x"), ~(HasScope("a") & HasScope("x"))],
)
def test_a_request_that_is_let_in_carries_no_challenge(serve, issuer, signals, permission):
    """Nor is it told of as a rejection, although one of the permissions said no."""
    response = serve(permission_classes=[permission]).get("/", headers=issuer.headers("a"))
    assert response.status_code == 200
    assert "WWW-Authenticate" not in response.headers
    assert "Cache-Control" not in response.headers
    assert [name for name, _ in signals] == ["accepted"]


def test_a_refusal_by_permissions_is_told_of_once(serve, issuer, signals):
    """Whatever was asked and asked again to find the reason."""
    client = serve(permission_classes=[HasScope("x") | (HasScope("y") & IsAdminUser), HasClaim("role")])
    assert client.get("/", headers=issuer.headers("a")).status_code == 403
    assert [(name, sent.get("reason")) for name, sent in signals] == [
        ("accepted", None),
        ("rejected", "insufficient_scope"),
    ]


def test_the_body_is_drfs_own(serve, issuer, no):
    """`detail`, with somebody else's words where somebody else refuses."""
    headers = issuer.headers("a")
    detail = {"detail": "Token is missing some required scope values"}
    assert serve(permission_classes=[HasScope("x")]).get("/", headers=headers).json() == detail
    assert serve(permission_classes=[no]).get("/", headers=headers).json() == {"detail": "Somebody else says no"}


def test_a_permission_of_a_project_can_have_words_of_its_own(serve, issuer):
    """DRF's `message` works on a child of ours as on any permission."""

    class MayRead(HasScope):
        message = "Ask the librarian"

    response = serve(permission_classes=[MayRead("x")]).get("/", headers=issuer.headers("a"))
    assert response.json() == {"detail": "Ask the librarian"}
    assert response["WWW-Authenticate"] == lacking("x")


def test_a_composition_of_a_projects_own_is_not_explained(serve, issuer):
    """Nobody but itself knows what it makes of what its parts say, whatever it calls them."""

    class ExactlyOne(BasePermission):
        op1, op2 = HasScope("x"), HasScope("y")

        def has_permission(self, request, view):
            return self.op1.has_permission(request, view) != self.op2.has_permission(request, view)

    client = serve(permission_classes=[ExactlyOne])
    assert client.get("/", headers=issuer.headers("x")).status_code == 200
    response = client.get("/", headers=issuer.headers("a"))
    assert (response.status_code, response.headers.get("WWW-Authenticate")) == (403, None)


def test_permissions_that_are_the_same_count_as_one(yes):
    """DRF compares compositions; ours stay what they are under it."""
    read = HasScope("a")
    assert read() is read
    assert (read & yes) == (read & yes)
