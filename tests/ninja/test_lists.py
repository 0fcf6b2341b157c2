"""Several authenticators in a list: ninja asks one after the other, and a refusal of ours stays one."""

import asyncio
import threading

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.test import AsyncClient
from ninja.errors import AuthenticationError, HttpError
from ninja.security import APIKeyHeader, HttpBasicAuth, HttpBearer

from django_oauth_jwt.contrib.ninja import BearerJwt
from django_oauth_jwt.tokens import AccessToken

from .conftest import MIDDLEWARE


class ApiKey(APIKeyHeader):
    param_name = "X-API-Key"

    def authenticate(self, request, key):
        return "key" if key == "good" else None


class Basic(HttpBasicAuth):
    def authenticate(self, request, username, password):
        return username


class OtherBearer(HttpBearer):
    def authenticate(self, request, token):
        return token if token == "theirs" else None


KEY = {"X-API-Key": "good"}
BASIC = {"Authorization": "Basic YW5uYTpi"}
RUBBISH = {"Authorization": "Bearer rubbish"}


@pytest.fixture(params=["sync", "async"])
def operation(request, serve, new_api):
    """Serve an operation behind these authenticators; its answer is what they made of the request."""

    def auth_of(request):
        auth = request.auth
        return auth.subject if isinstance(auth, AccessToken) else auth

    async def async_auth_of(request):
        return auth_of(request)

    def operation(*auth, handlers=()):
        api = new_api(auth=[*auth])
        api.get("/operation")(auth_of if request.param == "sync" else async_auth_of)
        for error, handler in handlers:
            api.add_exception_handler(error, handler)
        serve(api)

    return operation


@pytest.fixture
def get(send, issuer):
    def get(headers=None, **claims):
        return send(
            "get", "/api/operation", headers={**(issuer.headers(**claims) if claims else {}), **(headers or {})}
        )

    return get


@pytest.mark.parametrize("auth", [(BearerJwt(), ApiKey(), Basic()), (ApiKey(), BearerJwt(), Basic())])
def test_without_a_token_the_others_are_asked(operation, get, auth):
    """No header, and a header of another scheme, are for the next one."""
    operation(*auth)
    assert get(sub="anna").json() == "anna"
    assert get(KEY).json() == "key"
    assert get(BASIC).json() == "anna"


@pytest.mark.parametrize("auth", [(BearerJwt(scope="read"), ApiKey()), (BearerJwt(scope="read"), OtherBearer())])
@pytest.mark.parametrize(
    ("claims", "headers", "status"),
    [
        ({"scope": "read", "expired": True}, KEY, 403),
        ({"scope": "write"}, KEY, 403),
        ({}, {**KEY, **RUBBISH}, 403),
        ({}, {**KEY, "Authorization": "Bearer theirs"}, 403),
        ({}, {**KEY, "Authorization": "Bearer"}, 401),
        ({}, {**KEY, "Authorization": "Bearer a b"}, 401),
    ],
)
def test_a_bad_token_is_refused(operation, get, auth, claims, headers, status):
    """The next authenticator is not asked, good as its own credentials may be: nobody is somebody else by accident."""
    operation(*auth)
    response = get(headers, **claims)
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_an_authenticator_before_ours_comes_first(operation, get):
    """As the project has ordered them; the answer still varies by token."""
    operation(ApiKey(), BearerJwt())
    response = get({**KEY, **RUBBISH})
    assert response.json() == "key"
    assert "Authorization" in response["Vary"]


@pytest.mark.parametrize("auth", [(BearerJwt(scope="read"), ApiKey()), (ApiKey(), BearerJwt(scope="read"))])
def test_where_nobody_knows_the_request_our_challenge_is_in_the_401(operation, get, auth):
    """Also in the one that ninja makes: a 401 names a challenge (RFC 9110 section 15.5.2)."""
    operation(*auth)
    response = get()
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer scope="read"')
    assert (response["Cache-Control"], response["Vary"]) == ("no-store", "Authorization")


def test_the_projects_own_401_keeps_its_body_and_its_challenge(operation, get):
    """Ours stands before it."""

    def unknown(request, error):
        return HttpResponse("Who are you?", status=401, headers={"WWW-Authenticate": 'Basic realm="books"'})

    operation(BearerJwt(), Basic(), handlers=[(AuthenticationError, unknown)])
    response = get()
    assert (response.content, response["WWW-Authenticate"]) == (b"Who are you?", 'Bearer, Basic realm="books"')


def test_a_401_of_a_known_request_is_the_projects(operation, get, serve, new_api):
    """A client with a good token is not asked for another one."""
    api = new_api(auth=[BearerJwt(), ApiKey()])

    @api.get("/operation")
    def operation(request):
        raise HttpError(401, "Log in again")

    serve(api)
    assert "WWW-Authenticate" not in get(sub="anna")
    assert "WWW-Authenticate" in get()


def test_an_operation_without_ours_is_left_alone(operation, get):
    """Neither header nor challenge of ours."""
    operation(ApiKey())
    for response in (get(), get(KEY)):
        assert not {"WWW-Authenticate", "Vary"} & set(response.headers)


class TestForeignTokens:
    @pytest.fixture(autouse=True)
    def _pass(self, trust):
        trust(PASS_FOREIGN_TOKENS=True)

    @pytest.fixture
    def issuer(self, trust):
        return trust(PASS_FOREIGN_TOKENS=True)

    def test_they_are_the_next_ones_affair(self, operation, get):
        """So another Bearer scheme can live beside ours; a token that names our issuer is refused as ever."""
        operation(BearerJwt(), OtherBearer())
        assert get({"Authorization": "Bearer theirs"}).json() == "theirs"
        assert get(sub="anna").json() == "anna"
        assert get(expired=True).status_code == 403
        nobodys = get(RUBBISH)
        assert (nobodys.status_code, nobodys["WWW-Authenticate"]) == (401, "Bearer")

    @pytest.mark.parametrize("auth", [(BearerJwt(),), (OtherBearer(), BearerJwt())])
    def test_the_last_one_refuses_them(self, operation, get, auth):
        """There is nobody left to take them."""
        operation(*auth)
        assert get(RUBBISH).json()["error"] == "invalid_token"

    def test_the_event_loop_goes_on_while_an_issuer_is_resolved(self, trust, serve, new_api):
        """Whether a token is foreign may be for ISSUER_RESOLVER to say, which may take its time."""
        asked, go_on = threading.Event(), threading.Event()

        def resolve(issuer):
            asked.set()
            return None if go_on.wait(5) else {}

        issuer = trust(PASS_FOREIGN_TOKENS=True, ISSUER_RESOLVER=resolve)
        token = issuer.token(iss="https://else.test")

        async def theirs(request):
            return request.headers["Authorization"].removeprefix("Bearer ")

        @async_to_sync
        async def send():
            sending = asyncio.create_task(
                AsyncClient().get("/api/operation", headers={"Authorization": f"Bearer {token}"})
            )
            await asyncio.to_thread(asked.wait, 5)
            go_on.set()
            return await sending

        async def operation(request):
            return request.auth

        api = new_api(auth=[BearerJwt(), theirs])
        api.get("/operation")(operation)
        serve(api)
        assert send().json() == token

    @pytest.mark.parametrize("auth", [[BearerJwt(), OtherBearer()], [OtherBearer(), BearerJwt()]])
    @pytest.mark.parametrize("kind", ["sync", "async"])
    def test_an_optional_token_is_none(self, serve, new_api, get, auth, kind):
        """What the operation reads is there, for others' credentials as well, whoever is asked first."""

        def seen(request):
            return [request.claims, request.access_token]

        async def async_seen(request):
            return seen(request)

        api = new_api(auth=auth)
        api.get("/operation")(seen if kind == "sync" else async_seen)
        serve(api)
        assert get({"Authorization": "Bearer theirs"}).json() == [{}, None]


class TestSeveralOfOurs:
    """A list is of alternatives."""

    AUTH = (
        BearerJwt(scope="admin"),
        BearerJwt(scope="read", claims=["email"]),
        BearerJwt(claims={"name": "sub", "value": ["root"]}),
    )

    @pytest.mark.parametrize(
        ("claims", "status", "told"),
        [
            ({"scope": "admin"}, 200, ["accepted"]),
            ({"scope": "read", "email": "a@example.com"}, 200, ["accepted"]),
            ({"sub": "root"}, 200, ["accepted"]),
            ({"scope": "read"}, 403, ["accepted", "rejected"]),
            ({"scope": "admin", "expired": True}, 403, ["rejected"]),
        ],
    )
    def test_a_token_has_to_meet_one(self, operation, get, signals, claims, status, told):
        """Whichever; what is told of it is told once."""
        operation(*self.AUTH)
        assert get(**claims).status_code == status
        assert [name for name, _ in signals] == told

    def test_a_refusal_speaks_of_the_first(self, operation, get):
        """A client that asks for all of them would ask for too much."""
        operation(*self.AUTH)
        for response in (get(), get(scope="read")):
            assert response["WWW-Authenticate"].endswith('scope="admin"')

    def test_the_middleware_names_the_first_as_well(self, operation, get, settings):
        """The same challenge from either."""
        settings.MIDDLEWARE = [MIDDLEWARE]
        operation(*self.AUTH)
        assert get()["WWW-Authenticate"] == 'Bearer scope="admin"'


class TestAnAuthenticatorOfTheProjects:
    """A function, or a subclass, that asks ours and says more."""

    @pytest.fixture(params=["function", "coroutine function", "subclass"])
    def member(self, request):
        bearer = BearerJwt(scope="read")

        def member(request):
            token = bearer(request)
            return token.subject.upper() if token else None

        async def async_member(request):
            return member(request)

        class Member(BearerJwt):
            def __call__(self, request):
                token = super().__call__(request)
                return token.subject.upper() if token else None

        return {"function": member, "coroutine function": async_member, "subclass": Member(scope="read")}[request.param]

    def test_it_gets_the_token(self, operation, get, member):
        """Be the operation sync or async: never a coroutine, which would be true."""
        operation(member)
        response = get(scope="read", sub="anna")
        assert (response.json(), response["Vary"]) == ("ANNA", "Authorization")

    @pytest.mark.parametrize(("claims", "status"), [({}, 401), ({"scope": "write"}, 403), ({"expired": True}, 403)])
    def test_a_refusal_is_ours(self, operation, get, settings, member, claims, status):
        """With its challenge, in DEBUG as well."""
        settings.DEBUG = True
        operation(member)
        response = get(**claims)
        assert response.status_code == status
        assert response["WWW-Authenticate"].startswith("Bearer")
        assert response["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("member_is_first", [True, False])
    @pytest.mark.parametrize(
        ("claims", "expected"),
        [
            ({"scope": "read"}, 401),
            ({"scope": "read", "member": True}, "MEMBER"),
            ({"scope": "admin"}, "anna"),
            ({"scope": "admin", "member": True}, "anna"),
            ({"scope": "other", "member": True}, 403),
        ],
    )
    def test_what_a_subclass_asks_more_is_asked_beside_another_of_ours(
        self, operation, get, claims, expected, member_is_first
    ):
        """Each is for the tokens that it would accept alone: none lets in, or treats as its own, those of another."""

        class Member(BearerJwt):
            def __call__(self, request):
                token = super().__call__(request)
                return "MEMBER" if token and token.claims.get("member") else None

        auth = [BearerJwt(scope="admin"), Member(scope="read")]
        operation(*(reversed(auth) if member_is_first else auth))
        response = get(sub="anna", **claims)
        assert (response.json() if response.status_code == 200 else response.status_code) == expected
