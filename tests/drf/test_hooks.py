"""What a project's view does by itself stays as it is under our hooks, and what it raises of ours is answered."""

import asyncio
from inspect import iscoroutinefunction

import pytest
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException, NotAuthenticated, NotFound, PermissionDenied
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AND, BasePermission, IsAuthenticated
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.errors import InsufficientScope, InvalidToken
from django_oauth_jwt.permissions import HasClaim, HasScope, TokenPermission

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"
LACKING = (
    'Bearer error="insufficient_scope", error_description="Token is missing some required scope values", scope="x"'
)
EXPIRED = 'Bearer error="invalid_token", error_description="Token has expired"'

#: With our authenticator, and with the middleware's token alone.
ENTRANCES = pytest.mark.parametrize("authenticators", [[BearerJwtAuthentication], [SessionAuthentication], []])


@pytest.fixture
def get(serve, settings, issuer):
    """Send a request with the scope "a" to a view of these attributes."""

    def get(method="get", **attributes):
        settings.MIDDLEWARE = [MIDDLEWARE]
        client = serve(**{"authentication_classes": [BearerJwtAuthentication], **attributes})
        return getattr(client, method)("/", headers=issuer.headers("a"))

    return get


class OfTheTeam(TokenPermission):
    """A project's own permission on tokens, which has a `check` and nothing else."""

    def check(self, request, view):
        if request.auth is None or "team" not in request.auth.claims:
            raise InsufficientScope(["x"])


@ENTRANCES
@pytest.mark.parametrize(
    "permissions",
    [
        pytest.param([OfTheTeam], id="class"),
        pytest.param([OfTheTeam()], id="instance"),
        pytest.param([IsAuthenticated & OfTheTeam | OfTheTeam], id="composition"),
        pytest.param([HasClaim("sub"), ~~OfTheTeam | OfTheTeam], id="list"),
    ],
)
def test_a_permission_with_check_alone_is_explained(get, signals, authenticators, permissions):
    """`TokenPermission` does the rest: challenge, status, log and signal."""
    response = get(authentication_classes=authenticators, permission_classes=permissions)
    assert (response.status_code, response["WWW-Authenticate"]) == (403, LACKING)
    assert [sent["reason"] for name, sent in signals if name == "rejected"] == ["insufficient_scope"]


def test_a_permission_with_check_alone_lets_in_whom_it_does_not_refuse(serve, issuer):
    """And under `~` it turns into its opposite."""
    headers = issuer.headers("a", team="red")
    assert serve(permission_classes=[OfTheTeam]).get("/", headers=headers).status_code == 200
    assert serve(permission_classes=[~OfTheTeam]).get("/", headers=headers).status_code == 403
    assert serve(permission_classes=[~OfTheTeam]).get("/", headers=issuer.headers("a")).status_code == 200


class Raising(BasePermission):
    """Somebody else's permission, which knows our errors."""

    def has_permission(self, request, view):
        raise InvalidToken("expired")


@pytest.mark.parametrize(
    ("attributes", "scopes"),
    [
        pytest.param({"permission_classes": [Raising]}, False, id="permission"),
        pytest.param({"permission_classes": [Raising | HasScope("a")]}, True, id="composition"),
        pytest.param({"permission_classes": [HasScope("a"), ~Raising]}, True, id="list"),
        pytest.param({"get": lambda view, request: Raising().has_permission(request, view)}, False, id="view"),
    ],
)
def test_an_error_of_ours_that_is_raised_is_answered_as_ours(get, signals, attributes, scopes):
    """By a permission or by the view: status, challenge, headers, log and signal, once."""
    response = get(**attributes)
    challenge = f'{EXPIRED}, scope="a"' if scopes else EXPIRED
    assert (response.status_code, response["WWW-Authenticate"]) == (403, challenge)
    assert response.json() == {"detail": "Token has expired"}
    assert response["Cache-Control"] == "no-store"
    assert [sent["reason"] for name, sent in signals if name == "rejected"] == ["expired"]


def test_it_is_answered_without_our_authenticator_where_ours_was_asked(get):
    """In the check in which the view meets us first."""
    response = get(authentication_classes=[SessionAuthentication], permission_classes=[HasScope("a"), Raising])
    assert (response.status_code, response["WWW-Authenticate"]) == (403, f'{EXPIRED}, scope="a"')


class RaisingForChanges(BasePermission):
    def has_permission(self, request, view):
        if request.method != "GET":
            raise InvalidToken("expired")
        return True


def test_it_is_no_answer_where_the_browsable_api_tries_it_out(serve, settings, issuer, signals):
    """The page is made, without what is not allowed, and nothing is said of a rejection."""
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.contrib.staticfiles"]
    settings.STATIC_URL = "/static/"
    client = serve(
        permission_classes=[RaisingForChanges],
        renderer_classes=[BrowsableAPIRenderer, JSONRenderer],
        parser_classes=[JSONParser],
    )
    response = client.get("/", headers={**issuer.headers("a"), "Accept": "text/html"})
    assert response.status_code == 200
    assert "Make a DELETE request" not in response.content.decode()
    assert [name for name, _ in signals] == ["accepted"]


def test_a_permission_without_a_view_answers(issuer):
    """Permissions are asked by hand, too, for a request that no view has made, and for a view that answers none."""
    request = Request(APIRequestFactory().get("/", headers=issuer.headers("a")), authenticators=[])
    request.user, request.auth = BearerJwtAuthentication().authenticate(request)
    for view in (None, APIView(), object()):
        assert HasScope("a").has_permission(request, view) is True
        assert HasScope("x").has_permission(request, view) is False
        assert HasScope("x").has_object_permission(request, view, object()) is False


class Wordy(BasePermission):
    """Says no in words that it finds while it is asked, and has a code."""

    code = "wordy"

    def has_permission(self, request, view):
        self.message = f"Not for {request.auth.subject}"
        return False


def test_somebody_elses_message_and_code_are_the_answers(get):
    """Also what a permission says of itself only while it is asked, and what a view has put on a composition."""
    response = get(permission_classes=[HasScope("a"), Wordy])
    assert response.json() == {"detail": "Not for user-1"}
    assert response.data["detail"].code == "wordy"

    def get_permissions(view):
        both = AND(HasScope("a"), Wordy())
        both.message = "Not both"
        return [both]

    assert get(get_permissions=get_permissions).json() == {"detail": "Not both"}


def test_a_view_still_finds_its_permissions_by_their_classes(get):
    """By `isinstance`, with their attributes, in a list of the view's own to change."""

    class Coded(BasePermission):
        code = "coded"

    def look(view, request):
        first, second = found = view.get_permissions()
        assert isinstance(first, IsAuthenticated)
        assert isinstance(second, AND)
        assert isinstance(second.op1, HasScope)
        assert second.op2.code == "coded"
        with pytest.raises(AttributeError, match="nothing"):
            _ = first.nothing
        assert first.has_permission(request=request, view=view) is True
        found.append(None)
        view.permission_denied(request)

    response = get(permission_classes=[IsAuthenticated, HasScope("a") & Coded], get=look)
    assert (response.status_code, response.headers.get("WWW-Authenticate")) == (403, None)


def test_a_composition_that_is_shared_stays_as_it_is(get):
    """What is asked is a copy: a view may return the same objects for every request."""
    shared = AND(HasScope("a"), IsAuthenticated())
    operands = (shared.op1, shared.op2)
    assert get(get_permissions=lambda view: (shared,)).status_code == 200
    assert (shared.op1, shared.op2) == operands
    assert type(shared.op2) is IsAuthenticated


def test_permissions_that_are_coroutines_stay_coroutines(get):
    """A view that awaits them finds out so; asked as if they were not, they would always be true."""

    class Awaited(BasePermission):
        async def has_permission(self, request, view):
            return False

        async def has_object_permission(self, request, view, obj):
            return False

    def check(view, request):
        (permission,) = view.get_permissions()
        assert iscoroutinefunction(permission.has_permission)
        assert iscoroutinefunction(permission.has_object_permission)
        if not asyncio.run(permission.has_permission(request, view)):
            view.permission_denied(request)

    response = get(permission_classes=[Awaited], check_permissions=check)
    assert (response.status_code, response.headers.get("WWW-Authenticate")) == (403, None)


class Options(HasScope):
    """A project's child of ours, which has an opinion of its own."""

    def has_permission(self, request, view):
        return request.method == "OPTIONS" or super().has_permission(request, view)


class Never(HasScope):
    def has_permission(self, request, view):
        return False


@ENTRANCES
@pytest.mark.parametrize(
    ("permissions", "method", "challenge"),
    [
        ([Options("x")], "get", LACKING),
        ([Options("y"), HasScope("x")], "options", LACKING),
        ([Options("y") & HasScope("x")], "options", LACKING),
        ([Never("y")], "get", None),
        ([HasScope("a"), Never("y")], "get", None),
        ([~HasScope("x"), Never("y")], "get", None),
    ],
)
def test_a_child_of_ours_that_decides_by_itself_is_heard(get, authenticators, permissions, method, challenge):
    """What it grants is granted; what it denies for reasons of its own is no matter of the token."""
    response = get(method, authentication_classes=authenticators, permission_classes=permissions)
    assert response.status_code == 403
    assert response.headers.get("WWW-Authenticate") == challenge


class Teapot(APIException):
    status_code = 418


def teapot(view, request, **kwargs):
    raise Teapot


def keywords(view, request, **kwargs):
    assert kwargs == {"message": None, "code": None}
    raise PermissionDenied


def own_words(view, request, message=None, code=None):
    raise PermissionDenied("Own words", code="own")


@ENTRANCES
@pytest.mark.parametrize(
    ("denied", "status", "challenge"),
    [(teapot, 418, None), (keywords, 403, LACKING), (own_words, 403, LACKING)],
)
def test_a_denial_of_the_views_own_is_left_alone_where_it_is_no_plain_one(
    get, authenticators, denied, status, challenge
):
    """A `permission_denied` of the project is asked as DRF asks it; a plain denial gets the challenge."""
    response = get(authentication_classes=authenticators, permission_classes=[HasScope("x")], permission_denied=denied)
    assert response.status_code == status
    assert response.headers.get("WWW-Authenticate") == challenge


def test_a_denial_of_the_views_own_that_is_none_lets_in(get):
    """Somebody who only wants to know what would be denied denies nothing."""
    response = get(permission_classes=[HasScope("x")], permission_denied=lambda view, request, **kwargs: None)
    assert response.status_code == 200


@ENTRANCES
def test_own_ways_to_get_and_to_check_permissions_are_kept(get, authenticators):
    """As any of them will do, in a view's `check_permissions`."""

    def get_permissions(view):
        return [HasScope(scope) for scope in view.scopes]

    def check_permissions(view, request):
        if not any([permission.has_permission(request, view) for permission in view.get_permissions()]):  # noqa: C419
            view.permission_denied(request)

    attributes = {"authentication_classes": authenticators, "get_permissions": get_permissions}
    assert get(**attributes, check_permissions=check_permissions, scopes="xa").status_code == 200
    denied = get(**attributes, check_permissions=check_permissions, scopes="xy")
    assert denied.status_code == 403
    if BearerJwtAuthentication in authenticators:
        assert denied["WWW-Authenticate"] == LACKING.replace('"x"', '"x y"')  # as they stand in the list
    assert get(**attributes, scopes="a").status_code == 200
    assert get(**attributes, scopes="x")["WWW-Authenticate"] == LACKING


@ENTRANCES
def test_a_check_that_has_nothing_to_do_with_the_views_permissions_is_denied_plainly(get, authenticators):
    """A view may ask one of ours by itself, and have no others."""

    def check_permissions(view, request):
        if not HasScope("x").has_permission(request, view):
            view.permission_denied(request)

    attributes = {"authentication_classes": authenticators, "check_permissions": check_permissions}
    for permissions in ([], [IsAuthenticated]):
        response = get(**attributes, permission_classes=permissions)
        assert (response.status_code, response.headers.get("WWW-Authenticate")) == (403, None)


def test_a_view_that_asks_for_authentication_itself_challenges_for_a_token(get):
    """Wherever our authenticator is, also after a token was accepted."""

    def log_in(view, request):
        raise NotAuthenticated

    response = get(permission_classes=[HasScope("a")], get=log_in)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer scope="a"')
    assert response["Cache-Control"] == "no-store"


def test_an_own_handler_of_exceptions_tells_of_a_rejection_once(get, signals):
    """However often it hands the exception on."""

    def handle_exception(view, exc):
        APIView.handle_exception(view, exc)
        return APIView.handle_exception(view, exc)

    def get_twice(view, request):
        try:
            view.check_object_permissions(request, None)
        except APIException as exc:
            view.handle_exception(exc)
            raise

    response = get(
        get=get_twice,
        handle_exception=handle_exception,
        check_permissions=lambda view, request: None,
        permission_classes=[HasScope("x")],
    )
    assert response["WWW-Authenticate"] == LACKING
    assert [sent["reason"] for name, sent in signals if name == "rejected"] == ["insufficient_scope"]


def test_what_a_permission_raises_of_drfs_own_is_the_answer(get):
    """A 404 instead of a denial, and a denial afterwards is about nothing of ours."""

    class Hidden(BasePermission):
        def has_permission(self, request, view):
            raise NotFound

    response = get(permission_classes=[HasScope("x") | Hidden])
    assert (response.status_code, response.headers.get("WWW-Authenticate")) == (404, None)

    def check_permissions(view, request):
        try:
            APIView.check_permissions(view, request)
        except NotFound:
            view.permission_denied(request)

    response = get(permission_classes=[HasScope("x") | Hidden], check_permissions=check_permissions)
    assert (response.status_code, response.headers.get("WWW-Authenticate")) == (403, None)


class NeedsTheObject(BasePermission):
    """Somebody else's permission, which looks at the object before the view does."""

    def has_permission(self, request, view):
        view.check_object_permissions(request, "object")
        return True


@ENTRANCES
def test_a_permission_that_has_others_asked_gets_their_answer(get, authenticators):
    """One check within another: the refusal that stands is explained."""
    permissions = [NeedsTheObject, HasScope("x")]
    response = get(authentication_classes=authenticators, permission_classes=permissions)
    assert (response.status_code, response["WWW-Authenticate"]) == (403, LACKING)
