"""Fresh, old and stale keys: when a request is answered from memory, and when the keys are fetched."""

import contextlib
import json

import pytest

from django_oauth_jwt.errors import KeysUnavailable
from django_oauth_jwt.testing import SigningKey, TokenIssuer

from ..servers.faulty_server import answer_as_it_should, hang, respond_with
from .inside import inside, keys_of

FRESH, STALE = 300, 14400
HOUR = 3600


@pytest.fixture
def age(service, status_of, clock, settle):
    """Return a function that fetches the keys and lets them grow so many seconds old."""

    def age(seconds):
        assert status_of(service) == 200
        settle(service)
        clock.advance(seconds)

    return age


def test_fresh_keys_cost_no_io_at_all(service, age, status_of, auth_server, shared_cache, settle):
    """While the keys are fresh, a request asks neither the authorization server nor the cache."""
    age(FRESH - 1)
    shared_cache.operations.clear()
    assert {status_of(service) for _ in range(5)} == {200}
    settle(service)
    assert auth_server.fetches == 1
    assert shared_cache.operations == []


def test_the_age_of_keys_counts_from_the_last_time_that_they_were_confirmed(
    service, age, status_of, auth_server, clock, settle
):
    """Whatever they are still good for; to ask for it fetches nothing, and a clock that was set back makes it 0."""
    assert service.age() is None
    age(0)
    assert service.age() == 0
    for seconds in (FRESH, STALE):
        clock.advance(seconds)
        assert service.age() == seconds
        clock.advance(-seconds)
    clock.advance(-1)
    assert service.age() == 0
    settle(service)
    assert auth_server.fetches == 1
    clock.advance(FRESH + 2)
    assert status_of(service) == 200
    settle(service)
    assert service.age() == 0


def test_old_keys_answer_at_once_and_are_refreshed_behind(service, age, status_of, auth_server, settle):
    """The request that finds the keys old is answered while the fetch still hangs, and there is one fetch."""
    age(FRESH)
    with auth_server.held():
        assert {status_of(service) for _ in range(5)} == {200}
        auth_server.wait_for(lambda: auth_server.pending == 1)
        assert {status_of(service) for _ in range(5)} == {200}
        assert auth_server.fetches == 2
    settle(service)
    assert {status_of(service) for _ in range(5)} == {200}
    settle(service)
    assert auth_server.fetches == 2


@pytest.mark.parametrize(
    ("cache_control", "fresh"),
    [
        ("max-age=60", 60),
        ("public, max-age=60, must-revalidate", 60),
        ('MAX-AGE="60"', 60),
        ("max-age=900", FRESH),  # a longer one than the setting does not count
        ("max-age=0", 30),  # "ask each time" is what nobody can who checks offline: the cooldown
        ("max-age=-5", FRESH),
        ("max-age=soon", FRESH),
        ("max-age=1.5", FRESH),
        ("s-maxage=60", FRESH),
        ("no-store", FRESH),
    ],
)
def test_max_age_makes_keys_old_sooner(cache_control, fresh, service, age, status_of, auth_server, clock, settle):
    """The authorization server may want its keys asked for more often than the setting says, never less."""
    auth_server.headers = {"Cache-Control": cache_control}
    age(fresh - 1)
    assert status_of(service) == 200
    settle(service)
    assert auth_server.fetches == 1
    clock.advance(1)
    assert status_of(service) == 200
    settle(service)
    assert auth_server.fetches == 2


def test_a_not_modified_answer_makes_the_same_keys_fresh(service, age, status_of, auth_server, clock, settle):
    """With an ETag the keys are revalidated: no second body, the same parsed keys, and they are fresh again."""
    auth_server.has_etags = True
    age(FRESH)
    before = service.current()
    settle(service)
    assert auth_server.requests[1].status == "304 Not Modified"
    assert service.current() is before
    clock.advance(FRESH - 1)
    assert service.current() is before
    settle(service)
    assert auth_server.fetches == 2


def test_keys_that_the_shared_cache_had_are_not_revalidated(make_service, auth_server, clock, settle, shared_cache):
    """Somebody else may have put them there with the right ETag: a 304 would keep them for ever."""
    auth_server.has_etags = True
    make_service().refresh()
    foreign = TokenIssuer("https://foreign.example.com", key=SigningKey.generate("ES256", "foreign"))
    (entry,) = [key for key in shared_cache._cache if key.endswith(":jwks")]
    key = entry.removeprefix(":1:")
    shared_cache.set(key, json.dumps({**json.loads(shared_cache.get(key)), "jwks": foreign.jwks()}))
    service = make_service()
    assert service.refresh().knows("foreign", "ES256")
    clock.advance(FRESH)
    service.current()
    settle(service)
    assert auth_server.requests[-1].status == "200 OK"
    assert not service.current().knows("foreign", "ES256")
    assert service.current().knows("key-1", "ES256")


def test_a_not_modified_answer_leaves_the_shorter_age_in_force(service, age, auth_server, clock, settle):
    """RFC 9111 section 4.3.4: what the 304 does not say stays as the answer before said it."""
    auth_server.has_etags = True
    auth_server.headers = {"Cache-Control": "max-age=60"}
    age(60)
    auth_server.headers = {}
    for fetches in (2, 3):
        service.current()
        settle(service)
        assert auth_server.requests[-1].status == "304 Not Modified"
        assert auth_server.fetches == fetches
        clock.advance(59)
        assert service.current() is not None
        settle(service)
        assert auth_server.fetches == fetches
        clock.advance(1)


def test_an_etag_is_left_out_after_a_fetch_with_it_failed(service, age, auth_server, clock, settle):
    """It may be to blame: some server, or one on the way, cannot bear it. After a success it is used again."""

    def cannot_bear_etags(exchange):
        if "if-none-match" in exchange.headers:
            exchange.respond("500 Internal Server Error")
        else:
            answer_as_it_should(exchange)

    auth_server.has_etags = True
    age(FRESH)
    with auth_server.behaving(cannot_bear_etags):
        for delay in (1, FRESH):
            service.current()
            settle(service)
            clock.advance(delay)
    service.current()
    settle(service)
    assert ["if-none-match" in exchange.headers for exchange in auth_server.requests] == [False, True, False, True]
    assert [exchange.status[:3] for exchange in auth_server.requests] == ["200", "500", "200", "304"]


def test_keys_are_fresh_for_a_second_at_the_least(make_service, auth_server, clock, settle):
    """With no cooldown, max-age=0 would have every request refresh the keys."""
    auth_server.headers = {"Cache-Control": "max-age=0"}
    service = make_service(cooldown_seconds=0)
    service.refresh()
    clock.advance(0.9)
    service.current()
    settle(service)
    assert auth_server.fetches == 1
    clock.advance(0.1)
    service.current()
    settle(service)
    assert auth_server.fetches == 2


def test_without_freshness_each_request_has_the_keys_refreshed_behind(make_service, status_of, auth_server, settle):
    """JWKS_FRESH_SECONDS 0: the keys at hand answer, a new key is followed at once, and outages are outlived."""
    service = make_service(fresh_seconds=0)
    for fetches in (1, 2, 3):
        assert status_of(service) == 200
        settle(service)
        assert auth_server.fetches == fetches
    with auth_server.held():
        assert [status_of(service) for _ in range(3)] == [200] * 3
        auth_server.wait_for(lambda: auth_server.pending == 1)
        assert auth_server.fetches == 4
    settle(service)
    auth_server.issuer.rotate()
    assert status_of(service) == 200
    settle(service)
    with auth_server.down():
        assert status_of(service) == 200
        settle(service)
    assert service.current() is not None


def test_keys_of_a_clock_that_was_ahead_are_good_for_no_longer(service, age, status_of, auth_server, clock, settle):
    """They are dated to the moment when the clock has been put right: from then on the stale bound holds."""
    age(-24 * HOUR)
    with auth_server.down():
        for _ in range(STALE // HOUR):
            assert status_of(service) == 200
            settle(service)
            clock.advance(HOUR)
        assert service.current() is None


def test_keys_that_were_replaced_meanwhile_are_not_put_back(service, age, clock, settle):
    """A request that finds keys of a clock that was ahead may be overtaken by a refresh."""
    age(1)
    before = keys_of(service)
    service.inspect(fetch=True)
    newer = keys_of(service)
    clock.advance(-HOUR)
    assert inside(service).source.old_keys(before) is before.key_set
    assert keys_of(service) is newer


def test_a_request_that_another_one_overtakes_starts_no_second_refresh(service, age, auth_server, settle):
    """Of all that find old keys at the same moment, one starts the refresh."""
    age(FRESH)
    source = inside(service).source
    lock = source._lock

    class Overtaken(contextlib.nullcontext):
        def __enter__(self):
            source._lock = lock
            service.current()
            settle(service)

    source._lock = Overtaken()
    assert service.current() is not None
    assert auth_server.fetches == 2


def test_a_changed_document_is_sent_whole_in_spite_of_an_etag(service, age, status_of, auth_server, settle):
    """A rotation shows at the next refresh, with ETags too."""
    auth_server.has_etags = True
    age(FRESH)
    auth_server.issuer.rotate()
    token = auth_server.issuer.token()
    service.current()
    settle(service)
    assert status_of(service, token) == 200
    assert auth_server.fetches == 2


def test_keys_outlive_an_outage_up_to_the_stale_bound(service, age, status_of, auth_server, clock, settle):
    """With the authorization server down no request is refused until JWKS_STALE_SECONDS, then each is a 503."""
    age(0)
    with auth_server.down():
        for _ in range(STALE // HOUR - 1):
            clock.advance(HOUR)
            assert status_of(service) == 200
            settle(service)
        clock.advance(HOUR - 1)
        assert status_of(service) == 200
        settle(service)
        clock.advance(1)
        assert service.current() is None
        assert status_of(service) == 503


def test_keys_are_back_as_soon_as_the_server_is(service, age, status_of, auth_server, clock, settle):
    """After an outage beyond the stale bound, the first success ends it."""
    age(0)
    with auth_server.down():
        clock.advance(STALE)
        assert status_of(service) == 503
    assert status_of(service) == 503  # the back-off
    clock.advance(1)
    assert status_of(service) == 200


def test_stale_keys_do_not_count_what_failed_since(service, age, status_of, auth_server, clock, settle):
    """The bound counts from the last success: a success in between starts it anew."""
    age(STALE - 1)
    assert status_of(service) == 200
    settle(service)
    clock.advance(STALE - 1)
    with auth_server.down():
        assert status_of(service) == 200
        settle(service)


def test_failed_refreshes_back_off(service, age, status_of, auth_server, clock, settle, heard, log):
    """After each failure the next try waits longer: 1, 2, 4 seconds and so on, the cooldown at the most."""
    age(FRESH)
    assert heard.next()[0] == "refreshed"
    auth_server.fault = respond_with("500 Internal Server Error")
    for delay in (1, 2, 4, 8, 16, 30, 30):
        before = auth_server.fetches
        for _ in range(3):
            assert status_of(service) == 200
            settle(service)
        assert auth_server.fetches == before + 1
        assert heard.next() == ("failed", service, "status 500", clock() + delay)
        assert log()[-1] == f"JWKS fetch from {auth_server.uri} failed: status 500; next try in {delay} seconds"
        clock.advance(delay - 0.1)
        assert status_of(service) == 200
        settle(service)
        assert auth_server.fetches == before + 1
        clock.advance(0.1)
    assert heard.has_nothing_more()


def test_a_success_ends_the_back_off(service, age, status_of, auth_server, clock, settle, heard):
    """The failures before a success do not count for the failures after it."""
    age(FRESH)
    with auth_server.behaving(respond_with("500 Internal Server Error")):
        for delay in (1, 2):
            status_of(service)
            settle(service)
            clock.advance(delay)
    status_of(service)
    settle(service)
    clock.advance(FRESH)
    with auth_server.behaving(respond_with("500 Internal Server Error")):
        status_of(service)
        settle(service)
    news = [heard.next() for _ in range(5)]
    assert [event for event, *_ in news] == ["refreshed", "failed", "failed", "refreshed", "failed"]
    assert news[-1][-1] == clock() + 1


def test_a_clock_set_back_refreshes_and_goes_on(service, age, status_of, auth_server, clock, settle):
    """Keys from the future are not trusted for longer: they answer, and are fetched anew."""
    age(-HOUR)
    assert status_of(service) == 200
    settle(service)
    assert auth_server.fetches == 2
    assert status_of(service) == 200
    settle(service)
    assert auth_server.fetches == 2


def test_a_dropped_key_takes_its_remembered_tokens_along(service, age, status_of, auth_server, settle):
    """After the refresh a token of a key that left is refused, though it was accepted a moment ago."""
    token = auth_server.issuer.token()
    age(FRESH)
    assert status_of(service, token) == 200
    settle(service)
    auth_server.issuer.rotate(keep_old=False)
    assert status_of(service, token) == 200
    service.refresh()
    assert status_of(service, token) == 403
    assert status_of(service) == 200


def test_the_cold_service_says_when_to_come_again(service, auth_server, clock):
    """Without any keys the answer is KeysUnavailable with the seconds to the next try, 503 to the client."""
    auth_server.fault = respond_with("500 Internal Server Error")
    for delay in (1, 2, 4):
        with pytest.raises(KeysUnavailable) as caught:
            service.key_set_for("key-1", "ES256")
        assert caught.value.retry_after == delay
        assert service.current() is None
        clock.advance(delay)


def test_the_cold_service_asks_nobody_during_the_back_off(service, auth_server):
    """Requests that come before the next try are answered at once, without a fetch."""
    auth_server.fault = respond_with("500 Internal Server Error")
    for _ in range(5):
        with pytest.raises(KeysUnavailable):
            service.key_set_for("key-1", "ES256")
    assert auth_server.fetches == 1


def test_a_refresh_by_hand_returns_the_keys_at_hand_during_the_back_off(make_service, auth_server):
    """It raises only where there are no keys at all, whether the fetch fails or is not made."""
    service = make_service()
    keys = service.refresh()
    auth_server.fault = respond_with("500 Internal Server Error")
    assert service.refresh() is keys
    assert service.refresh() is keys
    assert auth_server.fetches == 2


def test_an_inspection_fetches_when_it_is_told_to(service, auth_server, heard, log):
    """For people: the keys as they are, from the cache where they are there, or fetched whatever is there."""
    first = service.inspect()
    assert service.inspect() is first
    assert auth_server.fetches == 1
    assert service.inspect(fetch=True).key_set.keys != ()
    assert auth_server.fetches == 2
    assert [heard.next()[0] for _ in range(2)] == ["refreshed", "refreshed"]
    assert [line.partition(" from ")[0] for line in log()] == ["JWKS fetched"] * 2
    assert service.current().knows("key-1", "ES256")
    assert first.fetched_at == keys_of(service).fetched_at


def test_an_inspection_that_is_told_to_fetch_takes_no_answer_but_the_keys(service, auth_server):
    """Whoever asks for the keys as they are doubts the ones at hand, which a 304 would only confirm."""
    auth_server.has_etags = True
    service.refresh()
    service.inspect(fetch=True)
    assert [request.status for request in auth_server.requests] == ["200 OK"] * 2


def test_an_inspection_tells_why_there_are_no_keys(service, auth_server, heard):
    """Neither the back-off nor an earlier failure hides the reason of a fetch that is made now."""
    auth_server.fault = respond_with("500 Internal Server Error")
    assert service.inspect().reason == "status 500"
    auth_server.fault = respond_with("404 Not Found")
    assert service.inspect(fetch=True).reason == "status 404"
    assert [heard.next()[2] for _ in range(2)] == ["status 500", "status 404"]


def test_a_hanging_server_is_given_up_in_the_cold(make_service, auth_server, status_of, heard):
    """The first request of all is answered 503 once HTTP_TIMEOUT is over, and does not hang."""
    auth_server.fault = hang
    service = make_service(timeout=0.1)
    assert status_of(service) == 503
    assert heard.next()[2] == "no whole answer within 0.1 seconds"
