"""IS_REVOKED is asked at each use of a token, at each entry point, and a token is good only if it says False."""

import asyncio
import logging
import threading
from traceback import walk_tb
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path
from django.utils.asyncio import async_unsafe
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.errors import BearerError, InvalidToken, RevocationCheckUnavailable
from django_oauth_jwt.jws import EncodedToken
from django_oauth_jwt.permissions import HasScope
from django_oauth_jwt.testing import ProofKey, TokenIssuer
from django_oauth_jwt.tokens import AccessToken
from django_oauth_jwt.verification import Revocation, averify_token, remembered_or_steps, verify_token

from .backends import FOREVER

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"
PARTNER = TokenIssuer("https://partner.test", alg="ES256")


def view(request):
    return HttpResponse("claims" if request.claims else "none")


async def async_view(request):
    return view(request)


class Drf(APIView):
    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = (IsAuthenticated, HasScope("read"))

    def get(self, request):
        return Response("claims")


secured = secure(scope="read")
urlpatterns = [
    path("middleware", view),
    path("middleware-async", async_view),
    path("middleware-decorated", secured(view)),
    path("middleware-async-decorated", secured(async_view)),
    path("middleware-drf", Drf.as_view()),
    path("decorator", secured(view)),
    path("decorator-async", secured(async_view)),
    path("drf", Drf.as_view()),
    path("partner", secure(scope="read", jwks_service=PARTNER)(view)),
    path("partner-async", secure(scope="read", jwks_service=PARTNER)(async_view)),
    path("open", token_not_required(view)),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.unmeasured]
ENTRY_POINTS = [f"/{pattern.pattern}" for pattern in urlpatterns if str(pattern.pattern) != "open"]
REVOKED = 'Bearer error="invalid_token", error_description="Token has been revoked", scope="read"'
UNAVAILABLE = "Whether the token was revoked cannot be told for now"


class Unpaid(BearerError):
    status = 402


class Said:
    """An IS_REVOKED that answers as it is told, and notes what it was asked, and where."""

    def __init__(self):
        self.answer, self.asked, self.threads = (lambda: False), [], []

    def __call__(self, access_token):
        self.asked.append(access_token)
        self.threads.append(threading.get_ident())
        return self.answer()

    def says(self, answer):
        self.answer = lambda: answer

    def fails(self, error):
        self.answer = Mock(side_effect=error)


@pytest.fixture
def said():
    return Said()


@pytest.fixture(params=ENTRY_POINTS)
def at(request, settings):
    """The path of a view that requires the scope read, in each way."""
    settings.MIDDLEWARE = [MIDDLEWARE] if "middleware" in request.param else []
    return request.param


@pytest.fixture(params=[1024, 0], ids=["remembered", "anew"])
def issuer(request, trust, said):
    """The trusted issuer of a project that asks, and that remembers tokens or not."""
    return trust(SCOPE="read", IS_REVOKED=said, TOKEN_CACHE_SIZE=request.param)


@pytest.fixture
def headers(issuer, at):
    """A good token, for this entry point."""
    return (PARTNER if "partner" in at else issuer).headers("read")


def test_what_it_says_holds_for_the_very_next_request(send, at, headers, said, signals):
    """A token that was good a moment ago is refused, remembered or not, and good again when it says so."""
    assert send("get", at, headers=headers).status_code == 200
    said.says(True)
    for _ in range(2):
        response = send("get", at, headers=headers)
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (403, REVOKED)
    said.says(False)
    assert send("get", at, headers=headers).status_code == 200
    assert [name for name, _ in signals] == ["accepted", "rejected", "rejected", "accepted"]
    assert {sent["reason"] for name, sent in signals if name == "rejected"} == {"revoked"}


def test_it_is_asked_once_a_request(send, at, headers, said):
    """Whichever entry points a request meets; and about the token that was verified."""
    for number in range(1, 4):
        assert send("get", at, headers=headers).status_code == 200
        assert len(said.asked) == number
    assert {f"Bearer {token.encoded}" for token in said.asked} == {headers["Authorization"]}
    assert all(type(token) is AccessToken for token in said.asked)


@pytest.mark.parametrize("fault", [{"expired": True}, {"forged": True}, {"iss": "https://other.test"}, {"sub": 5}])
def test_it_is_not_asked_about_a_token_that_is_no_good(send, at, issuer, said, fault):
    """What it is asked about is verified."""
    source = PARTNER if "partner" in at else issuer
    assert send("get", at, headers=source.headers("read", **fault)).status_code == 403
    assert send("get", at).status_code == 401
    assert said.asked == []


FAILURES = [ValueError("x"), OperationalError("no database"), StopIteration(), KeyError(), TimeoutError(), Exception()]


def failures(caplog):
    """Return what the log says of IS_REVOKED since the last call: the errors, without the frame that has the token."""
    records = [record for record in caplog.records if record.getMessage() == "IS_REVOKED failed"]
    assert all(record.levelno == logging.ERROR for record in records)
    frames = [frame for record in records for frame, _ in walk_tb(record.exc_info[2])]
    assert not any(isinstance(frame.f_locals.get("self"), Revocation) for frame in frames)
    caplog.clear()
    return [record.exc_info[1] for record in records]


def test_what_it_raises_is_a_503(send, at, headers, said, signals, caplog):
    """Nobody knows whether the token is good: the client may come again, and the log says what is wrong."""
    assert send("get", at, headers=headers).status_code == 200
    for error in FAILURES:
        said.fails(error.with_traceback(None))
        response = send("get", at, headers=headers)
        assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
        assert UNAVAILABLE in response.content.decode()
        assert "WWW-Authenticate" not in response.headers
        assert failures(caplog) == [error]
    assert [name for name, _ in signals] == ["accepted"]
    said.says(False)
    assert send("get", at, headers=headers).status_code == 200


def test_an_answer_that_is_neither_true_nor_false_is_a_503(send, at, headers, said, caplog):
    """One that is false in Python is no "good", and one that is true is no "revoked"."""
    for answer in (None, 0, 1, "", "no", [], Mock()):
        said.says(answer)
        assert send("get", at, headers=headers).status_code == 503
        (error,) = failures(caplog)
        assert str(error) == f"IS_REVOKED must return True or False, not a {type(answer).__name__}"


def test_a_coroutine_is_no_answer(send, at, headers, said):
    """Of a callable that the settings could not tell is async."""

    async def answer():
        return False

    coroutine = answer()
    said.says(coroutine)
    assert send("get", at, headers=headers).status_code == 503
    coroutine.close()


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (InvalidToken("wrong_tenant", "Token is for another tenant"), 403, None),
        (Unpaid("unpaid_bill", "The bill of last month is not paid"), 402, None),
        (RevocationCheckUnavailable(30), 503, "30"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_refusal_of_its_own_is_passed_on(send, at, headers, said, caplog, error, status, retry_after):
    """With its status and its words, and no line in the log of something that failed."""
    said.fails(error)
    for _ in range(2):
        response = send("get", at, headers=headers)
        assert (response.status_code, response.headers.get("Retry-After")) == (status, retry_after)
        assert error.description in response.content.decode()
    assert failures(caplog) == []


@pytest.mark.parametrize("answer", [True, None], ids=["revoked", "unknown"])
@pytest.mark.parametrize("cache_size", [1024, 0], ids=["remembered", "anew"])
def test_a_bound_token_does_not_use_up_its_proof(send, at, trust, said, answer, cache_size):
    """The check of a proof is the last: one that came with a refused token is good once more."""
    issuer = trust(SCOPE="read", IS_REVOKED=said, TOKEN_CACHE_SIZE=cache_size)
    proof_key = ProofKey.generate()
    token = (PARTNER if "partner" in at else issuer).token("read", bound_to=proof_key)
    url = f"http://testserver{at}"
    assert send("get", at, headers=proof_key.headers(token, "GET", url)).status_code == 200
    headers = proof_key.headers(token, "GET", url)
    said.says(answer)
    assert send("get", at, headers=headers).status_code == (403 if answer else 503)
    said.says(False)
    assert [send("get", at, headers=headers).status_code for _ in range(2)] == [200, 401]


def test_an_exempt_view_gets_no_claims_of_a_revoked_token(send, issuer, settings, said):
    """It refuses nobody, also where nobody knows."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    for answer, content in ((False, b"claims"), (True, b"none"), (None, b"none")):
        said.says(answer)
        response = send("get", "/open", headers=issuer.headers("read"))
        assert (response.status_code, response.content) == (200, content)


def test_an_exempt_path_asks_nobody(send, trust, settings, said):
    """No token is looked for."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    issuer = trust(IS_REVOKED=said, EXEMPT_PATHS=["/open"])
    assert send("get", "/open", headers=issuer.headers("read")).status_code == 200
    assert said.asked == []


VERIFIERS = {
    "sync": verify_token,
    "async": lambda *args, **kwargs: asyncio.run(averify_token(*args, **kwargs)),
}


@pytest.fixture(params=VERIFIERS)
def verify(request):
    return VERIFIERS[request.param]


@pytest.mark.parametrize("service", [None, PARTNER], ids=["settings", "by hand"])
def test_code_without_a_request_asks_as_well(verify, issuer, said, service):
    """Each time, whichever keys it verifies with."""
    token = (service or issuer).token()
    assert verify(token, jwks_service=service).encoded == token
    said.says(True)
    with pytest.raises(InvalidToken) as caught:
        verify(token, jwks_service=service)
    assert (caught.value.reason, caught.value.status) == ("revoked", 403)
    said.fails(ValueError)
    with pytest.raises(RevocationCheckUnavailable):
        verify(token, jwks_service=service)
    assert len(said.asked) == 3


def test_whoever_checks_a_binding_itself_asks_as_well(verify, issuer, said):
    """A bound token is asked about like any other."""
    token = issuer.token(bound_to=ProofKey.generate())
    assert verify(token, binding_checked=True).is_bound
    said.says(True)
    with pytest.raises(InvalidToken) as caught:
        verify(token, binding_checked=True)
    assert caught.value.reason == "revoked"


@pytest.mark.parametrize("is_known", [False, True], ids=["new", "remembered"])
def test_a_slow_answer_does_not_hold_the_event_loop(trust, said, is_known):
    """The answer comes only when another task has run, which a loop that is held would never do."""
    issuer, go_on = trust(IS_REVOKED=said), threading.Event()
    token = issuer.token()
    if is_known:
        verify_token(token)
    said.answer = lambda: not go_on.wait(FOREVER)

    async def release():
        go_on.set()

    async def together():
        return (await asyncio.gather(averify_token(token), release()))[0]

    assert asyncio.run(together()).encoded == token


def test_it_may_use_the_database(send, at, headers, said):
    """Under ASGI, too, where Django's ORM refuses to work on the event loop."""
    said.answer = async_unsafe(lambda: False)
    for _ in range(2):
        assert send("get", at, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/middleware", "/middleware-decorated", "/middleware-drf", "/decorator", "/drf"])
def test_under_wsgi_it_is_asked_in_the_requests_own_thread(client, settings, issuer, said, path):
    """With the request's connection to the database, and its transaction."""
    settings.MIDDLEWARE = [MIDDLEWARE] if "middleware" in path else []
    for _ in range(2):
        assert client.get(path, headers=issuer.headers("read")).status_code == 200
    assert set(said.threads) == {threading.get_ident()}


def test_without_the_setting_a_remembered_token_needs_no_steps(trust, said):
    """Who does not ask does not pay."""
    token = trust().token()
    verify_token(token)
    assert isinstance(remembered_or_steps(EncodedToken(token), get_runtime(), None), AccessToken)


def test_a_request_keeps_its_answer(trust, settings, said):
    """A view that is secured twice asks once, and the second answer is the first one's copy."""
    issuer = trust(IS_REVOKED=said)
    said.says(True)
    request = RequestFactory().get("/", headers=issuer.headers())
    assert [secure()(view)(request).status_code for _ in range(2)] == [403, 403]
    assert len(said.asked) == 1
