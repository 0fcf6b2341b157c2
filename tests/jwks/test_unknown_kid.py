"""A token of a key that is not at hand: a rotation to follow at once, or a flood to withstand."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest

from django_oauth_jwt.errors import InvalidToken, KeysUnavailable
from django_oauth_jwt.jwks.snapshot import Failure, Wanted
from django_oauth_jwt.upstream import RequestWait, Wait, WaitInTrouble, run_blocking
from django_oauth_jwt.verification import verify_token

from ..flood import flood
from ..servers.clients import until
from ..servers.faulty_server import FOREVER, hang, respond_with
from .inside import change, have_patience, inside, keys_job, search_for

COOLDOWN, FRESH = 30, 300


@pytest.fixture
def warm_service(make_service, status_of, settle):
    """A warm service with the default times."""
    service = make_service()
    assert status_of(service) == 200
    settle(service)
    return service


@pytest.fixture
def processes(make_service, accepts):
    """Two warm services on one cache, as two processes have them."""
    services = make_service(), make_service()
    assert all(accepts(service) for service in services)
    return services


@pytest.fixture
def accepts(trust_service, auth_server):
    """Return whether a service's keys accept a token."""

    def accepts(service, token=None):
        trust_service(service)
        try:
            return bool(verify_token(token or auth_server.issuer.token(), jwks_service=service))
        except InvalidToken as error:
            if error.reason != "unknown_kid":
                raise
            return False

    return accepts


@pytest.fixture
def made_up(auth_server):
    """Return a token with a key id that nobody ever had."""
    return lambda number=0: auth_server.issuer.token(header={"kid": f"made-up-{number}"})


def test_a_rotation_is_followed_by_the_next_request(warm_service, status_of, auth_server):
    """The first token of a new key is accepted, with one fetch, and tokens of the old key still are."""
    old = auth_server.issuer.token()
    auth_server.issuer.rotate()
    assert status_of(warm_service) == 200
    assert status_of(warm_service, old) == 200
    assert auth_server.fetches == 2


def test_a_flood_of_made_up_key_ids_makes_one_fetch(warm_service, status_of, auth_server, made_up):
    """A thousand different unknown keys within a cooldown are refused with one fetch."""
    assert {status_of(warm_service, made_up(number)) for number in range(flood(1000))} == {403}
    assert auth_server.fetches == 2
    assert status_of(warm_service) == 200


def test_the_next_fetch_comes_after_the_cooldown(warm_service, status_of, auth_server, clock, made_up, settle):
    """There is one fetch in each cooldown, at most, as long as the flood lasts."""
    for cooldown in range(3):
        for second in range(COOLDOWN):
            assert status_of(warm_service, made_up(second)) == 403
            settle(warm_service)
            clock.advance(1)
        assert auth_server.fetches == 2 + cooldown


def test_a_rotation_within_the_cooldown_waits_for_its_end(warm_service, status_of, auth_server, clock, made_up):
    """Within the cooldown a new key's token is refused at once, after it the token is good."""
    assert status_of(warm_service, made_up()) == 403
    auth_server.issuer.rotate()
    clock.advance(COOLDOWN - 1)
    assert status_of(warm_service) == 403
    assert auth_server.fetches == 2
    clock.advance(1)
    assert status_of(warm_service) == 200


def test_a_token_without_kid_is_no_reason_to_fetch_where_a_key_fits(warm_service, status_of, auth_server):
    """RFC 7515 leaves the kid optional: one key that fits is good enough."""
    assert status_of(warm_service, auth_server.issuer.token(header={"kid": None})) == 200
    assert auth_server.fetches == 1


@pytest.mark.parametrize("x5t", [None, "bmV3"])
def test_a_new_key_that_no_kid_names_comes_with_the_next_refresh(
    warm_service, status_of, auth_server, clock, log, settle, x5t
):
    """Nothing tells such a token from a made-up one: it is no reason to fetch, though the key is published."""
    auth_server.issuer.rotate()
    new = auth_server.issuer.token(header={"kid": None, "x5t": x5t})
    for seconds in (COOLDOWN, FRESH - COOLDOWN - 1):
        clock.advance(seconds)
        assert status_of(warm_service, new) == 403
        assert log()[-1] == "Token rejected: bad_signature"
    assert auth_server.fetches == 1
    clock.advance(2)
    assert status_of(warm_service, new) == 403  # the refresh is made behind it
    settle(warm_service)
    assert status_of(warm_service, new) == 200
    assert auth_server.fetches == 2


def test_a_token_without_kid_looks_for_a_key_of_its_algorithm(warm_service, status_of, auth_server, settle):
    """Without a kid the algorithm says which key is lacking."""
    before = auth_server.issuer.token(header={"kid": None})
    auth_server.issuer.rotate()
    assert status_of(warm_service, before) == 200  # one key fits the keys at hand
    assert status_of(warm_service) == 200
    assert status_of(warm_service, before) == 200  # now two do, and are tried
    assert auth_server.fetches == 2


def test_one_process_learns_from_the_other_without_a_fetch(processes, accepts, auth_server):
    """An unknown key is looked for in the shared cache first."""
    first, second = processes
    assert auth_server.fetches == 1
    auth_server.issuer.rotate()
    assert accepts(first)
    assert accepts(second)
    assert auth_server.fetches == 2


def test_processes_share_one_cooldown(processes, accepts, auth_server, clock, made_up):
    """A flood over two processes makes one fetch per cooldown among them."""
    for cooldown in range(3):
        for number in range(10):
            assert not any(accepts(service, made_up(number)) for service in processes)
            clock.advance(1)
        clock.advance(COOLDOWN - 10)
        assert auth_server.fetches == 2 + cooldown


def test_a_new_process_starts_no_cooldown_of_its_own(processes, make_service, accepts, auth_server, made_up):
    """A process that starts in the middle of a flood finds the cooldown as it is."""
    assert not accepts(processes[0], made_up(1))
    late = make_service()
    assert not accepts(late, made_up(2))
    assert not accepts(late, made_up(3))
    assert auth_server.fetches == 2


def test_a_cold_start_with_a_made_up_key_counts_for_the_cooldown(make_service, accepts, auth_server, clock, made_up):
    """The very first fetch is as new as can be: the next made-up key makes none."""
    service = make_service()
    assert not accepts(service, made_up(1))
    clock.advance(1)
    assert not accepts(service, made_up(2))
    assert auth_server.fetches == 1
    clock.advance(COOLDOWN)
    assert not accepts(service, made_up(3))
    assert auth_server.fetches == 2


def test_a_cold_start_on_keys_of_the_cache_follows_a_rotation(processes, make_service, accepts, auth_server, clock):
    """Keys that a new process finds in the cache are no fetch: where they lack the token's key, it makes one."""
    clock.advance(100)
    auth_server.issuer.rotate()
    assert accepts(make_service())
    assert auth_server.fetches == 2


def test_the_cooldown_hides_no_key_that_another_process_found(processes, accepts, auth_server, made_up, clock):
    """It forbids to fetch; but the cache is looked into once a second, and has the newer keys."""
    first, second = processes
    assert not accepts(second, made_up())
    auth_server.issuer.rotate()
    first.inspect(fetch=True)
    fetches = auth_server.fetches
    clock.advance(1)
    assert accepts(second)
    assert auth_server.fetches == fetches


def test_a_flood_in_the_cooldown_hides_no_key_that_another_process_found(
    processes, accepts, auth_server, made_up, clock
):
    """A look for a made-up key brings the newer keys of the cache along, though they lack that one."""
    first, second = processes
    assert not accepts(second, made_up())
    auth_server.issuer.rotate()
    first.inspect(fetch=True)
    clock.advance(1)
    assert not accepts(second, made_up(1))
    assert accepts(second)


def test_a_failure_that_is_known_is_not_this_cooldowns_fetch(warm_service, status_of, auth_server, clock, settle):
    """A search that finds fetches backing off has made none: when that ends, the new key is searched for at once."""
    clock.advance(300)
    with auth_server.behaving(respond_with("500 Internal Server Error")):
        warm_service.current()
        settle(warm_service)
        auth_server.issuer.rotate()
        assert status_of(warm_service) == 403
    assert auth_server.fetches == 2
    clock.advance(1)
    assert status_of(warm_service) == 200
    assert auth_server.fetches == 3


def test_a_flood_hides_no_key_that_another_process_found(processes, accepts, auth_server, made_up, clock):
    """A search for a made-up key brings the newer keys of the cache along, though they lack that one."""
    first, second = processes
    auth_server.issuer.rotate()
    assert accepts(first)
    assert not accepts(second, made_up())
    assert accepts(second)
    assert auth_server.fetches == 2


def test_a_flood_hides_no_key_that_another_process_found_meanwhile(
    processes, accepts, auth_server, made_up, shared_cache
):
    """So does a search that waited in vain for another process's fetch."""
    first, second = processes
    auth_server.issuer.rotate()
    assert accepts(first)
    have_patience(second, FOREVER, others=-1)
    inside(second).shared.locked = lambda seconds: nullcontext(False)
    assert not accepts(second, made_up())
    assert accepts(second)
    assert auth_server.fetches == 2


def test_a_new_key_waits_for_the_refresh_behind_requests(warm_service, auth_server, clock):
    """After an idle hour the first token of a new key gets it from the one refresh, and polls no cache for it."""
    have_patience(warm_service, FOREVER)
    inside(warm_service).refresher.sleep = pytest.fail
    clock.advance(3600)
    auth_server.issuer.rotate()
    wanted = Wanted(auth_server.issuer.keys[-1].kid, "ES256")
    with ThreadPoolExecutor(1) as pool, auth_server.held():
        warm_service.current()
        auth_server.wait_for(lambda: auth_server.pending == 1)
        found = pool.submit(warm_service.key_set_for, *wanted)
        until(lambda: keys_job(warm_service).wanted == wanted)
    assert found.result().knows(*wanted)
    assert auth_server.fetches == 2


@pytest.mark.parametrize("failure", [None, Failure("status 500", 1, 0.0)], ids=["none before", "one before"])
def test_a_refresh_that_lacks_the_new_key_is_followed_by_a_search(warm_service, auth_server, clock, failure):
    """It may have been answered a moment before the rotation. A failure that it ends is not the cooldown's fetch."""
    have_patience(warm_service, FOREVER)
    change(warm_service, failure=failure)
    clock.advance(3600)
    old = respond_with(body=json.dumps(auth_server.jwks()).encode())
    auth_server.issuer.rotate()
    wanted = Wanted(auth_server.issuer.keys[-1].kid, "ES256")
    release = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with auth_server.behaving(lambda exchange: release.wait(FOREVER) and old(exchange)):
            warm_service.current()
            auth_server.wait_for(lambda: auth_server.pending == 1)
            found = pool.submit(warm_service.key_set_for, *wanted)
            until(lambda: keys_job(warm_service).wanted == wanted)
        release.set()
    assert found.result().knows(*wanted)
    assert auth_server.fetches == 3


def test_a_request_waits_for_a_refresh_and_a_search_no_longer_than_for_one(warm_service, auth_server, clock):
    """The second is for both together; what is found later is there for the next request."""
    have_patience(warm_service, 1)
    source = inside(warm_service).source
    now = source._monotonic()
    source._monotonic = lambda: now
    clock.advance(3600)
    with auth_server.held():
        warm_service.current()
        search = search_for(warm_service, "new", "ES256")
        for_the_refresh = next(search)
        now += 0.75
    for_the_refresh.future.result(FOREVER)
    with auth_server.held():
        for_the_search = search.send(None)
        assert [type(wait) for wait in (for_the_refresh, for_the_search)] == [RequestWait, Wait]
        assert [wait.seconds for wait in (for_the_refresh, for_the_search)] == pytest.approx([1, 0.25])
        with pytest.raises(KeysUnavailable):
            search.send(None)


def test_one_that_has_just_failed_is_not_waited_for_beside_one_that_hangs(warm_service, auth_server):
    """It may hang as well."""
    change(warm_service, failure=Failure("status 500", 1, 0.0))
    search = search_for(warm_service, "new", "ES256")
    with auth_server.held():
        assert type(next(search)) is WaitInTrouble
        search.close()


def test_a_new_key_waits_for_the_search_of_another_process(processes, auth_server):
    """That search has claimed the cooldown; but what it fetches is what is sought."""
    first, second = processes
    searching = threading.Event()
    have_patience(second, FOREVER, others=FOREVER)
    inside(second).refresher.sleep = lambda seconds: searching.set() or threading.Event().wait(0.005)
    auth_server.issuer.rotate()
    kid = auth_server.issuer.keys[-1].kid
    with ThreadPoolExecutor(2) as pool, auth_server.held():
        found = [pool.submit(first.key_set_for, kid, "ES256")]
        auth_server.wait_for(lambda: auth_server.pending == 1)
        found.append(pool.submit(second.key_set_for, kid, "ES256"))
        assert searching.wait(FOREVER)
    assert all(key_set.result().knows(kid, "ES256") for key_set in found)
    assert auth_server.fetches == 2


def test_a_refresh_that_fails_is_waited_for_once(warm_service, status_of, auth_server, clock, settle, made_up):
    """It counts for the cooldown: while the next one hangs, unknown keys are refused at once."""
    have_patience(warm_service, FOREVER)
    clock.advance(3600)
    auth_server.fault = hang
    with ThreadPoolExecutor(1) as pool:
        warm_service.current()
        auth_server.wait_for(lambda: auth_server.pending == 1)
        refused = pool.submit(status_of, warm_service, made_up())
        until(lambda: keys_job(warm_service).wanted is not None)
        auth_server.fault = hang  # lets the first one go, unanswered
        assert refused.result() == 403
    settle(warm_service)
    clock.advance(2)
    warm_service.current()
    auth_server.wait_for(lambda: auth_server.pending == 1)
    assert status_of(warm_service, made_up()) == 403
    assert (auth_server.fetches, auth_server.pending) == (3, 1)


def test_within_the_cooldown_of_others_no_refresh_is_waited_for_long(processes, accepts, auth_server, clock, made_up):
    """Where another process made the cooldown's fetch, nobody waits long for this one's refresh, which hangs."""
    first, second = processes
    have_patience(second, 0.05)
    clock.advance(290)
    auth_server.fault = respond_with("500 Internal Server Error")
    assert not accepts(first, made_up())
    clock.advance(11)
    auth_server.fault = hang
    second.current()
    auth_server.wait_for(lambda: auth_server.pending == 1)
    with pytest.raises(KeysUnavailable):
        accepts(second, made_up())
    assert (auth_server.fetches, auth_server.pending) == (3, 1)


def test_a_flood_looks_into_the_shared_cache_once_a_second(warm_service, status_of, made_up, shared_cache, clock):
    """The cache server is spared as well."""
    status_of(warm_service, made_up())
    shared_cache.operations.clear()
    assert {status_of(warm_service, made_up(number)) for number in range(10)} == {403}
    assert shared_cache.operations == []
    clock.advance(1)
    assert status_of(warm_service, made_up()) == 403
    assert shared_cache.operations != []


def test_a_failed_fetch_keeps_the_keys_and_counts_for_the_cooldown(
    warm_service, status_of, auth_server, clock, made_up
):
    """While the authorization server fails, made-up keys make one fetch per cooldown and known keys are good."""
    auth_server.fault = respond_with("500 Internal Server Error")
    for _ in range(2):
        for number in range(COOLDOWN):
            assert status_of(warm_service, made_up(number)) == 403
            assert status_of(warm_service) == 200
            clock.advance(1)
    assert auth_server.fetches == 3


def test_a_hanging_fetch_for_an_unknown_key_delays_no_known_key(warm_service, status_of, auth_server, made_up):
    """Known keys are answered, and other unknown ones refused, while the search for the first still hangs."""
    with ThreadPoolExecutor() as pool, auth_server.held():
        waiting = pool.submit(warm_service.key_set_for, "made-up", "ES256")
        auth_server.wait_for(lambda: auth_server.pending == 1)
        for number in range(20):
            assert status_of(warm_service) == 200
            assert status_of(warm_service, made_up(number)) == 403
        assert not waiting.done()
        assert (auth_server.fetches, auth_server.pending) == (2, 1)


def test_all_who_want_the_same_new_key_get_it_from_one_fetch(warm_service, auth_server):
    """At a rotation the requests that come together wait for one search."""
    have_patience(warm_service, FOREVER)  # a busy machine is no hanging server
    auth_server.issuer.rotate()
    kid = auth_server.issuer.keys[-1].kid
    together = threading.Barrier(8)

    def ask():
        together.wait()
        return warm_service.key_set_for(kid, "ES256").knows(kid, "ES256")

    with ThreadPoolExecutor(8) as pool:
        assert all(answer.result() for answer in [pool.submit(ask) for _ in range(8)])
    assert auth_server.fetches == 2


@pytest.fixture(params=["sync", "async"])
def ask(request):
    """Ask a service for a key, in either way."""
    if request.param == "sync":
        return lambda service, kid: service.key_set_for(kid, "ES256")
    return lambda service, kid: asyncio.run(service.akey_set_for(kid, "ES256"))


def test_a_search_that_hangs_holds_no_other_request_for_long(warm_service, auth_server, ask, settle):
    """All who want the same key wait for a second in all, who began it too, and may come again: it is there then.

    Whether the key is a good one is not known yet, so a refusal of the token could be a wrong one.
    """
    have_patience(warm_service, 0.05)
    auth_server.issuer.rotate()
    kid = auth_server.issuer.keys[-1].kid
    with ThreadPoolExecutor(1) as pool, auth_server.held():
        first = pool.submit(ask, warm_service, kid)
        auth_server.wait_for(lambda: auth_server.pending == 1)
        for _ in range(3):
            with pytest.raises(KeysUnavailable):
                ask(warm_service, kid)
        with pytest.raises(KeysUnavailable):
            first.result()
        assert keys_job(warm_service).waiting == 0
    settle(warm_service)
    assert ask(warm_service, kid).knows(kid, "ES256")
    assert auth_server.fetches == 2


def test_a_cold_start_that_hangs_holds_no_request_for_long(make_service, auth_server, ask, settle):
    """After a second, counted from the fetch's start, each is a 503 that says when to come again."""
    service = make_service()
    have_patience(service, 0.05)
    with auth_server.held():
        for _ in range(3):
            with pytest.raises(KeysUnavailable) as caught:
                ask(service, "key-1")
            assert caught.value.retry_after == 1
        auth_server.wait_for(lambda: auth_server.pending == 1)
        assert (auth_server.fetches, keys_job(service).waiting) == (1, 0)
    settle(service)
    assert ask(service, "key-1").knows("key-1", "ES256")
    assert auth_server.fetches == 1


def test_a_search_that_a_refresh_overtakes_makes_no_fetch(warm_service, auth_server, clock, settle):
    """The refresh that its own request began has brought the key: the cooldown's fetch is still to be had."""
    clock.advance(300)
    auth_server.issuer.rotate()
    wanted = Wanted(auth_server.issuer.keys[-1].kid, "ES256")
    warm_service.current()
    settle(warm_service)
    assert run_blocking(inside(warm_service).source.find(wanted)).knows(*wanted)
    assert auth_server.fetches == 2
    assert inside(warm_service).source.state.cooldown_until == 0


def test_a_machine_without_threads_to_spare_refuses_unknown_keys(warm_service, status_of, made_up, monkeypatch, clock):
    """Where no thread can be had for a search, the request is answered all the same, and the next one may search."""

    def no_thread(*args, **kwargs):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr("threading.Thread.start", no_thread)
        assert status_of(warm_service, made_up()) == 403
    assert keys_job(warm_service) is None


def test_without_a_cooldown_each_unknown_key_is_looked_for(make_service, accepts, auth_server, made_up):
    """A cooldown of 0 is the project's own wish."""
    service = make_service(cooldown_seconds=0)
    for number in range(3):
        assert not accepts(service, made_up(number))
    assert auth_server.fetches == 3
