"""Permissions are asked once: other people's exactly as often as without us, and denials are explained all the same."""

import itertools
import random
import re

import pytest
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import AND, NOT, OR, BasePermission
from rest_framework.response import Response

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.permissions import HasScope

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"
LACKING = 'Bearer error="insufficient_scope", error_description="Token is missing some required scope values", scope='

#: Lists of permissions, made of one of ours and two of others.
LISTS = {
    "ours": lambda ours, f, g: [ours],
    "theirs, ours": lambda ours, f, g: [f, ours],
    "ours, theirs": lambda ours, f, g: [ours, f],
    "theirs, ours, theirs": lambda ours, f, g: [f, ours, g],
    "and": lambda ours, f, g: [AND(ours, f)],
    "and, ours last": lambda ours, f, g: [AND(f, ours)],
    "or": lambda ours, f, g: [OR(ours, f)],
    "or, ours last": lambda ours, f, g: [OR(f, ours)],
    "not": lambda ours, f, g: [NOT(ours), f],
    "not theirs": lambda ours, f, g: [NOT(f), ours],
    "or, theirs": lambda ours, f, g: [OR(ours, f), g],
    "theirs, or": lambda ours, f, g: [g, OR(ours, f)],
    "and in or": lambda ours, f, g: [OR(AND(ours, f), g)],
    "and in or, ours last": lambda ours, f, g: [OR(g, AND(f, ours))],
    "or in and": lambda ours, f, g: [AND(OR(ours, f), g)],
    "or in and, ours last": lambda ours, f, g: [AND(g, OR(f, ours))],
    "not and": lambda ours, f, g: [NOT(AND(ours, f)), g],
    "not or": lambda ours, f, g: [OR(NOT(OR(f, ours)), g)],
    "or of ors": lambda ours, f, g: [OR(OR(f, ours), OR(g, ours))],
}


class Counting(BasePermission):
    """Somebody else's permission, which counts a quota: what it is asked is kept in a list that it shares."""

    def __init__(self, name, asked, allows, allows_object):
        self.name, self.asked, self.allows, self.allows_object = name, asked, allows, allows_object

    def has_permission(self, request, view):
        self.asked.append((self.name, "request"))
        return self.allows

    def has_object_permission(self, request, view, obj):
        self.asked.append((self.name, obj))
        return self.allows_object


class Plain(BasePermission):
    """Answers as one of ours does, in a view that has nothing of ours."""

    def __init__(self, allows):
        self.allows = allows

    def has_permission(self, request, view):
        return self.allows

    def has_object_permission(self, request, view, obj):
        return self.allows


def get_object(view, request):
    view.check_object_permissions(request, "object")
    return Response({})


#: With our authenticator, and with the middleware's token alone.
ENTRANCES = pytest.mark.parametrize("authenticators", [[BearerJwtAuthentication], [SessionAuthentication]])


@pytest.fixture
def ask(serve, settings, issuer):
    """Send a request with the scope "a" to a view that these permissions guard; return response and what was asked."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    authenticators, permissions, headers = [], [], issuer.headers("a")
    client = serve(
        get_authenticators=lambda view: [authenticator() for authenticator in authenticators],
        get_permissions=lambda view: list(permissions),
        get=get_object,
    )

    def ask(authentication, make, ours, *allowed):
        asked = []
        others = [Counting(name, asked, *answers) for name, answers in zip("fg", allowed, strict=True)]
        authenticators[:] = authentication
        permissions[:] = make(ours, *others)
        return client.get("/", headers=headers), asked

    return ask


@pytest.mark.unmeasured
@ENTRANCES
@pytest.mark.parametrize("make", LISTS.values(), ids=LISTS)
def test_others_are_asked_exactly_as_drf_asks_them(ask, authenticators, make):
    """In the same order, as often, about the same, for grants and denials: no quota counts a request twice."""
    answers = list(itertools.product([True, False], repeat=2))
    for scope, *allowed in itertools.product("ax", answers, answers):
        response, asked = ask(authenticators, make, HasScope(scope), *allowed)
        plain, asked_by_drf = ask([], make, Plain(scope == "a"), *allowed)
        assert asked == asked_by_drf, (scope, allowed)
        assert response.status_code == plain.status_code, (scope, allowed)


#: What one of theirs says to the request and to the object.
AGREES, DENIES, DENIES_OBJECT = (True, True), (False, False), (True, False)


@pytest.mark.parametrize(
    ("make", "allowed", "certain"),
    [
        pytest.param(lambda a, x, f, g: [x], (AGREES, AGREES), True, id="ours alone"),
        pytest.param(lambda a, x, f, g: [f, x], (AGREES, AGREES), True, id="theirs agreed before"),
        pytest.param(lambda a, x, f, g: [AND(f, x)], (AGREES, AGREES), True, id="theirs agreed before, in a sum"),
        pytest.param(lambda a, x, f, g: [OR(f, x)], (DENIES, AGREES), True, id="theirs said no before"),
        pytest.param(lambda a, x, f, g: [OR(x, f)], (DENIES, AGREES), True, id="else nothing would have been denied"),
        pytest.param(lambda a, x, f, g: [OR(f, x), g], (DENIES, AGREES), True, id="the first, as ours was asked"),
        pytest.param(lambda a, x, f, g: [OR(x, f), g], (DENIES, AGREES), False, id="either of theirs may have denied"),
        pytest.param(
            lambda a, x, f, g: [OR(x, AND(f, a)), g], (DENIES, AGREES), True, id="ours on the right was not asked"
        ),
        pytest.param(
            lambda a, x, f, g: [OR(x, AND(a, f))], (DENIES, AGREES), True, id="the one that is missing comes first"
        ),
        pytest.param(lambda a, x, f, g: [a, OR(f, x)], (DENIES_OBJECT, AGREES), True, id="of an object"),
        pytest.param(lambda a, x, f, g: [a, OR(x, f)], (DENIES_OBJECT, AGREES), True, id="of an object, ours first"),
    ],
)
def test_without_our_authenticator_a_challenge_is_given_where_it_is_certain(ask, make, allowed, certain):
    """Others are not asked again to find out; where one of theirs may be the reason, it is a plain denial."""

    def listed(ours, f, g):
        return make(HasScope("a"), ours, f, g)

    of_an_object = allowed[0] == DENIES_OBJECT  # in these lists the other scope stands beside
    exact, _ = ask([BearerJwtAuthentication], listed, HasScope("x"), *allowed)
    first, _ = ask([SessionAuthentication], listed, HasScope("x"), *allowed)
    scopes = "a x" if of_an_object else "x"
    assert (exact.status_code, exact["WWW-Authenticate"]) == (403, f'{LACKING}"{scopes}"')
    assert first.status_code == 403
    assert first.headers.get("WWW-Authenticate") == (f'{LACKING}"{scopes}"' if certain else None)
    assert (first.json() == exact.json()) is certain


@pytest.mark.parametrize(
    ("make", "allowed"),
    [
        pytest.param(lambda a, f, g: [a, f], (DENIES, AGREES), id="theirs after ours"),
        pytest.param(lambda a, f, g: [AND(a, f)], (DENIES, AGREES), id="theirs in a sum"),
        pytest.param(lambda a, f, g: [OR(HasScope("x"), a), f], (DENIES, AGREES), id="an alternative agreed"),
        pytest.param(lambda a, f, g: [NOT(a)], (AGREES, AGREES), id="a scope too much"),
        pytest.param(lambda a, f, g: [NOT(AND(a, f))], (AGREES, AGREES), id="a scope too much, in a sum"),
        pytest.param(lambda a, f, g: [NOT(OR(HasScope("x"), f)), a], (AGREES, AGREES), id="theirs, under a no"),
        pytest.param(lambda a, f, g: [NOT(HasScope("x")), f], (DENIES, AGREES), id="a no under a no"),
    ],
)
@ENTRANCES
def test_what_is_no_matter_of_the_token_has_no_challenge(ask, authenticators, make, allowed):
    """One that would not help is not given, with our authenticator or without."""
    response, _ = ask(authenticators, make, HasScope("a"), *allowed)
    assert response.status_code == 403
    assert "WWW-Authenticate" not in response.headers


def scopes_named(challenge):
    """The challenge with its scopes in order."""
    return challenge and re.sub('scope="(.*)"', lambda match: f"scope {sorted(match[1].split())}", challenge)


def grown(dice, leaves, depth=3):
    """A tree of these leaves, of up to four levels."""
    kind = dice.choice([AND, OR, NOT, None]) if depth else None
    if kind is None:
        return dice.choice(leaves)
    return kind(*(grown(dice, leaves, depth - 1) for _ in range(1 if kind is NOT else 2)))


def test_a_challenge_without_our_authenticator_is_never_another_than_with_it(ask):
    """Over lists of compositions of any shape: the same challenge or none, and more often the same."""
    dice = random.Random(1)
    same = missing = 0
    for _ in range(400):
        seed, length = dice.random(), dice.randint(1, 3)
        allowed = [(dice.random() < 0.7, dice.random() < 0.7) for _ in "fg"]

        def make(ours, f, g, seed=seed, length=length):
            leaves = [ours, HasScope("y"), HasScope("a"), f, g]
            shape = random.Random(seed)
            return [grown(shape, leaves) for _ in range(length)]

        exact, asked = ask([BearerJwtAuthentication], make, HasScope("x"), *allowed)
        first, asked_first = ask([SessionAuthentication], make, HasScope("x"), *allowed)
        assert (first.status_code, asked_first) == (exact.status_code, asked)
        challenges = [response.headers.get("WWW-Authenticate") for response in (first, exact)]
        assert scopes_named(challenges[0]) in (None, scopes_named(challenges[1]))
        same += challenges[1] is not None and challenges[0] is not None
        missing += challenges[1] is not None and challenges[0] is None
    assert same > missing > 0


def test_a_project_that_denies_by_itself_gets_no_challenge_of_ours(ask):
    """A question to one of ours out of turn, and a denial of the view's own, are no denial by the permissions."""

    class Alone(BasePermission):
        def has_permission(self, request, view):
            if not HasScope("x").has_permission(request, view):
                view.permission_denied(request)

    for authenticators in ([BearerJwtAuthentication], [SessionAuthentication]):
        response, _ = ask(authenticators, lambda ours, f, g: [f, Alone()], None, AGREES, AGREES)
        assert response.status_code == 403
        assert "WWW-Authenticate" not in response.headers


def test_a_request_without_a_token_is_asked_for_one_in_doubt_too(serve, settings, issuer, yes, no):
    """Without our authenticator, where ours missed a token and one of theirs may be the reason."""
    client = serve(authentication_classes=[SessionAuthentication], permission_classes=[HasScope("x") | yes, no])
    response = client.get("/")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer scope="x"')
    assert response["Cache-Control"] == "no-store"


def test_a_request_that_is_not_authenticated_is_challenged_by_those_who_may(serve, settings, issuer):
    """A scope that is granted makes no session: where our authenticator is not, the answer is DRF's own 403."""

    class LoggedIn(BasePermission):
        def has_permission(self, request, view):
            return request.successful_authenticator is not None

    settings.MIDDLEWARE = [MIDDLEWARE]
    client = serve(authentication_classes=[SessionAuthentication], permission_classes=[HasScope("a"), LoggedIn])
    response = client.get("/", headers=issuer.headers("a"))
    assert response.status_code == 403
    assert response.json() == {"detail": "Authentication credentials were not provided."}
    assert "WWW-Authenticate" not in response.headers
    assert "Cache-Control" not in response.headers
