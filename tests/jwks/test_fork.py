"""Servers that load the project and then fork: what threads of the parent were doing must not tie the child."""

import asyncio
import json
import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.core.cache import cache
from django.core.cache.backends.filebased import FileBasedCache

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.errors import KeysUnavailable
from django_oauth_jwt.jwks import JwksService, KeyServices, get_jwks_service
from django_oauth_jwt.jwks.state import Job, Task
from django_oauth_jwt.upstream import PerProcess

from ..fixtures.forks import in_child
from ..servers.faulty_server import FOREVER, respond_with
from .inside import change, inside, keys_job, keys_of, settle

FRESH, COOLDOWN = 300, 30

# Python warns of what these tests are about: preloading servers do fork with threads running.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


@contextmanager
def held_by_another_thread(lock):
    """Hold a lock as a thread does that a fork leaves behind."""
    holding, release = threading.Event(), threading.Event()

    def hold():
        with lock:
            holding.set()
            release.wait(FOREVER)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold)
        assert holding.wait(FOREVER)
        try:
            yield
        finally:
            release.set()


@pytest.fixture
def in_the_middle_of_a_fetch(auth_server):
    """Have a thread of the parent fetch while the context lasts; the child's own fetch is answered."""

    @contextmanager
    def in_the_middle_of_a_fetch(fetch):
        with ThreadPoolExecutor(1) as pool, auth_server.held():
            before = auth_server.fetches
            pool.submit(fetch)
            auth_server.wait_for(lambda: auth_server.fetches == before + 1)
            auth_server._fault = respond_with(body=json.dumps(auth_server.jwks()).encode())
            yield

    return in_the_middle_of_a_fetch


def test_a_child_has_the_keys_of_its_parent(service, auth_server):
    """Keys that were fetched before the fork need no fetch after it."""
    service.refresh()
    assert in_child(lambda: service.current().knows("key-1", "ES256") and keys_job(service) is None)
    assert auth_server.fetches == 1


def test_a_fork_in_the_middle_of_a_refresh_leaves_the_child_able_to_refresh(
    service, auth_server, clock, in_the_middle_of_a_fetch
):
    """The thread that refreshes stays in the parent; the child answers from its keys and refreshes itself."""
    service.refresh()
    clock.advance(FRESH)

    def child():
        assert service.current().knows("key-1", "ES256")
        settle(service)
        return keys_of(service).fetched_at == clock()

    with in_the_middle_of_a_fetch(service.current):
        assert in_child(child)
    assert auth_server.fetches == 3


ask_for_keys = pytest.mark.parametrize(
    "ask",
    [
        lambda service: service.key_set_for("key-1", "ES256"),
        lambda service: asyncio.run(service.akey_set_for("key-1", "ES256")),
        JwksService.refresh,
        JwksService.inspect,
    ],
    ids=["key_set_for", "akey_set_for", "refresh", "inspect"],
)


@ask_for_keys
def test_a_fork_in_the_middle_of_a_cold_start_leaves_the_child_able_to_start(
    ask, service, auth_server, in_the_middle_of_a_fetch
):
    """The child does not wait for a fetch that only the parent is making, nor for a lock that nobody frees."""

    def child():
        ask(service)
        return service.current().knows("key-1", "ES256")

    with in_the_middle_of_a_fetch(service.refresh):
        assert in_child(child)
    assert auth_server.fetches == 2


@pytest.fixture
def in_another_process(monkeypatch):
    """Have only the process id change, as where uWSGI forks: in C, and without Python's at-fork hooks."""
    child = os.getpid() + 1
    return lambda: monkeypatch.setattr(os, "getpid", lambda: child)


@ask_for_keys
def test_no_hook_of_python_is_needed_to_notice_a_fork(ask, service, in_another_process):
    """uWSGI runs none in the child."""
    change(service, job=Job(Task(), 0, None))
    with held_by_another_thread(inside(service).source._lock):
        in_another_process()
        ask(service)
        assert service.current().knows("key-1", "ES256")


def test_no_hook_of_python_is_needed_to_refresh_old_keys(service, in_another_process, clock):
    """The keys at hand answer, and a refresh of the child's own goes on behind."""
    service.refresh()
    clock.advance(FRESH)
    change(service, job=Job(Task(), 0, None))
    in_another_process()
    assert service.current().knows("key-1", "ES256")
    settle(service)
    assert keys_of(service).fetched_at == clock()


def test_a_fork_in_the_middle_of_a_search_leaves_the_child_able_to_search(
    service, auth_server, clock, in_the_middle_of_a_fetch
):
    """The child's search is its own."""
    service.refresh()

    auth_server.issuer.rotate()
    kid = auth_server.issuer.keys[-1].kid

    def child():
        clock.advance(COOLDOWN)
        return service.key_set_for(kid, "ES256").knows(kid, "ES256")

    with in_the_middle_of_a_fetch(lambda: service.key_set_for(kid, "ES256")):
        assert in_child(child)
    assert auth_server.fetches == 3


def test_a_fork_in_the_middle_of_a_fetch_leaves_the_child_able_to_wait(
    make_service, tmp_path, clock, in_the_middle_of_a_fetch
):
    """The child makes no fetch of its own, so its search waits for that of another process."""
    service = make_service(cache=FileBasedCache(str(tmp_path), {}))
    service.refresh()
    clock.advance(FRESH)
    assert inside(service).shared.claim_cooldown(COOLDOWN)

    def child():
        change(service, snapshot=replace(keys_of(service), fresh_until=math.inf))  # it refreshes nothing
        inside(service).refresher.sleep = lambda seconds: os._exit(0)  # it waits, and nobody else would tell
        service.key_set_for("made-up", "ES256")

    with in_the_middle_of_a_fetch(service.current):
        assert in_child(child)


def test_a_lock_in_a_shared_cache_stays_with_the_parent(make_service, tmp_path, auth_server, in_the_middle_of_a_fetch):
    """There the parent frees it, so the child waits for the parent's keys instead of fetching as well."""
    service = make_service(cache=FileBasedCache(str(tmp_path), {}))

    def child():
        inside(service).refresher.sleep = lambda seconds: os._exit(0)  # it waits, and nobody else would tell
        service.refresh()

    with in_the_middle_of_a_fetch(service.refresh):
        assert in_child(child)
    assert auth_server.fetches == 1


def test_a_fork_while_a_lock_is_held_leaves_the_child_its_own(service, auth_server):
    """A thread that was about to launch a refresh holds its lock in the parent only."""
    with held_by_another_thread(inside(service).source._lock):
        assert in_child(lambda: service.refresh().knows("key-1", "ES256"))


def test_a_fork_while_a_service_is_built_leaves_the_child_able_to_build(auth_server, settings, in_another_process):
    """Another thread of the parent may just be building the services of the settings."""
    settings.OAUTH_JWT = {"ISSUER": auth_server.origin, "JWKS_URI": auth_server.uri}
    with held_by_another_thread(get_runtime().part(KeyServices)._building.get()):
        assert in_child(lambda: get_jwks_service().refresh().knows("key-1", "ES256"))
        in_another_process()
        assert get_jwks_service().refresh().knows("key-1", "ES256")


def test_fetches_that_hang_in_the_parent_are_not_counted_in_the_child(service, clock):
    """The child has as many places for fetches as a new process has."""
    places = inside(service).client.bounded._free
    while places.acquire(blocking=False):
        pass
    with pytest.raises(KeysUnavailable):
        service.refresh()
    clock.advance(30)
    assert in_child(lambda: service.refresh().knows("key-1", "ES256"))


def test_a_fetch_of_the_parent_is_not_told_by_the_child(service, heard, in_the_middle_of_a_fetch):
    """The child has one of its own to tell of."""

    def child():
        service.refresh()
        return heard.next() == ("refreshed", service, 1) and heard.has_nothing_more()

    with in_the_middle_of_a_fetch(service.refresh):
        assert in_child(child)


def test_operations_of_the_cache_that_hang_in_the_parent_are_not_counted_in_the_child(service):
    """Nor is its thread, or the connection of that, the child's."""
    next(inside(service).cache._workers)._hanging = 4
    assert not inside(service).cache.call(lambda cache: True, otherwise=False)

    def child():
        service.refresh()
        return inside(service).cache.call(lambda cache: True, otherwise=False)

    assert in_child(child)


def test_all_threads_of_a_child_get_the_same_object(monkeypatch):
    """It is made from the parent's, and each later fork makes a new one, though process ids are used again."""
    together = threading.Barrier(4)
    per_process = PerProcess(lambda parent: [*(parent or []), object()])
    first, parent_pid = per_process.get(), os.getpid()
    assert per_process.latest is first

    def get():
        together.wait(FOREVER)
        return per_process.get()

    for length, pid in ((2, parent_pid + 1), (3, parent_pid), (4, parent_pid + 1)):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        with ThreadPoolExecutor(4) as pool:
            objects = [thread.result() for thread in [pool.submit(get) for _ in range(4)]]
        assert len({id(each) for each in objects}) == 1
        assert len(objects[0]) == length
        assert per_process.latest is per_process.get() is objects[0]


def test_no_connection_outlives_a_fetch(service, auth_server):
    """A connection kept for the next fetch would be shared by all children."""
    service.refresh()
    assert auth_server.requests[0].headers["connection"] == "close"


def test_the_lock_of_the_parent_is_freed_behind_a_proxy_too(auth_server, in_the_middle_of_a_fetch):
    """Django's own `cache` is a proxy, by default of one in memory."""
    service = JwksService(auth_server.uri, cache=cache, timeout=FOREVER)
    with in_the_middle_of_a_fetch(service.refresh):
        assert in_child(lambda: service.refresh().knows("key-1", "ES256"))
