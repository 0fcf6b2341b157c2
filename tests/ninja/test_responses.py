"""An operation behind `BearerJwt` answers what a view behind `secure` does, header by header."""

import pytest
from django.http import HttpResponse, JsonResponse
from ninja import Router
from ninja.errors import HttpError
from ninja.responses import Status

from django_oauth_jwt.contrib.ninja import BearerJwt
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.errors import InvalidToken, KeysUnavailable
from django_oauth_jwt.testing import ProofKey, TokenIssuer

from ..fixtures.issuers import FailingService
from ..fixtures.projects import send_async, send_sync
from .conftest import MIDDLEWARE

REQUIRED = {"scope": ["read", "write"], "claims": [{"name": "role", "value": "admin"}]}
URL = "http://testserver/api/operation"
#: What must not differ; the length and the type of a body are the framework's.
HEADERS = ("WWW-Authenticate", "Vary", "DPoP-Nonce", "Retry-After", "Cache-Control", "Content-Type")


def seen_of(request):
    return {"claims": request.claims, "subject": request.access_token.subject}


def view(request):
    return JsonResponse(seen_of(request))


async def async_view(request):
    return JsonResponse(seen_of(request))


def operation(request):
    assert request.auth is request.access_token
    return seen_of(request)


async def async_operation(request):
    assert request.auth is request.access_token
    return seen_of(request)


def on_the_api(new_api, function):
    api = new_api(auth=BearerJwt(**REQUIRED))
    api.get("/operation")(function)
    return api


def on_a_router(new_api, function):
    api, router = new_api(), Router(auth=BearerJwt(**REQUIRED))
    router.get("/operation")(function)
    api.add_router("", router)
    return api


def on_the_operation(new_api, function):
    api = new_api(auth=BearerJwt(scope="other"))
    api.get("/operation", auth=BearerJwt(**REQUIRED))(function)
    return api


def on_a_mounted_router(new_api, function):
    api, router = new_api(), Router()
    router.get("/operation")(function)
    api.add_router("", router, auth=BearerJwt(**REQUIRED))
    return api


PLACES = [on_the_api, on_a_router, on_the_operation, on_a_mounted_router]
KINDS = {"sync": (view, operation, send_sync), "async": (async_view, async_operation, send_async)}


@pytest.fixture(params=KINDS)
def kind(request):
    """A view and an operation that do the same, both sync or both async."""
    return KINDS[request.param]


@pytest.fixture
def send(kind):
    """Send a request, to what is sync through WSGI, to what is async through ASGI."""
    return kind[2]


@pytest.fixture(params=[[], [MIDDLEWARE]], ids=["alone", "behind the middleware"])
def _middleware(request, settings):
    settings.MIDDLEWARE = request.param


def facts(response):
    """Return all of an answer that a client goes by."""
    found = {name: response.headers.get(name) for name in HEADERS}
    return response.status_code, {**found, "Content-Type": str(found["Content-Type"])[:16]}, response.json()


@pytest.fixture
def both(serve, new_api, kind, send):
    """Send a request to a view and to an operation, and return the facts of both responses."""
    serve(on_the_operation(new_api, kind[1]), view=secure(**REQUIRED)(kind[0]))

    def both(headers=None):
        return tuple(facts(send("get", at, headers=headers)) for at in ("/view", "/api/operation"))

    return both


GOOD = {"scope": "read write", "role": "admin"}
#: By name: the headers of a request with something in it, from its issuer, and the status of its answer.
REQUESTS = {
    "good": (lambda issuer: issuer.headers(**GOOD), 200),
    "no header": (lambda issuer: None, 401),
    "another scheme": (lambda issuer: {"Authorization": "Basic YTpi"}, 401),
    "no token": (lambda issuer: {"Authorization": "Bearer"}, 401),
    "two tokens": (lambda issuer: {"Authorization": "Bearer a b"}, 401),
    "an empty token": (lambda issuer: {"Authorization": "Bearer "}, 403),
    "rubbish": (lambda issuer: {"Authorization": "Bearer rubbish"}, 403),
    "expired": (lambda issuer: issuer.headers(**GOOD, expired=True), 403),
    "forged": (lambda issuer: issuer.headers(**GOOD, forged=True), 403),
    "another issuer's": (lambda issuer: issuer.headers(**GOOD, iss="https://else.test"), 403),
    "too few scopes": (lambda issuer: issuer.headers("read", role="admin"), 403),
    "another claim": (lambda issuer: issuer.headers("read write", role="user"), 403),
    "bound, without a proof": (lambda issuer: issuer.headers(**GOOD, cnf={"jkt": "x"}), 401),
    "bound to a certificate": (lambda issuer: issuer.headers(**GOOD, cnf={"x5t#S256": "x"}), 401),
    "unbound, with scheme DPoP": (
        lambda issuer: {"Authorization": f"DPoP {issuer.token(**GOOD)}", "DPoP": "x"},
        401,
    ),
}


@pytest.mark.usefixtures("_middleware")
@pytest.mark.parametrize("name", REQUESTS)
def test_an_operation_answers_as_a_view_does(trust, both, frozen_time, name):
    """Status, challenge, the other headers and the body, whatever the token is worth."""
    headers, status = REQUESTS[name]
    expected, found = both(headers(trust(REALM="books")))
    assert found == expected
    assert found[0] == status
    assert "Authorization" in found[1]["Vary"]


@pytest.mark.usefixtures("_middleware")
@pytest.mark.parametrize(
    "more",
    [
        {"INVALID_TOKEN_STATUS": 401},
        {"RESOURCE_METADATA": {"resource": "https://testserver"}},
        {"DPOP": {"OFFER": True}},
        {"DPOP": {"OFFER": True}, "REQUIRE_BOUND_TOKENS": True},
        {"SCOPE": "all", "CLAIMS": ["email"]},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["no header", "expired", "too few scopes", "good"])
def test_settings_change_both_alike(trust, both, frozen_time, more, name):
    """What a project sets for its views holds for its operations."""
    expected, found = both(REQUESTS[name][0](trust(**more, AUDIENCE=None)))
    assert found == expected


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("scope", "status"), [(None, 401), ("read", 403), ("read write", 200)])
def test_it_stands_on_api_router_and_operation(issuer, serve, new_api, send, kind, place, scope, status):
    """Wherever ninja takes `auth`; what is nearer to the operation counts."""
    serve(place(new_api, kind[1]))
    headers = None if scope is None else issuer.headers(scope, role="admin")
    response = send("get", "/api/operation", headers=headers)
    assert response.status_code == status
    assert ("WWW-Authenticate" in response) == (status != 200)


def test_a_challenge_names_the_scopes_of_settings_and_operation(trust, serve, new_api, send, kind, settings):
    """The middleware refuses before ninja is asked, and knows what the operation of this method wants."""
    trust(SCOPE="all read")
    settings.MIDDLEWARE = [MIDDLEWARE]
    api = new_api()
    api.get("/operation", auth=BearerJwt(scope="read write"))(kind[1])
    api.post("/operation", auth=BearerJwt(scope="add"))(kind[1])
    serve(api)
    scopes = [send(method, "/api/operation")["WWW-Authenticate"] for method in ("get", "post", "delete")]
    assert scopes == [f'Bearer scope="{scope}"' for scope in ("all read write", "all read add", "all read")]


@pytest.mark.parametrize("mixed", [("sync", send_async), ("async", send_sync)])
@pytest.mark.parametrize(("scope", "status"), [(None, 401), ("read", 403), ("read write", 200)])
def test_each_kind_is_served_both_ways(issuer, serve, new_api, mixed, scope, status):
    """A sync operation under ASGI, an async one under WSGI; and both on one path, for a method each."""
    api = on_the_api(new_api, KINDS[mixed[0]][1])
    api.post("/operation")(KINDS["sync" if mixed[0] == "async" else "async"][1])
    serve(api)
    headers = None if scope is None else issuer.headers(scope, role="admin")
    assert [mixed[1](method, "/api/operation", headers=headers).status_code for method in ("get", "post")] == [
        status
    ] * 2


def test_an_outage_is_503(settings, serve, new_api, send, kind, signing_key):
    """With Retry-After, and no challenge."""
    service = FailingService(signing_key(), KeysUnavailable(7))
    settings.OAUTH_JWT = {"ISSUER": service.issuer, "JWKS_SERVICE": service}
    serve(on_the_api(new_api, kind[1]))
    response = send("get", "/api/operation", headers=service.headers())
    assert (response.status_code, response["Retry-After"]) == (503, "7")
    assert "WWW-Authenticate" not in response


class TestBoundTokens:
    @pytest.mark.usefixtures("_middleware")
    def test_a_proof_is_good_once(self, issuer, serve, new_api, send, kind):
        """The middleware and the operation check it together once; the next request with it is refused."""
        serve(on_the_api(new_api, kind[1]))
        key = ProofKey.generate()
        headers = key.headers(issuer.token(**GOOD, bound_to=key), "GET", URL)
        responses = [send("get", "/api/operation", headers=headers) for _ in range(2)]
        assert [response.status_code for response in responses] == [200, 401]
        assert responses[1].json()["error"] == "invalid_dpop_proof"

    def test_a_nonce_comes_with_refusals_and_with_good_answers(self, trust, serve, new_api, send, kind, frozen_time):
        """`use_dpop_nonce` first, and a new one when the nonce is half spent."""
        issuer = trust(DPOP={"NONCE": True, "OFFER": True})
        serve(on_the_api(new_api, kind[1]))
        key = ProofKey.generate()
        token = issuer.token(**GOOD, bound_to=key)
        refused = send("get", "/api/operation", headers=key.headers(token, "GET", URL))
        assert (refused.status_code, refused.json()["error"]) == (401, "use_dpop_nonce")
        nonce = refused["DPoP-Nonce"]
        assert "DPoP-Nonce" not in send("get", "/api/operation", headers=key.headers(token, "GET", URL, nonce=nonce))
        frozen_time.now += 40
        later = send("get", "/api/operation", headers=key.headers(token, "GET", URL, nonce=nonce))
        assert later.status_code == 200
        assert later["DPoP-Nonce"] != nonce


def test_an_opaque_token_is_asked_about(trust, serve, new_api, send, kind):
    """As everywhere (INTROSPECTION)."""
    issuer = trust(INTROSPECTION={"CLIENT_ID": "books", "CLIENT_SECRET": "secret"})
    serve(on_the_api(new_api, kind[1]))
    tokens = [issuer.opaque_token(**GOOD), issuer.opaque_token(**GOOD, active=False)]
    responses = [send("get", "/api/operation", headers={"Authorization": f"Bearer {token}"}) for token in tokens]
    assert [response.status_code for response in responses] == [200, 403]


def test_a_revoked_token_is_refused(trust, serve, new_api, send, kind):
    """As everywhere (IS_REVOKED)."""
    issuer = trust(IS_REVOKED=lambda token: token.subject == "gone")
    serve(on_the_api(new_api, kind[1]))
    responses = [send("get", "/api/operation", headers=issuer.headers(**GOOD, sub=sub)) for sub in ("anna", "gone")]
    assert [response.status_code for response in responses] == [200, 403]


class Anna:
    """A user of a project's own."""

    is_authenticated = True
    username = "anna"


@pytest.mark.parametrize("send", [send_sync, send_async])
def test_the_resolvers_user_is_the_requests(trust, serve, new_api, send):
    """Sync and async; a token of nobody is refused."""
    issuer = trust(USER_RESOLVER=lambda token, request: Anna() if token.subject == "anna" else None)
    api = new_api(auth=BearerJwt())

    @api.get("/sync")
    def sync(request):
        return request.user.username

    @api.get("/async")
    async def native(request):
        return (await request.auser()).username

    serve(api)
    for at in ("/api/sync", "/api/async"):
        assert send("get", at, headers=issuer.headers(sub="anna")).json() == "anna"
        assert send("get", at, headers=issuer.headers(sub="ben")).status_code == 403


@pytest.mark.parametrize("send", [send_sync, send_async])
@pytest.mark.parametrize("debug", [False, True])
def test_what_an_operation_raises_is_answered(issuer, serve, new_api, send, settings, signals, debug):
    """A BearerError of the project's, with its challenge, told once; DEBUG makes no 500 of it."""
    settings.DEBUG = debug
    api = new_api(auth=BearerJwt(scope="read"))

    @api.get("/sync")
    def sync(request):
        raise InvalidToken("wrong_tenant", "Token is for another tenant")

    @api.get("/async")
    async def native(request):
        raise InvalidToken("wrong_tenant", "Token is for another tenant")

    serve(api)
    for at in ("/api/sync", "/api/async"):
        signals.clear()
        response = send("get", at, headers=issuer.headers("read"))
        assert (response.status_code, response.json()["error_description"]) == (403, "Token is for another tenant")
        assert 'scope="read"' in response["WWW-Authenticate"]
        assert "Authorization" in response["Vary"]
        assert [name for name, _ in signals] == ["accepted", "rejected"]


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("name", ["no header", "expired", "too few scopes"])
def test_a_projects_handler_of_everything_gets_no_refusal(issuer, serve, new_api, send, settings, kind, debug, name):
    """Nor does ninja's own, which makes a 500 of what it does not know."""
    settings.DEBUG = debug
    api = on_the_api(new_api, kind[1])
    for error in (Exception, HttpError):
        api.add_exception_handler(error, lambda request, error: HttpResponse("caught", status=500))
    serve(api)
    headers, status = REQUESTS[name]
    response = send("get", "/api/operation", headers=headers(issuer))
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    assert "Bearer" in response["WWW-Authenticate"]


def test_a_projects_own_handler_of_our_errors_is_asked(issuer, serve, new_api):
    """For what an operation raises: the project wants an answer of its own."""
    api = new_api(auth=BearerJwt())
    api.add_exception_handler(InvalidToken, lambda request, error: HttpResponse(error.reason, status=418))

    @api.get("/operation")
    def operation(request):
        raise InvalidToken("wrong_tenant")

    serve(api)
    response = send_sync("get", "/api/operation", headers=issuer.headers())
    assert (response.status_code, response.content) == (418, b"wrong_tenant")
    assert response["Vary"] == "Authorization"


@pytest.mark.parametrize("make", [lambda: Status(201, {"id": 1}), lambda: HttpResponse(status=201)])
def test_whatever_an_operation_returns_varies_by_token(issuer, serve, new_api, make):
    """Be it ninja's answer or a response of the project's own."""
    api = new_api(auth=BearerJwt())
    api.get("/operation", response={201: dict})(lambda request: make())
    serve(api)
    response = send_sync("get", "/api/operation", headers=issuer.headers())
    assert (response.status_code, response["Vary"]) == (201, "Authorization")


class NotedService(TokenIssuer):
    """A key service that notes how it is asked."""

    asked = ""

    def key_set_for(self, kid, alg):
        self.asked += "blocking"
        return super().key_set_for(kid, alg)

    async def akey_set_for(self, kid, alg):
        self.asked += "awaited"
        return await super().akey_set_for(kid, alg)


@pytest.mark.parametrize(("name", "asked"), [("sync", "blocking"), ("async", "awaited")])
def test_an_async_operation_awaits_its_keys(settings, serve, new_api, signing_key, name, asked):
    """No thread waits for them, and no event loop either."""
    service = NotedService(key=signing_key("RS256"))
    settings.OAUTH_JWT = {"ISSUER": service.issuer, "JWKS_SERVICE": service}
    serve(on_the_api(new_api, KINDS[name][1]))
    assert KINDS[name][2]("get", "/api/operation", headers=service.headers(**GOOD)).status_code == 200
    assert service.asked == asked
