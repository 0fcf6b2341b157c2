"""What the project's own key service raises while the JWT for an opaque token is checked is the project's word."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from traceback import walk_tb

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.diagnosis import explain
from django_oauth_jwt.errors import BearerError, InvalidToken, KeysUnavailable
from django_oauth_jwt.introspection import JwtAnswer, NotJudged
from django_oauth_jwt.signals import token_rejected
from django_oauth_jwt.verification import averify_token, judge, verify_token

from ..servers.faulty_server import FOREVER, respond_with
from . import entrances
from .conftest import CREDENTIALS


class Unpaid(BearerError):
    """A refusal that is no InvalidToken."""

    status = 402


class WrongTenant(InvalidToken):
    """One with a status and a code of its own."""

    status = 404
    error = "wrong_tenant"


class Busy(KeysUnavailable):
    """One that says when to come back."""

    status = 429
    REASON = ("busy", "Come back later")


#: By name: what is raised.
RAISED = {
    "KeysUnavailable": KeysUnavailable(77),
    "a child of it": Busy(5),
    "a child of BearerError": Unpaid("unpaid", "The bill is not paid", detail="that of May"),
    "InvalidToken": InvalidToken("frozen", "Tenant is frozen", detail="since May"),
    "InvalidToken with a reason of ours": InvalidToken("unknown_kid"),
    "a child of InvalidToken": WrongTenant("wrong_tenant", "Not here"),
    "no BearerError": RuntimeError("no vault"),
}


class Raising:
    """A key service that raises one and the same error each time."""

    def __init__(self, error):
        self.error = error

    def current(self):
        return None

    def key_set_for(self, kid, alg):
        raise self.error

    async def akey_set_for(self, kid, alg):
        raise self.error


@pytest.fixture
def raising(trust_server):
    """Trust a server that answers with a JWT, whose keys a service has that raises: ``raising(error)``."""

    def raising(error, **introspection):
        server = trust_server({"JWKS_SERVICE": Raising(error)}, ANSWER="jwt", **introspection)
        server.fault = respond_with("200 OK", server.issuer.token("read").encode(), Content_Type="application/jwt")
        return server

    return raising


def over_http(at, token):
    """Send a token in, sync and async; return all that is answered."""
    headers = {"Authorization": f"Bearer {token}"}
    responses = [Client().get(at, headers=headers), async_to_sync(AsyncClient().get)(at, headers=headers)]
    return [(each.status_code, each.content, dict(each.headers)) for each in responses]


def raised_by(verify, token):
    with pytest.raises(BearerError) as caught:
        verify(token)
    return caught.value


def words_of(error):
    return type(error), {**error.__dict__}


@pytest.mark.parametrize("error", RAISED.values(), ids=RAISED)
class TestIsWhatItIsForAJwt:
    """A request with an opaque token is refused like one with the JWT itself."""

    @pytest.mark.parametrize("at", ["/middleware", "/decorator", "/decorator-async", "/drf"])
    def test_answer_log_and_signal(self, settings, raising, error, at, log):
        """The same status, headers and body; the same lines in the log; the same signal."""
        server, told = raising(error), []
        settings.ROOT_URLCONF = entrances
        settings.MIDDLEWARE = [entrances.MIDDLEWARE] if at == "/middleware" else []

        def tell(error, reason, **kwargs):
            told.append((words_of(error), reason))

        token_rejected.connect(tell)
        try:
            of_jwt = over_http(at, server.issuer.token("read")), log(), list(told)
            told.clear()
            of_opaque = over_http(at, "opaque"), log()[len(of_jwt[1]) :], told
        finally:
            token_rejected.disconnect(tell)
        assert of_opaque == of_jwt

    @pytest.mark.parametrize("verify", [verify_token, async_to_sync(averify_token)], ids=["sync", "async"])
    def test_code_without_a_request(self, raising, error, verify):
        """The error is of the same class and says the same."""
        server = raising(error)
        assert words_of(raised_by(verify, "opaque")) == words_of(raised_by(verify, server.issuer.token("read")))

    def test_explanation(self, raising, error):
        """It names the reason that the request has."""
        raising(error)
        assert explain("opaque", get_runtime()).reasons == [raised_by(verify_token, "opaque").reason]

    def test_it_is_not_remembered(self, raising, error, shared_cache, heard):
        """The server has not said it: the next request asks again, and is accepted once the service has keys.

        The server answered, which is what the signal tells.
        """
        server = raising(error)
        raised_by(verify_token, "opaque")
        raised_by(verify_token, "opaque")
        assert len(server.questions) == 2
        assert heard.names(2) == ["introspected", "introspected"]
        get_runtime().settings.issuers[server.origin].jwks_service.key_set_for = server.issuer.key_set_for
        assert verify_token("opaque").scopes == {"read"}


def test_each_request_that_waits_has_an_error_of_its_own(raising, when_all_wait):
    """It shows no frames of another one, nor of the question, whose variables are the tokens."""
    error, held = RAISED["a child of BearerError"], threading.Event()
    server = raising(error)
    service = get_runtime().settings.issuers[server.origin].jwks_service

    def raise_when_told(kid, alg):
        held.wait(FOREVER)
        raise error

    service.key_set_for = raise_when_told
    all_wait = when_all_wait(3)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(raised_by, verify_token, "opaque") for _ in range(3)]
        assert all_wait.wait(FOREVER)
        held.set()
        raised = [each.result(FOREVER) for each in waiting]
    assert len(server.questions) == 1
    assert len({id(each) for each in [error, *raised]}) == 4
    for each in raised:
        names = [frame.f_code.co_name for frame, _ in walk_tb(each.__traceback__)]
        assert (names.count("verify_token"), names.count("raise_when_told")) == (1, 0)
        assert (each.__cause__, each.__context__) == (None, None)


def test_what_is_handed_over_holds_no_token(raising):
    """Not by its frames, which are those of the question."""
    error = RAISED["a child of InvalidToken"]
    server = raising(error)
    answer, runtime = JwtAnswer(server.issuer.token("read").encode()), get_runtime()
    with pytest.raises(NotJudged) as caught:
        judge(answer, runtime.settings.issuers[server.origin], runtime)
    refusal = caught.value.refusal
    assert words_of(refusal) == words_of(error)
    assert (refusal.__traceback__, refusal.__cause__, refusal.__context__) == (None, None, None)


@pytest.mark.parametrize("error", [KeysUnavailable(77), InvalidToken("frozen")], ids=["unavailable", "invalid"])
def test_no_other_issuer_is_asked(settings, raising, error):
    """The token is that of the one that answered."""
    server = raising(error)
    entry = {name: settings.OAUTH_JWT[name] for name in ("JWKS_SERVICE", "INTROSPECTION")}
    settings.OAUTH_JWT = {"ISSUERS": {server.origin: entry, "https://other.test": entry}}
    assert raised_by(verify_token, "opaque").reason == error.reason
    assert len(server.questions) == 1
    assert explain("opaque", get_runtime()).reasons == [error.reason]
    assert len(server.questions) == 2


@pytest.mark.parametrize("error", [KeysUnavailable(7), InvalidToken("unknown_kid"), RuntimeError("x")], ids=str)
def test_a_signed_answer_of_one_costs_no_token_of_another(settings, endpoint, rsa_issuer, error):
    """Nobody knows what the first one says, but it signs also that it does not know a token (RFC 9701)."""
    claims = {"iss": "https://a.test", "token_introspection": {"active": False}}
    signed = rsa_issuer.keys[0].encode({"alg": "RS256", "typ": "token-introspection+jwt"}, json.dumps(claims).encode())
    of_b = {"active": True, "sub": "anna"}
    as_signed = {"Content-Type": "application/token-introspection+jwt"}
    endpoint.answer = lambda uri, form: (200, signed, as_signed) if uri.startswith("https://a.") else of_b
    a, b = ({**CREDENTIALS, "ENDPOINT": f"https://{name}.test/introspect"} for name in "ab")
    settings.OAUTH_JWT = {
        "HTTP_SESSION": lambda: endpoint,
        "ISSUERS": {
            "https://a.test": {"JWKS_SERVICE": Raising(error), "INTROSPECTION": {**a, "ANSWER": "jwt"}},
            "https://b.test": {"INTROSPECTION": b},
        },
    }
    assert [verify_token("opaque").subject for _ in range(2)] == ["anna"] * 2
    assert [uri for uri, _, _ in endpoint.asked] == [a["ENDPOINT"], b["ENDPOINT"]]


def test_a_jwt_that_is_asked_about_as_well(raising):
    """The service may raise at the second time only: for the JWT with which the server answers."""
    server = raising(None, TOKENS="all")
    service, found = get_runtime().settings.issuers[server.origin].jwks_service, []

    def raise_later(kid, alg):
        found.append(server.issuer.key_set_for(kid, alg))
        if len(found) == 2:
            raise RAISED["a child of it"]
        return found[0]

    service.key_set_for = raise_later
    assert words_of(raised_by(verify_token, server.issuer.token("read"))) == words_of(RAISED["a child of it"])
