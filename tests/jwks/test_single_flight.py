"""A start or a rotation under load makes one fetch: among threads, among services, among processes."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from django.core.cache.backends.redis import RedisCache

from django_oauth_jwt.errors import KeysUnavailable
from django_oauth_jwt.jwks import JwksService
from django_oauth_jwt.jwks.snapshot import Failure, Wanted
from django_oauth_jwt.jwks.state import Job, Task
from django_oauth_jwt.upstream import run_blocking

from ..servers.faulty_server import FOREVER, respond_with
from .inside import change, have_patience, inside, keys_job, search_for

CROWD = 16


@pytest.fixture
def crowd():
    """Return a function that has a crowd of threads ask at the same moment, and returns their answers' futures."""
    with ThreadPoolExecutor(CROWD) as pool:

        def crowd(*services):
            together = threading.Barrier(CROWD)

            def ask(service):
                together.wait(FOREVER)
                try:
                    return service.key_set_for("key-1", "ES256")
                except KeysUnavailable as error:
                    return error.retry_after

            return [pool.submit(ask, services[number % len(services)]) for number in range(CROWD)]

        yield crowd


def test_a_cold_start_of_many_threads_makes_one_fetch(make_service, crowd, auth_server):
    """All threads wait for the one fetch and get the same keys."""
    service = make_service()
    with auth_server.held():
        answers = crowd(service)
        auth_server.wait_for(lambda: auth_server.pending == 1)
        assert not any(answer.done() for answer in answers)
    assert {answer.result(FOREVER) for answer in answers} == {service.current()}
    assert auth_server.fetches == 1


def test_a_thread_that_was_overtaken_makes_no_second_fetch(make_service, auth_server):
    """A thread that found no keys, and goes on when another one has just fetched them, takes those."""
    service = make_service()
    steps = inside(service).source.find(Wanted("key-1", "ES256"))
    service.refresh()
    assert run_blocking(steps) is service.current()
    assert auth_server.fetches == 1


def test_a_cold_start_of_many_processes_makes_one_fetch(make_service, crowd, auth_server):
    """The processes that lost the race wait for the winner's keys in the shared cache."""
    services = [make_service() for _ in range(4)]
    polled = threading.Semaphore(0)
    for service in services:
        inside(service).refresher.sleep = lambda seconds: polled.release() or threading.Event().wait(0.005)
    with auth_server.held():
        answers = crowd(*services)
        for _ in range(20):
            assert polled.acquire(timeout=FOREVER)
        assert not any(answer.done() for answer in answers)
    for answer in answers:
        assert answer.result(FOREVER).knows("key-1", "ES256")
    assert auth_server.fetches == 1


def test_a_failed_cold_start_fails_for_all_who_waited(make_service, crowd, auth_server):
    """The losers take over the winner's failure instead of trying one after the other."""
    services = [make_service() for _ in range(4)]
    auth_server.fault = respond_with("500 Internal Server Error")
    answers = crowd(*services)
    assert {answer.result(FOREVER) for answer in answers} == {1}
    assert auth_server.fetches == 1


def test_a_process_that_gets_the_lock_late_looks_once_more(make_service, auth_server):
    """Another process may have fetched the keys and freed the lock since this one looked into the cache."""
    first, second = make_service(), make_service()
    shared = inside(second).shared
    locked = shared.locked
    shared.locked = lambda seconds: first.refresh() and locked(seconds)
    assert second.refresh().knows("key-1", "ES256")
    assert auth_server.fetches == 1


def test_a_loser_looks_less_and_less_often(make_service, auth_server):
    """Waiting for another process's fetch must not become a load for the cache server."""
    service = make_service()
    pauses = []
    parts = inside(service)
    parts.refresher.sleep = pauses.append
    parts.shared.locked = lambda seconds: nullcontext(len(pauses) == 6)
    service.refresh()
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.4, 0.4]


@pytest.mark.parametrize("times", [1, 5], ids=["of the keys", "of what discovery takes as well"])
def test_a_loser_gives_up_when_a_fetch_must_have_ended(make_service, auth_server, times):
    """Discovery tries three places, and keys may have moved. Whoever has the lock for longer has it no more."""
    source = {} if times == 1 else {"jwks_uri": None, "issuer": auth_server.origin}
    service = make_service(timeout=1, **source)
    parts, pauses = inside(service), []
    parts.refresher.sleep = pauses.append
    parts.shared.locked = lambda seconds: nullcontext(False)
    for _ in range(2):  # in the second after it nobody waits again
        with pytest.raises(KeysUnavailable):
            service.refresh()
    assert times + 1 < sum(pauses) < times + 1 + 0.4


def test_a_search_gives_up_after_a_second(make_service):
    """A request waits for it."""
    service = make_service()
    service.refresh()
    parts, pauses = inside(service), []
    parts.refresher.sleep = pauses.append
    parts.shared.locked = lambda seconds: nullcontext(False)
    assert not service.key_set_for("made-up", "ES256").knows("made-up", "ES256")
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.4]


def test_a_search_that_another_processs_refresh_overtakes_begins_no_cooldown(make_service, auth_server):
    """The refresh has brought the key: the cooldown's fetch is still to be had for the next one."""
    first, second = make_service(), make_service()
    for service in (first, second):
        service.refresh()
    parts = inside(second)
    parts.shared.locked = lambda seconds: nullcontext(False)
    parts.refresher.sleep = lambda seconds: first.refresh()
    auth_server.issuer.rotate()
    kid = auth_server.issuer.keys[-1].kid
    assert second.key_set_for(kid, "ES256").knows(kid, "ES256")
    assert (auth_server.fetches, parts.source.state.cooldown_until) == (2, 0)


def test_a_request_beyond_the_crowd_that_waits_comes_again_in_a_second(make_service, clock):
    """The job has ended by then, whenever a fetch may be made again."""
    service = make_service()
    job = Job(Task(may_fetch=False), 0.0, None, waiting=64)
    change(service, job=job, failure=Failure("status 500", 5, clock() + 16))
    with pytest.raises(KeysUnavailable) as caught:
        service.key_set_for("key-1", "ES256")
    change(service, job=None)
    assert caught.value.retry_after == 1


@pytest.fixture
def handed_over(service):
    """The jobs of the service, which are done when the test does them, or in the end."""
    jobs = []
    inside(service).source._execute = jobs.append
    yield jobs
    for job in jobs:
        job()


def test_one_that_leaves_late_is_not_counted_at_the_next_job(service, clock, handed_over):
    """The job that it waited for is over, and another one goes on; each place in it is somebody else's."""
    late = search_for(service, "made-up", "ES256")
    next(late)
    handed_over.pop()()
    clock.advance(60)
    waiting = search_for(service, "other", "ES256")
    next(waiting)
    late.close()
    assert keys_job(service).waiting == 1
    waiting.close()


def test_keys_that_come_another_way_end_no_job(service, handed_over):
    """Or a second one would be started beside it."""
    waiting = search_for(service, "made-up", "ES256")
    next(waiting)
    job = keys_job(service)
    service.inspect(fetch=True)
    assert keys_job(service) is job
    handed_over.pop()()
    assert keys_job(service) is None
    waiting.close()


def test_a_token_with_an_unknown_key_waits_only_so_long_for_another_process(make_service, auth_server):
    """Where that fetch hangs, the token is refused, and the process waits for it no more; then it has its keys."""
    first, second = make_service(), make_service()
    for service in (first, second):
        service.refresh()
    have_patience(second, FOREVER, others=0)
    auth_server.issuer.rotate()
    kid = auth_server.issuer.keys[-1].kid
    with ThreadPoolExecutor(1) as pool, auth_server.held():
        found = pool.submit(first.key_set_for, kid, "ES256")
        auth_server.wait_for(lambda: auth_server.pending == 1)
        assert not second.key_set_for(kid, "ES256").knows(kid, "ES256")
        change(second, next_cache_read=0)
        inside(second).refresher.sleep = pytest.fail
        assert not second.key_set_for(kid, "ES256").knows(kid, "ES256")
    assert found.result(FOREVER).knows(kid, "ES256")
    change(second, next_cache_read=0)
    assert second.key_set_for(kid, "ES256").knows(kid, "ES256")
    assert auth_server.fetches == 2


def _fetch_in_process(uri, cache_uri, started, results):
    cache = RedisCache(cache_uri, {})
    cache.get("anything")  # imports its library, for which a busy machine may take longer than an operation may
    service = JwksService(uri, cache=cache, timeout=FOREVER)
    have_patience(service, FOREVER)
    started.wait(FOREVER)
    results.put(service.key_set_for("key-1", "ES256").knows("key-1", "ES256"))


@pytest.mark.real_servers
def test_a_cold_start_of_real_processes_makes_one_fetch(auth_server, valkey):
    """Three processes that share nothing but a Valkey server agree on one fetch."""
    spawn = multiprocessing.get_context("spawn")
    started, results = spawn.Barrier(4), spawn.Queue()
    processes = [
        spawn.Process(target=_fetch_in_process, args=(auth_server.uri, valkey.uri, started, results), daemon=True)
        for _ in range(3)
    ]
    for process in processes:
        process.start()
    try:
        with auth_server.held():
            started.wait(FOREVER)
            auth_server.wait_for(lambda: auth_server.pending == 1)
        assert [results.get(timeout=FOREVER) for _ in processes] == [True] * 3
    finally:
        for process in processes:
            process.join(FOREVER)
            process.kill()
            process.close()
        results.close()
    assert auth_server.fetches == 1
