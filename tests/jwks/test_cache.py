"""The shared cache being down, slow or full of rubbish costs the sharing and nothing else."""

import json
import os
import threading
from contextlib import nullcontext
from itertools import repeat

import pytest
from django.core.cache import cache

from django_oauth_jwt.jwks import JwksService
from django_oauth_jwt.jwks.shared import SharedJwks

from ..servers.faulty_server import FOREVER, answer_as_it_should, respond_with
from ..upstream.inside import limit_cache_operations
from .inside import inside, keys_job, keys_of

FRESH, STALE, COOLDOWN = 300, 14400, 30
DAY = 86400


class CacheDown(Exception):
    """What a cache backend raises; each has errors of its own."""


def down():
    raise CacheDown


@pytest.fixture
def entry(shared_cache):
    """Return the full key of an entry in the shared cache, whether or not there is one."""

    def entry(name, uri):
        name = f"lock:{os.getpid()}" if name == "lock" else name  # this cache is memory
        return SharedJwks(shared_cache, uri, None).key(name)

    return entry


def complaints(log):
    return [line for line in log() if "cache" in line]


def test_a_cache_that_is_down_costs_a_fetch_per_process(make_service, status_of, auth_server, shared_cache, log):
    """Each process fetches for itself, says so once, and every request is answered."""
    shared_cache.before = down
    services = make_service(), make_service()
    assert [status_of(service) for service in services * 2] == [200] * 4
    assert auth_server.fetches == 2
    assert complaints(log) == [
        "The cache that shares the JWKS fails (CacheDown); this process goes on alone for 30 seconds"
    ] * len(services)


def test_a_cache_that_is_down_shields_from_no_flood_less(service, status_of, auth_server, shared_cache, clock, settle):
    """Cooldown and back-off hold within the process when nothing can be shared."""
    assert status_of(service) == 200
    shared_cache.before = down
    for _ in range(2):
        for number in range(COOLDOWN):
            assert status_of(service, auth_server.issuer.token(header={"kid": f"made-up-{number}"})) == 403
            settle(service)
            clock.advance(1)
    assert auth_server.fetches == 3
    auth_server.fault = respond_with("500 Internal Server Error")
    clock.advance(FRESH)
    for _ in range(3):
        assert status_of(service) == 200
        settle(service)
    assert auth_server.fetches == 4


def test_a_cache_that_failed_rests_for_the_cooldown(service, status_of, auth_server, shared_cache, clock, settle):
    """A cache that is down is not asked again at once, and is used again when it is up."""
    shared_cache.before = down
    assert status_of(service) == 200
    asked = len(shared_cache.operations)
    shared_cache.before = lambda: None
    clock.advance(COOLDOWN - 1)
    assert status_of(service, auth_server.issuer.token(header={"kid": "made-up"})) == 403
    settle(service)
    assert len(shared_cache.operations) == asked
    clock.advance(FRESH)
    assert status_of(service) == 200
    settle(service)
    assert len(shared_cache.operations) > asked


@pytest.fixture
def hanging_refresh(service, status_of, auth_server, shared_cache, clock):
    """A service whose cache is down while its refresh of old keys hangs; returns what ends that with the old keys."""
    assert status_of(service) == 200
    shared_cache.before = down
    clock.advance(FRESH)
    before, release = respond_with(body=json.dumps(auth_server.jwks()).encode()), threading.Event()

    def wait(exchange):
        release.wait(FOREVER)
        before(exchange)

    with auth_server.behaving(wait):
        assert status_of(service) == 200
        auth_server.wait_for(lambda: auth_server.pending == 1)
    refresh = keys_job(service)
    clock.advance(1)
    yield lambda: release.set() or refresh.future.result(FOREVER)
    release.set()


def test_fetches_that_end_in_the_wrong_order_leave_the_newer_keys(service, status_of, auth_server, hanging_refresh):
    """Without a shared lock a refresh may be overtaken by a search: what it brings then is older, and is dropped."""
    started = keys_job(service).started
    inside(service).source._monotonic = lambda: started + FOREVER + 1
    auth_server.issuer.rotate()
    assert status_of(service) == 200
    hanging_refresh()
    assert status_of(service) == 200
    assert auth_server.fetches == 3


def test_a_refresh_that_hangs_while_the_cache_is_down_holds_up_no_new_key_for_long(
    service, status_of, auth_server, hanging_refresh
):
    """A request with a new key waits for it a moment and is a 503; the next one has a search of its own."""
    source = inside(service).source
    auth_server.issuer.rotate()
    started = keys_job(service).started
    source._monotonic = lambda: started + FOREVER - 0.05
    assert status_of(service) == 503
    source._monotonic = lambda: started + FOREVER + 1
    assert status_of(service) == 200
    auth_server.wait_for(lambda: (auth_server.fetches, auth_server.pending) == (3, 1))
    hanging_refresh()
    assert status_of(service) == 200


def test_a_hanging_cache_delays_no_request_with_a_known_key(service, status_of, auth_server, shared_cache, clock):
    """Old keys answer while the cache hangs; nobody waits for the cache but the thread behind."""
    assert status_of(service) == 200
    asked, release = threading.Event(), threading.Event()

    def hang():
        asked.set()
        release.wait(FOREVER)

    shared_cache.before = hang
    clock.advance(FRESH)
    assert status_of(service) == 200
    assert asked.wait(FOREVER)
    assert {status_of(service) for _ in range(5)} == {200}
    assert auth_server.fetches == 1
    release.set()


def test_a_hanging_cache_is_given_up(service, status_of, auth_server, shared_cache, monkeypatch, log):
    """A cold start with a cache that never answers waits for one operation's time limit, and fetches."""
    limit_cache_operations(monkeypatch, 0.05)
    release = threading.Event()
    shared_cache.before = lambda: release.wait(FOREVER)
    assert status_of(service) == 200
    release.set()
    assert complaints(log) == [
        "The cache that shares the JWKS fails (TimeoutError); this process goes on alone for 30 seconds"
    ]
    assert shared_cache.operations == ["get"]


def test_operations_that_hang_do_not_pile_up(service, status_of, shared_cache, monkeypatch, clock, log, settle):
    """Four operations may linger; beyond that the cache counts as down without being asked."""
    limit_cache_operations(monkeypatch, 0.02)
    release = threading.Event()
    shared_cache.before = lambda: release.wait(FOREVER)
    for _ in range(6):
        assert status_of(service) == 200
        settle(service)
        clock.advance(FRESH)
    release.set()
    assert shared_cache.operations == ["get"] * 4
    assert [line.split()[7] for line in complaints(log)] == ["(TimeoutError);"] * 4 + ["(StillHanging);"] * 2


GOOD_ENTRY = {"fetched_at": 0, "fresh_seconds": FRESH, "etag": None}
EMPTY = {"keys": []}
RUBBISH = {
    "another type": 42,
    "bytes": b"\x80\x05rubbish",
    "no JSON": "rubbish",
    "a JSON array": "[]",
    "a nested bomb": "[" * 100_000,
    "another version's": json.dumps({"version": 2, "keys": []}),
    "no JWKS": json.dumps({**GOOD_ENTRY, "jwks": "rubbish"}),
    "a JWKS without keys": json.dumps({**GOOD_ENTRY, "jwks": {}}),
    "a JWKS with no usable key": json.dumps({**GOOD_ENTRY, "jwks": EMPTY}),
    "an ETag that is none": json.dumps({**GOOD_ENTRY, "jwks": EMPTY, "etag": 5}),
    "a time that is none": json.dumps({**GOOD_ENTRY, "jwks": EMPTY, "fetched_at": "soon"}),
    "a time without end": json.dumps({**GOOD_ENTRY, "jwks": EMPTY, "fetched_at": 10**400}),
}


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH)
def test_rubbish_is_ignored_and_replaced(rubbish, make_service, status_of, auth_server, shared_cache, entry, clock):
    """An entry that is not one of ours costs one fetch, after which the cache is good again."""
    if isinstance(rubbish, str) and '"fetched_at": 0' in rubbish:
        rubbish = rubbish.replace('"fetched_at": 0', f'"fetched_at": {clock() - 1}')
    shared_cache.set(entry("jwks", auth_server.uri), rubbish)
    assert [status_of(make_service()) for _ in range(3)] == [200] * 3
    assert auth_server.fetches == 1


def test_rubbish_is_told_of(service, status_of, auth_server, shared_cache, entry, log):
    """Whoever wonders why keys are fetched that seem to be there finds it in the log."""
    shared_cache.set(entry("jwks", auth_server.uri), "rubbish")
    assert status_of(service) == 200
    assert set(complaints(log)) == {"The shared cache holds an entry that is not a JWKS; it is ignored"}


def test_services_that_name_no_cache_share_the_default_one(auth_server):
    """As the documentation of `JwksService` has it."""
    for _ in range(2):
        assert JwksService(auth_server.uri, timeout=FOREVER).refresh().knows("key-1", "ES256")
    assert auth_server.fetches == 1


def test_newer_keys_that_are_none_replace_no_good_ones(
    service, status_of, auth_server, shared_cache, entry, clock, settle
):
    """The keys at hand stay good, even while no others can be fetched."""
    assert status_of(service) == 200
    clock.advance(FRESH)
    document = {**GOOD_ENTRY, "jwks": EMPTY, "fetched_at": clock()}
    shared_cache.set(entry("jwks", auth_server.uri), json.dumps(document))
    with auth_server.down():
        for _ in range(2):
            assert status_of(service) == 200
            settle(service)


def test_an_entry_that_cannot_be_unpickled_is_replaced(make_service, status_of, auth_server, shared_cache, entry, log):
    """Bytes that are no pickle at all are told from a cache that is down: they are deleted, and sharing goes on."""
    shared_cache.set(entry("jwks", auth_server.uri), "")
    shared_cache._cache[shared_cache.make_key(entry("jwks", auth_server.uri))] = b"rubbish"
    assert [status_of(make_service()) for _ in range(3)] == [200] * 3
    assert auth_server.fetches == 1
    assert complaints(log) == ["The shared cache held an entry that cannot be read; it is deleted"]


@pytest.mark.parametrize("rubbish", [42, "rubbish", 1e300, float("nan"), None, [], True])
@pytest.mark.parametrize("name", ["lock", "cooldown"])
def test_rubbish_in_place_of_a_lock_shuts_nobody_out(
    name, rubbish, make_service, status_of, auth_server, shared_cache, entry, log
):
    """What another program left under the lock's key or the cooldown's is overwritten, and is no fault of the cache."""
    shared_cache.set(entry(name, auth_server.uri), rubbish, None)
    service = make_service()
    assert status_of(service) == 200
    auth_server.issuer.rotate()
    assert status_of(service) == 200
    assert auth_server.fetches == 2
    assert complaints(log) == []


@pytest.mark.parametrize(
    "failure",
    [
        {"reason": "x", "count": 1, "retry_at": 1e300},
        {"reason": "x", "count": 1, "retry_at": 1e300, "retry_after": 1e300},
        {"reason": "x", "count": 1, "retry_at": "nan"},
        {"reason": "x", "count": 1, "retry_at": 0, "retry_after": []},
        {"reason": "x", "count": 1, "retry_at": 0},
        {"reason": "x", "count": 1},
        {"reason": "x", "count": [], "retry_at": 0},
    ],
)
def test_rubbish_in_place_of_a_failure_stops_no_fetch(failure, service, status_of, shared_cache, entry, auth_server):
    """A failure that is not ours, or lies in the far future, is no reason to back off."""
    shared_cache.set(entry("failure", auth_server.uri), json.dumps(failure))
    assert status_of(service) == 200


@pytest.mark.parametrize("fresh_seconds", [-1, "nan"])
def test_good_keys_with_a_freshness_that_is_none_are_fetched_anew(
    fresh_seconds, service, status_of, auth_server, shared_cache, entry, clock
):
    """With it they would never be fresh again, for a 304 leaves it in force."""
    document = {"jwks": auth_server.jwks(), "fetched_at": clock(), "fresh_seconds": fresh_seconds, "etag": None}
    shared_cache.set(entry("jwks", auth_server.uri), json.dumps(document))
    assert status_of(service) == 200
    assert auth_server.fetches == 1


@pytest.mark.parametrize(("count", "delay"), [(-5, 2), (0, 2), (10**3000, COOLDOWN)])
def test_rubbish_in_the_count_of_failures_is_put_right(
    count, delay, service, status_of, shared_cache, entry, auth_server, clock
):
    """The next failure backs off as after one failure, or after many."""
    failure = {"reason": "x", "count": count, "retry_at": clock()}
    shared_cache.set(entry("failure", auth_server.uri), json.dumps(failure))
    auth_server.fault = respond_with("500 Internal Server Error")
    assert service.inspect().retry_at == clock() + delay


@pytest.mark.parametrize("is_warm", [True, False], ids=["warm", "cold"])
def test_a_cache_and_a_server_that_are_down_together_are_asked_no_more_often(
    is_warm, service, status_of, auth_server, shared_cache, clock, settle
):
    """The process keeps the back-off by itself: 1, 2, 4 seconds; old keys answer, and the first success ends it."""
    if is_warm:
        assert status_of(service) == 200
        clock.advance(FRESH)
    before, shared_cache.before = auth_server.fetches, down
    with auth_server.behaving(respond_with("500 Internal Server Error")):
        for second in range(8):
            assert status_of(service) == (200 if is_warm else 503)
            settle(service)
            assert auth_server.fetches - before == (1, 2, 2, 3, 3, 3, 3, 4)[second]
            clock.advance(1)
    clock.advance(8)
    assert status_of(service) == 200
    settle(service)
    assert auth_server.fetches - before == 5


def test_unknown_keys_make_a_fetch_per_cooldown_while_cache_and_server_are_down(
    service, status_of, auth_server, shared_cache, clock, settle
):
    """The process keeps the cooldown of a search that failed by itself, though its back-off is shorter."""
    assert status_of(service) == 200
    shared_cache.before = down
    with auth_server.behaving(respond_with("500 Internal Server Error")):
        for second in range(2 * COOLDOWN):
            made_up = auth_server.issuer.token(header={"kid": f"made-up-{second}"})
            assert status_of(service, made_up) == 403
            settle(service)
            assert auth_server.fetches == 2 + second // COOLDOWN
            clock.advance(1)


def test_a_key_that_another_process_saw_withdrawn_is_dropped_during_an_outage(make_service, auth_server, clock, settle):
    """Where a fetch has just failed for all, newer keys of the cache are taken: those of before it."""
    late, early = make_service(), make_service()
    for each in (late, early):
        assert each.refresh().knows("key-1", "ES256")
    auth_server.issuer.rotate(keep_old=False)
    clock.advance(FRESH)
    early.current()
    settle(early)
    clock.advance(FRESH)
    with auth_server.down():
        early.current()
        settle(early)
        late.current()
        settle(late)
    assert not late.current().knows("key-1", "ES256")
    assert [key.kid for key in late.current()] == [key.kid for key in early.current()]


def test_keys_without_freshness_are_fetched_though_another_process_shared_its_own(
    make_service, status_of, auth_server, settle
):
    """JWKS_FRESH_SECONDS 0 through a shared cache: what is there starts the process, and each request refreshes."""
    make_service().refresh()
    service = make_service(fresh_seconds=0)
    for fetches in (1, 2, 3):
        assert status_of(service) == 200
        settle(service)
        assert auth_server.fetches == fetches


def test_keys_of_the_far_future_are_not_believed(service, make_service, status_of, auth_server, clock, settle):
    """A document that another machine's wrong clock dates ahead is fetched anew, and does not stay for ever."""
    ahead = make_service(clock=lambda: clock() + DAY)
    assert status_of(ahead) == 200
    assert status_of(service) == 200
    assert auth_server.fetches == 2


def test_a_clock_a_little_ahead_is_no_trouble(service, make_service, status_of, auth_server, clock):
    """Machines whose clocks differ by seconds share the keys all the same."""
    ahead = make_service(clock=lambda: clock() + 5)
    assert status_of(ahead) == 200
    assert status_of(service) == 200
    assert auth_server.fetches == 1
    assert keys_of(service).fetched_at == clock()


def test_the_shared_document_is_no_older_than_the_stale_bound(service, make_service, status_of, auth_server, clock):
    """What a restarted process finds in the cache is subject to the same bound."""
    assert status_of(service) == 200
    clock.advance(STALE - 1)
    with auth_server.down():
        assert status_of(make_service()) == 200
        clock.advance(1)
        assert status_of(make_service()) == 503


def test_a_restarted_process_needs_no_fetch(service, make_service, status_of, auth_server):
    """Workers that come and go take the keys from the cache."""
    assert status_of(service) == 200
    with auth_server.down():
        assert status_of(make_service()) == 200
    assert auth_server.fetches == 1


def test_a_restarted_process_takes_over_the_back_off(make_service, status_of, auth_server, clock):
    """Workers that come and go during an outage do not hammer the authorization server."""
    auth_server.fault = respond_with("500 Internal Server Error")
    assert [status_of(make_service()) for _ in range(3)] == [503] * 3
    assert auth_server.fetches == 1
    clock.advance(1)
    assert [status_of(make_service()) for _ in range(3)] == [503] * 3
    assert auth_server.fetches == 2
    clock.advance(1)
    assert status_of(make_service()) == 503  # the second failure waits for two seconds
    assert auth_server.fetches == 2


def test_a_shorter_freshness_holds_for_shared_keys(make_service, status_of, auth_server, clock, settle):
    """A process with other settings shared the document: one's own setting counts."""
    assert status_of(make_service()) == 200
    service = make_service(fresh_seconds=10)
    assert status_of(service) == 200
    clock.advance(10)
    assert status_of(service) == 200
    settle(service)
    assert auth_server.fetches == 2


def test_one_process_refreshes_for_all(make_service, status_of, auth_server, clock, settle):
    """Where the keys are old in two processes, the second takes what the first fetched."""
    services = make_service(), make_service()
    assert [status_of(service) for service in services] == [200, 200]
    for fetches in (2, 3):
        clock.advance(FRESH)
        for service in services:
            assert status_of(service) == 200
            settle(service)
        assert auth_server.fetches == fetches


def test_services_of_two_servers_share_one_cache_apart(make_service, status_of, auth_server):
    """Entries are kept by the address of the keys."""
    assert status_of(make_service()) == 200
    assert status_of(make_service(f"{auth_server.uri}?other")) == 503
    assert auth_server.requests[-1].path == "/jwks?other"


def test_the_document_in_the_cache_is_json(service, status_of, auth_server, shared_cache, entry, clock):
    """No Python object stands in the cache but a string and numbers: other versions can read it."""
    status_of(service)
    stored = json.loads(shared_cache.get(entry("jwks", auth_server.uri)))
    assert stored == {"jwks": auth_server.jwks(), "fetched_at": clock(), "fresh_seconds": FRESH, "etag": None}


def test_the_caches_of_the_settings_are_named_by_their_alias(make_service, status_of, auth_server, settings):
    """Services that are given the same alias share the keys, until CACHES changes."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {name: {"BACKEND": backend, "LOCATION": f"resilience-{name}"} for name in ("default", "keys")}
    service = make_service(cache="keys")
    assert [status_of(service), status_of(make_service(cache="keys"))] == [200, 200]
    assert auth_server.fetches == 1
    settings.CACHES = {name: {"BACKEND": backend, "LOCATION": f"resilience-new-{name}"} for name in ("default", "keys")}
    service.refresh()
    assert status_of(make_service(cache="keys")) == 200
    assert auth_server.fetches == 2


def test_any_object_is_the_cache_itself(auth_server, log):
    """Django's own `cache`, which is a proxy and no BaseCache, shares the keys as well."""
    services = [JwksService(auth_server.uri, cache=cache) for _ in range(2)]
    for service in services:
        assert service.refresh().knows("key-1", "ES256")
    assert auth_server.fetches == 1
    assert complaints(log) == []


def test_a_process_without_keys_looks_for_those_of_others_while_it_backs_off(
    make_service, status_of, auth_server, shared_cache, clock
):
    """Once a second it looks into the cache, and fetches nothing: one's success ends everybody's outage."""
    service, other = make_service(), make_service()
    auth_server.fault = respond_with("500 Internal Server Error")
    for delay in (1, 2, 4, 8, 16):
        assert status_of(service) == 503
        clock.advance(delay)
    assert status_of(service) == 503  # and for 30 seconds more
    before = auth_server.fetches
    assert status_of(service) == 503
    shared_cache.operations.clear()
    assert [status_of(service) for _ in range(5)] == [503] * 5
    assert shared_cache.operations == []
    auth_server.fault = answer_as_it_should
    assert other.inspect(fetch=True).fetch is not None
    clock.advance(1)
    assert status_of(service) == 200
    assert auth_server.fetches == before + 1


@pytest.mark.parametrize("is_cold", [True, False], ids=["cold", "warm"])
def test_the_failures_of_a_process_end_with_the_success_of_another(is_cold, make_service, auth_server, clock):
    """Whether it finds the keys at a look or at a refresh, its next failure is the first one in a row."""
    service, other = make_service(), make_service()
    if not is_cold:
        service.refresh()
    failing = respond_with("500 Internal Server Error")
    with auth_server.behaving(failing):
        delays = [service.inspect(fetch=True).retry_at - clock() for _ in range(3)]
    assert delays == [1, 2, 4]
    clock.advance(1 if is_cold else 4)
    other.inspect(fetch=True)
    fetches = auth_server.fetches
    assert service.refresh().knows("key-1", "ES256")
    assert auth_server.fetches == fetches
    with auth_server.behaving(failing):
        assert service.inspect(fetch=True).retry_at == clock() + 1


def test_old_keys_in_the_cache_are_no_reason_not_to_fetch(make_service, auth_server, clock, settle):
    """Newer than one's own is not enough for a refresh: they must be fresh."""
    service, other = make_service(), make_service()
    service.refresh()
    clock.advance(100)
    other.inspect(fetch=True)
    clock.advance(FRESH)
    service.current()
    settle(service)
    assert auth_server.fetches == 3
    assert keys_of(service).fetched_at == clock()


def test_an_alias_that_is_none_costs_the_sharing(make_service, status_of, log):
    """At run time an unknown alias is a cache that is down; the checks tell before."""
    assert status_of(make_service(cache="unheard-of")) == 200
    assert len(complaints(log)) == 1


@pytest.mark.real_servers
def test_connections_to_the_cache_server_are_kept_for_a_while(make_service, valkey, clock, settings):
    """One connection serves all operations of a while, and none is kept that may have died of old age."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": valkey.uri}}
    service, before = make_service(cache="default"), valkey.connections()
    for _ in range(5):
        service.refresh()
    assert valkey.connections() == before + 1
    worker = next(inside(service).cache._workers)
    inside(service).cache._workers = repeat(type(worker)(idle_seconds=0))
    for more in (2, 3):
        service.refresh()
        assert valkey.connections() >= before + more


def test_a_lost_lock_holds_up_nobody_for_long(make_service, status_of, shared_cache, entry, auth_server, clock):
    """A process that died while it fetched leaves a lock that frees itself: 503 until then, and then the keys."""
    service = make_service(timeout=1)
    shared_cache.set(entry("lock", auth_server.uri), clock() + 1, None)
    inside(service).refresher.sleep = clock.advance
    assert status_of(service) == 200


def test_a_lock_that_is_never_freed_is_a_503(make_service, status_of, shared_cache, entry, auth_server, heard):
    """Whoever waits for another process's fetch gives up in bounded time."""
    service = make_service(timeout=0.1)
    parts = inside(service)
    parts.fetcher.longest = -1
    parts.refresher.sleep = lambda seconds: None
    parts.shared.locked = lambda seconds: nullcontext(False)
    assert status_of(service) == 503
    assert auth_server.fetches == 0
