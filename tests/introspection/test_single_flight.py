"""One question at a time per token, among requests and among processes; and nobody waits for long."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import caches
from django.test import Client

from django_oauth_jwt.errors import IntrospectionUnavailable
from django_oauth_jwt.introspection import UNAVAILABLE, Verdict
from django_oauth_jwt.introspection.state import State
from django_oauth_jwt.upstream import MAXIMUM_WAITING, Wait, WaitInTrouble
from django_oauth_jwt.verification import averify_token, verify_token

from ..servers.faulty_server import FOREVER
from . import entrances
from .conftest import CREDENTIALS

SERVER_ERROR = (500, "", {})


def test_a_crowd_of_threads_makes_one_question(trust_server, when_all_wait):
    """As many as may wait get their answer; one more is refused at once, and so is one with another new token."""
    server = trust_server()
    token, other = (server.issuer.opaque_token("read", sub="anna") for _ in range(2))
    all_wait = when_all_wait(MAXIMUM_WAITING)
    with ThreadPoolExecutor(MAXIMUM_WAITING) as pool:
        with server.held():
            waiting = [pool.submit(verify_token, token) for _ in range(MAXIMUM_WAITING)]
            assert all_wait.wait(FOREVER)
            for one_more in (token, other):
                with pytest.raises(IntrospectionUnavailable) as refusal:
                    verify_token(one_more)
                assert refusal.value.retry_after == 1
        assert {future.result(FOREVER).subject for future in waiting} == {"anna"}
    assert len(server.questions) == 1
    assert verify_token(other).subject == "anna"


def test_a_crowd_on_an_event_loop_makes_one_question(trust_server, when_all_wait):
    """The loop goes on meanwhile; the one too many is refused."""
    server = trust_server()
    token = server.issuer.opaque_token("read", sub="anna")
    all_wait = when_all_wait(MAXIMUM_WAITING)

    async def crowd():
        with server.held():
            waiting = [asyncio.ensure_future(averify_token(token)) for _ in range(MAXIMUM_WAITING)]
            assert await asyncio.to_thread(all_wait.wait, FOREVER)
            with pytest.raises(IntrospectionUnavailable):
                await averify_token(token)
        return await asyncio.gather(*waiting)

    assert {answer.subject for answer in asyncio.run(crowd())} == {"anna"}
    assert len(server.questions) == 1


def test_a_request_that_is_given_up_leaves_its_place_to_another(asked):
    """The question goes on, and the others have their answer."""
    first, _ = asked.begin("token")
    others = [asked.begin("token")[0] for _ in range(MAXIMUM_WAITING - 1)]
    with pytest.raises(IntrospectionUnavailable):
        asked.begin("token")
    first.close()
    others.append(asked.begin("token")[0])
    asked.work()
    assert {asked.end(steps).claims["sub"] for steps in others} == {"token"}


def test_one_that_leaves_late_is_not_counted_at_the_next_question(make_asked):
    """The question that it waited for is over, and another one about the same token goes on."""
    asked = make_asked(CACHE_SECONDS=0)
    late, _ = asked.begin("token")
    asked.work()
    waiting, _ = asked.begin("token")
    late.close()
    (question,) = asked.introspector.state.questions.values()
    assert question.waiting == 1
    waiting.close()


class TestThatHangs:
    """An endpoint that does not answer, by a clock that is told the time."""

    @pytest.fixture(autouse=True)
    def _patience(self, impatient):
        """The times are those of the package."""

    def test_nobody_waits_longer_than_a_second_in_all(self, asked, clock):
        """The first waits a second, who comes later as much less, and who comes after that not at all."""
        steps, wait = asked.begin("token")
        assert wait.seconds == 1.0
        clock.advance(0.75)
        assert asked.begin("token")[1].seconds == 0.25
        assert asked.begin("other")[1].seconds == 1.0
        clock.advance(0.25)
        for token in ("token", "other", "third"):
            with pytest.raises(IntrospectionUnavailable) as refusal:
                asked.begin(token)
            assert refusal.value.retry_after == 1
        with pytest.raises(IntrospectionUnavailable):
            asked.end(steps)  # its time is over without an answer

    def test_only_after_a_failure_it_matters_to_its_requests_what_else_hangs(self, asked, endpoint, clock):
        """As long as it answers, all who have a token for it wait."""
        assert [type(asked.begin(token)[1]) for token in ("one", "two")] == [Wait] * 2
        endpoint.answer = lambda uri, form: (503, "", {})
        asked.work()
        clock.advance(1)
        assert type(asked.begin("three")[1]) is WaitInTrouble
        endpoint.answer = lambda uri, form: {"active": False}
        asked.work()
        assert type(asked.begin("four")[1]) is Wait

    def test_an_answer_that_comes_late_is_remembered(self, asked, clock):
        """And the next request has it at once, while others may ask again."""
        steps, _ = asked.begin("token")
        clock.advance(3)
        with pytest.raises(IntrospectionUnavailable):
            asked.end(steps)
        asked.work()
        assert asked.begin("token")[0].claims["sub"] == "token"
        assert asked.reason("other") is None

    def test_other_requests_never_notice(self, settings, trust_server, monkeypatch):
        """Those with a JWT, with a remembered token, or without a token."""
        hanging = trust_server()
        known, new = (hanging.issuer.opaque_token("read") for _ in range(2))
        with monkeypatch.context() as patient:  # a busy machine is no server that hangs
            patient.setattr("django_oauth_jwt.introspection.state.PATIENCE_SECONDS", FOREVER)
            verify_token(known)
        settings.ROOT_URLCONF = entrances
        with hanging.held():
            with ThreadPoolExecutor(1) as pool:
                asking = pool.submit(verify_token, new)
                hanging.wait_for(lambda: len(hanging.questions) == 2)
                assert verify_token(known).scopes == {"read"}
                assert verify_token(hanging.issuer.token("read")).scopes == {"read"}
                assert Client().get("/decorator").status_code == 401
                with pytest.raises(IntrospectionUnavailable):
                    asking.result(FOREVER)
            with pytest.raises(IntrospectionUnavailable):
                verify_token(new)
        assert len(hanging.questions) == 2

    def test_another_issuer_is_asked_all_the_same(self, settings, endpoint):
        """One that hangs costs the tokens of the next one its own second, and no more of them anything."""
        release = threading.Event()

        def answer(uri, form):
            if uri.startswith("https://a."):
                release.wait(FOREVER)
                return {"active": False}
            return {"active": True, "sub": form["token"]}

        endpoint.answer = answer
        settings.OAUTH_JWT = {
            "HTTP_SESSION": lambda: endpoint,
            "ISSUERS": {
                f"https://{name}.example.com": {
                    "INTROSPECTION": {**CREDENTIALS, "ENDPOINT": f"https://{name}.example.com/introspect"}
                }
                for name in "ab"
            },
        }
        try:
            assert [verify_token(token).subject for token in ("one", "two", "three")] == ["one", "two", "three"]
            assert len([uri for uri, _, _ in endpoint.asked if uri.startswith("https://a.")]) == 1
        finally:
            release.set()


def test_failures_are_rested_from_ever_longer(make_asked, endpoint, clock, log):
    """1, 2, 4 ... seconds and no more than JWKS_COOLDOWN_SECONDS, with a line in the log each; a success ends it."""
    asked, reason = make_asked({"JWKS_COOLDOWN_SECONDS": 5}), "request failed (ConnectionError)"
    endpoint.answer = lambda uri, form: ConnectionError("down")
    for questions, rest in enumerate((1, 2, 4, 5, 5), 1):
        verdict = asked.verdict("token")
        assert (verdict.reason, verdict.until) == (UNAVAILABLE, clock() + rest)
        with pytest.raises(IntrospectionUnavailable) as refusal:
            asked.begin("other")
        assert refusal.value.retry_after == rest
        clock.advance(rest - 0.125)
        with pytest.raises(IntrospectionUnavailable):
            asked.begin("token")
        assert len(endpoint.asked) == questions
        assert log()[-1] == (
            "WARNING",
            f"Introspection at https://issuer.test/introspect failed: {reason}; next try in {rest} seconds",
        )
        clock.advance(0.125)
    assert len(log()) == 5
    endpoint.answer = lambda uri, form: {"active": False}
    assert asked.reason("token") == "inactive"
    endpoint.answer = lambda uri, form: ConnectionError("down")
    assert asked.reason("other") == UNAVAILABLE
    assert asked.introspector.state.failures == 1


def test_questions_that_fail_together_are_one_failure(asked, endpoint, log):
    """The rest is that of a first failure, and the log has one line."""
    endpoint.answer = lambda uri, form: (401, "", {})
    for number in range(5):
        asked.begin(f"token-{number}")
    asked.work()
    assert len(endpoint.asked) == 5
    assert asked.introspector.state.failures == 1
    assert [level for level, _ in log()] == ["ERROR"]


def test_a_token_that_provokes_errors_does_not_stop_others(asked, endpoint, clock, log):
    """It rests for a second itself, and the server is asked about the others."""
    endpoint.answer = lambda uri, form: SERVER_ERROR if form["token"] == "poison" else {"active": True}
    assert asked.reason("poison") == UNAVAILABLE
    assert asked.reason("token") is None
    assert asked.reason("poison") == UNAVAILABLE  # remembered
    assert endpoint.tokens == ["poison", "token"]
    clock.advance(1)
    assert asked.reason("poison") == UNAVAILABLE
    assert endpoint.tokens == ["poison", "token", "poison"]
    assert log()[-1] == (
        "WARNING",
        "Introspection at https://issuer.test/introspect failed: status 500; next try in 1 seconds",
    )


def test_a_server_error_ends_an_outage(asked, endpoint, clock):
    """The server answers, though not what was asked."""
    endpoint.answer = lambda uri, form: ConnectionError("down")
    asked.reason("one")
    clock.advance(1)
    endpoint.answer = lambda uri, form: SERVER_ERROR
    asked.reason("two")
    assert asked.introspector.state.failures == 0


def test_what_goes_wrong_in_a_question_is_nobodys_answer(asked, monkeypatch, log):
    """Of whatever kind: the requests have theirs, and the log says where it was without the variables."""

    def panic(*args):
        raise BaseException("hunter2")  # noqa: TRY002  # the kind that `except Exception` lets pass

    monkeypatch.setattr("django_oauth_jwt.introspection.questions.credentials", panic)
    assert asked.reason("secret-token") == UNAVAILABLE
    (first, message), (second, _) = log()
    assert (first, second) == ("ERROR", "WARNING")
    assert message.startswith("A question about a token went wrong: BaseException in <FrameSummary file ")
    assert "in panic>" in message
    assert not any(secret in line for _, line in log() for secret in ("secret-token", "hunter2"))
    monkeypatch.undo()


def test_a_log_handler_that_raises_keeps_no_request_waiting(asked, endpoint, monkeypatch):
    """The project's own may."""

    def fail(*args):
        raise ZeroDivisionError

    endpoint.answer = lambda uri, form: SERVER_ERROR
    monkeypatch.setattr("logging.Logger.log", fail)
    steps, _ = asked.begin("token")
    with pytest.raises(ZeroDivisionError):
        asked.work()
    assert asked.end(steps).reason == UNAVAILABLE
    assert asked.introspector.state.questions == {}


def test_without_a_thread_nobody_waits(trust_server, monkeypatch, log):
    """The request is a 503, a remembered token is accepted, and the next question is asked as if nothing had been."""
    server = trust_server()
    known, new = (server.issuer.opaque_token("read") for _ in range(2))
    verify_token(known)

    def no_thread(*args, **kwargs):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", no_thread)
    with pytest.raises(IntrospectionUnavailable):
        verify_token(new)
    assert verify_token(known).scopes == {"read"}
    assert log()[-1] == ("ERROR", "No thread can be had to ask about a token")
    monkeypatch.undo()
    monkeypatch.setattr("django_oauth_jwt.introspection.state.PATIENCE_SECONDS", FOREVER)
    assert verify_token(new).scopes == {"read"}


@pytest.mark.usefixtures("shared_cache")
class TestAnotherProcess:
    """One that shares the cache, and is asking about the same token."""

    @pytest.fixture
    def asked(self, shared_cache, make_asked):
        return make_asked()

    @pytest.fixture
    def lock(self, asked, clock):
        """Have another process ask about the token until a time, ten seconds from now; returns the key."""
        key = asked.key("token")
        caches["default"].add(f"{key}:lock", clock() + 5, 10)
        return key

    def test_its_verdict_is_waited_for_and_used(self, asked, lock, clock, slept, endpoint, heard):
        """It looks at once, then seldom; nothing is asked, and nothing is told by a signal."""

        def sleep(seconds):
            slept.append(seconds)
            if len(slept) == 3:
                asked.cache.store(lock, Verdict(clock() + 60, {"sub": "anna"}))
                caches["default"].delete(f"{lock}:lock")

        asked.introspector._questions._sleep = sleep
        assert asked.verdict("token").claims == {"sub": "anna"}
        assert slept == [0.05, 0.1, 0.2]
        assert (endpoint.asked, heard) == ([], [])

    def test_it_is_not_waited_for_long(self, asked, lock, slept, endpoint, heard, log):
        """Who waits for one that is slow or dead gets 503, which says nothing of the server, good or bad."""
        asked.introspector.state = State(failures=2)
        assert asked.reason("token") == UNAVAILABLE
        assert 1 <= sum(slept) < 1.5
        assert asked.introspector.state == State(failures=2)
        assert (endpoint.asked, heard, log()) == ([], [], [])
        assert asked.reason("other") is None

    def test_a_dead_ones_lock_ends(self, asked, lock, clock, endpoint):
        """After the longest time that a question may take, whatever the cache does with its entries."""
        clock.advance(5)
        assert asked.reason("token") is None
        assert endpoint.tokens == ["token"]

    @pytest.mark.parametrize("garbage", ["x", None, 1, float("inf"), 4_000_000_000.0])
    def test_a_lock_that_is_none_holds_nobody(self, asked, clock, endpoint, garbage):
        """Nor does one from before a clock was set back."""
        caches["default"].set(f"{asked.key('token')}:lock", garbage, None)
        assert asked.reason("token") is None

    def test_one_that_failed_leaves_the_question_to_the_next(self, asked, lock, slept, endpoint):
        """It may fare better: a failure of the whole endpoint is nobody's but the process's own."""
        asked.introspector._questions._sleep = lambda seconds: caches["default"].delete(f"{lock}:lock")
        assert asked.reason("token") is None
        assert endpoint.tokens == ["token"]

    def test_the_lock_is_freed_whatever_comes(self, asked, endpoint, clock):
        """An outage stores nothing; the next process may ask at once."""
        endpoint.answer = lambda uri, form: ConnectionError("down")
        assert asked.reason("token") == UNAVAILABLE
        assert caches["default"].get(asked.key("token")) is None
        assert caches["default"].get(f"{asked.key('token')}:lock") is None

    @pytest.mark.parametrize(("named", "seconds"), [(True, 7), (False, 22)])
    def test_the_lock_lasts_as_long_as_a_question_may(self, make_asked, endpoint, clock, named, seconds):
        """A discovery tries three places before."""
        taken = []

        def answer(uri, form):
            taken.append(caches["default"].get(f"{asked.key('token')}:lock") - clock())
            return {"active": True} if form else {"issuer": "https://issuer.test", "introspection_endpoint": uri}

        asked = make_asked(ENDPOINT="https://issuer.test/introspect" if named else None)
        endpoint.answer = answer
        assert asked.reason("token") is None
        assert set(taken) == {seconds}
