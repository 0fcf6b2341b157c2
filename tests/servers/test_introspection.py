"""Opaque tokens on real servers: gunicorn and uvicorn with several workers, Valkey, an endpoint to ask over HTTP."""

import secrets
import time
from functools import partial

import pytest

from .clients import Load, ask_at_once, statuses, until, until_all_workers
from .faulty_server import about_tokens, hang
from .real_servers import WORKERS, fleet

pytestmark = pytest.mark.real_servers

many_servers = pytest.mark.parametrize("kind", ["gunicorn", "uvicorn"])
#: Requests at once with one token that nobody has seen before.
CONNECTIONS = 64
ATTACKERS = 6


@pytest.fixture
def new_token(auth_server):
    """Return what makes a good opaque token, another one each time."""
    return auth_server.issuer.opaque_token


def remembered_by_all_workers(running, new_token, within):
    """Return a token that all have accepted in so many seconds, and when it was first sent."""
    while True:
        began, token = time.monotonic(), new_token()
        until_all_workers(running, token, 200)
        if time.monotonic() - began < within:
            return token, began


def holds_answers(valkey):
    return any(b"introspection" in entry for entry in valkey.entries())


def questions_for_one_new_token(running, auth_server, is_expected):
    """Send a new token on many connections at once, until all are accepted, by all workers.

    On a busy machine an answer may take longer than requests wait; how often is asked must be right then, too, unless
    the cache took too long itself.
    """
    until_all_workers(running, auth_server.issuer.opaque_token, 200)  # all is imported and connected

    def ask():
        failures = running.log().count("fails")
        before = len(auth_server.questions)
        answers = running.get_at_once({"Authorization": f"Bearer {auth_server.issuer.opaque_token()}"}, CONNECTIONS)
        workers = {answer.pid for answer in answers}
        until(lambda: auth_server.pending == 0)
        assert set(statuses(answers)) <= {200, 503}
        if running.log().count("fails") != failures:
            return False
        assert is_expected(len(auth_server.questions) - before, len(workers))
        return statuses(answers) == {200: CONNECTIONS} and len(workers) == WORKERS

    until(ask)


@many_servers
def test_one_new_token_in_all_workers_at_once_is_asked_about_once(kind, start, auth_server):
    """The workers share what they know: one of them asks, the others wait for its answer, and all accept the token."""
    with start(kind, INTROSPECTION=auth_server.introspection()) as running:
        questions_for_one_new_token(running, auth_server, lambda asked, workers: asked == 1)


def test_without_a_shared_cache_each_worker_asks_once(auth_server, tmp_path):
    """However many requests come at once: what a process knows, it knows for all of them."""
    where = {"ISSUER": auth_server.origin, "JWKS_URI": auth_server.uri}
    with fleet("gunicorn", tmp_path, INTROSPECTION=auth_server.introspection(), **where) as running:
        questions_for_one_new_token(running, auth_server, lambda asked, workers: asked <= workers)
        token = auth_server.issuer.opaque_token()
        before = len(auth_server.questions)
        until_all_workers(running, token, 200)
        assert len(auth_server.questions) - before == WORKERS


def test_a_token_that_is_revoked_there_is_refused_by_every_worker(start, auth_server, new_token):
    """Not at once, but when what was said of it is no longer remembered."""
    with start("gunicorn", INTROSPECTION=auth_server.introspection(CACHE_SECONDS=1)) as running:
        token, other = new_token(), new_token()
        until_all_workers(running, token, 200)
        auth_server.issuer.revoke(token)
        until_all_workers(running, token, 403)
        assert statuses(ask_at_once(running, [token] * 40)) == {403: 40}
        until_all_workers(running, other, 200)


def test_an_outage_refuses_no_token_that_is_remembered(start, auth_server, new_token):
    """Until CACHE_SECONDS are over; new ones are told when to come again, and JWTs notice nothing."""
    jwt, seconds = auth_server.issuer.token(), 3
    asking = auth_server.introspection(CACHE_SECONDS=seconds)
    with start("gunicorn", INTROSPECTION=asking, JWKS_COOLDOWN_SECONDS=1) as running:
        until_all_workers(running, jwt, 200)
        token, first_asked = remembered_by_all_workers(running, new_token, within=seconds / 2)
        with auth_server.down():
            with Load(running, jwt, new_token) as load:
                remembered = []
                while time.monotonic() < first_asked + seconds:
                    remembered.append((running.get(token).status, time.monotonic() < first_asked + seconds))
                load.until_more(5)
            assert {status for status, is_in_time in remembered if is_in_time} == {200}
            assert set(statuses(load.answers[jwt])) == {200}
            refusals = {(answer.status, answer.headers["Retry-After"]) for answer in load.answers[new_token]}
            assert refusals == {(503, "1")}
            until_all_workers(running, token, 503)
            assert statuses(ask_at_once(running, [jwt] * 40)) == {200: 40}
        until_all_workers(running, token, 200)
        until_all_workers(running, new_token, 200)


@many_servers
def test_an_endpoint_that_hangs_holds_no_threads(kind, start, auth_server, new_token):
    """Made-up tokens wait a second in all; then they are 503 at once, and all others are answered as ever."""
    jwt, remembered = auth_server.issuer.token(), new_token()
    with start(kind, workers=1, INTROSPECTION=auth_server.introspection()) as running:
        assert running.get(jwt).status == 200
        until(lambda: running.get(remembered).status == 200)
        attacks = [partial(secrets.token_urlsafe, 24) for _ in range(ATTACKERS)]
        with auth_server.behaving(about_tokens(hang)), Load(running, *attacks) as load:
            auth_server.wait_for(lambda: auth_server.pending > 0)
            load.until_more(1)  # each has waited once
            began = time.monotonic()
            others = [running.get(*ask) for ask in [(jwt,), (remembered,), (None, "/open")] * 20]
            assert time.monotonic() - began < 20  # a second each, if they had to wait for a thread
            load.until_more(5)
            # Those that came within the first second: a client has one request at a time.
            assert len(auth_server.questions) - 1 <= ATTACKERS
        assert statuses(others) == {200: len(others)}
    assert {answer.status for answers in load.answers.values() for answer in answers} == {503}


def test_without_the_cache_each_worker_goes_on_alone(start, auth_server, valkey, new_token):
    """What a process remembers it needs no cache for, and what is new it asks about itself."""
    jwt, remembered = auth_server.issuer.token(), new_token()
    with start("gunicorn", INTROSPECTION=auth_server.introspection()) as running:
        until_all_workers(running, jwt, 200)
        until_all_workers(running, remembered, 200)
        with Load(running, jwt, remembered) as load:
            valkey.kill()
            until_all_workers(running, new_token, 200)
            load.until_more(10)
            valkey.start()
            until(lambda: running.get(new_token()).status == 200 and holds_answers(valkey))
    assert {status for answers in load.answers.values() for status in statuses(answers)} == {200}
    assert "The cache that shares what is known of tokens fails" in running.log()
