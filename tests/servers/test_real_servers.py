"""Keys that survive, shown on real servers: gunicorn and uvicorn with several workers, Valkey, HTTP."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ..flood import flood
from . import faulty_server
from .clients import Load, ask_at_once, statuses, until, until_all_workers
from .faulty_server import FOREVER, answer_as_it_should, hang
from .real_servers import WORKERS

pytestmark = pytest.mark.real_servers

every_server = pytest.mark.parametrize("kind", ["gunicorn", "gunicorn-sync", "uvicorn"])
many_servers = pytest.mark.parametrize("kind", ["gunicorn", "uvicorn"])


@pytest.fixture
def made_up_token(auth_server):
    """Return what makes tokens with key ids that nobody ever had, each another one."""
    return faulty_server.made_up(auth_server.issuer.token())


@every_server
def test_a_cold_start_of_all_workers_makes_one_fetch(kind, start, auth_server, valkey):
    """200 requests over cold workers that share a cache: one fetch, and nobody waits for it longer than a second.

    Those that would have to are told when to come again, and are answered 200 then.
    """
    token = auth_server.issuer.token()
    with start(kind) as running:
        with ThreadPoolExecutor(1) as pool, auth_server.held():
            answers = pool.submit(ask_at_once, running, [token] * 200, 40)
            auth_server.wait_for(lambda: auth_server.pending == 1)
            until(lambda: valkey.calls("set") > 10)  # the other workers tried the lock
        refused = [answer for answer in answers.result() if answer.status != 200]
        assert {(answer.status, answer.headers["Retry-After"]) for answer in refused} <= {(503, "1")}
        until_all_workers(running, token, 200)
        assert statuses(ask_at_once(running, [token] * 200, 40)) == {200: 200}
    assert auth_server.fetches == 1


@pytest.mark.parametrize(("kind", "number"), [("gunicorn", flood(10_000)), ("uvicorn", flood(2_000))])
def test_a_flood_of_made_up_keys_makes_one_fetch_in_each_cooldown(kind, number, start, auth_server, made_up_token):
    """Many different unknown keys over all workers: one fetch, while valid requests are answered.

    Where that fetch takes long, the one request of each worker that waits for it is told to come again.
    """
    token, cooldown = auth_server.issuer.token(), 30
    with start(kind, JWKS_COOLDOWN_SECONDS=cooldown) as running:
        until_all_workers(running, token, 200)
        before = time.monotonic()
        with Load(running, token) as valid:
            refused = statuses(ask_at_once(running, (made_up_token() for _ in range(number)), 32))
        seconds = time.monotonic() - before
    assert refused[403] + refused[503] == number
    assert refused[503] <= WORKERS * (1 + seconds // cooldown)
    assert set(statuses(valid.answers[token])) == {200}
    assert 1 <= auth_server.fetches - 1 <= 1 + seconds // cooldown


@every_server
def test_no_known_key_waits_for_a_fetch_that_hangs(kind, start, auth_server, made_up_token):
    """While a flood goes on and the authorization server hangs, every request with a known key is answered."""
    token = auth_server.issuer.token()
    with start(kind) as running:
        until_all_workers(running, token, 200)
        with ThreadPoolExecutor(1) as pool, auth_server.held():
            flood = pool.submit(ask_at_once, running, (made_up_token() for _ in range(400)), 8)
            auth_server.wait_for(lambda: auth_server.pending == 1)
            assert statuses(ask_at_once(running, [token] * 200, 4)) == {200: 200}
            assert (auth_server.fetches, auth_server.pending) == (2, 1)
        refused = statuses(flood.result())
        assert refused[403] + refused[503] == 400
        assert refused[503] <= WORKERS  # whoever waited: whether there is such a key was not known in time


@many_servers
def test_warm_workers_outlive_an_outage_up_to_the_stale_bound(kind, start, auth_server):
    """With the authorization server down, old keys answer until JWKS_STALE_SECONDS, then 503 until it is back."""
    token = auth_server.issuer.token()
    with start(kind, JWKS_FRESH_SECONDS=0.5, JWKS_STALE_SECONDS=4, JWKS_COOLDOWN_SECONDS=1) as running:
        until_all_workers(running, token, 200)
        with auth_server.down():
            with Load(running, token) as load:
                until(lambda: running.log().count(" failed: request failed (ConnectionError,") >= 2)
            assert set(statuses(load.answers[token])) == {200}
            until_all_workers(running, token, 503)
            assert statuses(ask_at_once(running, [token] * 40)) == {503: 40}
        until_all_workers(running, token, 200)


@many_servers
@pytest.mark.parametrize("fault", ["down", "hanging"])
def test_cold_workers_say_503_until_the_server_is_back(fault, kind, start, auth_server):
    """Without keys each answer is a 503 that says when to come again, and then the request is good."""
    token = auth_server.issuer.token()
    outage = auth_server.down() if fault == "down" else auth_server.behaving(hang)
    with start(kind, HTTP_TIMEOUT=0.5, JWKS_COOLDOWN_SECONDS=2) as running:
        with outage:
            answers = ask_at_once(running, [token] * 40)
            assert statuses(answers) == {503: 40}
            assert {int(answer.headers["Retry-After"]) for answer in answers} <= {1, 2}
            until_all_workers(running, token, 503)
            last = running.get(token)
        time.sleep(int(last.headers["Retry-After"]))
        assert statuses(ask_at_once(running, [token] * 40)) == {200: 40}


@many_servers
def test_a_dropped_key_is_refused_by_every_worker(kind, start, auth_server):
    """After the refresh each worker refuses the tokens of a key that left, those that it remembered included."""
    old = auth_server.issuer.token()
    with start(kind, JWKS_FRESH_SECONDS=1, JWKS_COOLDOWN_SECONDS=1) as running:
        until_all_workers(running, old, 200)
        until_all_workers(running, old, 200)
        auth_server.issuer.rotate(keep_old=False)
        until_all_workers(running, old, 403)
        assert statuses(ask_at_once(running, [old] * 100)) == {403: 100}
        assert statuses(ask_at_once(running, [auth_server.issuer.token()] * 100)) == {200: 100}


@many_servers
@pytest.mark.parametrize("fault", ["killed", "paused"])
def test_a_cache_server_that_fails_in_the_middle_costs_no_wrong_answer(
    fault, kind, start, auth_server, valkey, made_up_token
):
    """Valkey killed and started again, or paused, under load: each answer is right before, during and after."""
    good, forged = auth_server.issuer.token(), auth_server.issuer.token(forged=True)
    expired = auth_server.issuer.token(expired=True)
    with start(kind, JWKS_FRESH_SECONDS=0.5, JWKS_COOLDOWN_SECONDS=1) as running:
        until_all_workers(running, good, 200)
        with Load(running, good, forged, expired, made_up_token) as load:
            load.until_more(25)
            (valkey.kill if fault == "killed" else valkey.pause)()
            fetches = auth_server.fetches
            until(lambda: running.log().count("The cache that shares the JWKS fails") >= WORKERS)
            until(lambda: auth_server.fetches > fetches)
            load.until_more(25)
            (valkey.start if fault == "killed" else valkey.resume)()
            until(lambda: any(b"oauth_jwt" in entry for entry in valkey.entries()))
            load.until_more(25)
    made_up = set(statuses(load.answers.pop(made_up_token)))
    assert {token: set(statuses(answers)) for token, answers in load.answers.items()} == {
        good: {200},
        forged: {403},
        expired: {403},
    }
    # Whoever waited for the cache cannot be told in time whether there is such a key.
    assert 403 in made_up <= {403, 503}


def test_a_refresh_under_way_at_the_fork_ties_no_worker(start, auth_server):
    """gunicorn --preload forks while the parent fetches: each worker answers, and refreshes by itself."""
    release = threading.Event()

    def hang_after_the_first(exchange):
        if auth_server.fetches > 1:
            release.wait(FOREVER)
        answer_as_it_should(exchange)

    token = auth_server.issuer.token()
    auth_server.fault = hang_after_the_first
    with start("gunicorn-preload", JWKS_FRESH_SECONDS=1, JWKS_COOLDOWN_SECONDS=1, warm_up=True) as running:
        auth_server.wait_for(lambda: auth_server.fetches == 2)
        assert statuses(ask_at_once(running, [token] * 100)) == {200: 100}
        assert auth_server.fetches == 2
        release.set()
        auth_server.issuer.rotate(keep_old=False)
        until_all_workers(running, token, 403)  # by a refresh: nobody has asked for the new key yet
        until_all_workers(running, auth_server.issuer.token(), 200)
