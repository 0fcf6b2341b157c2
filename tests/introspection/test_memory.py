"""What is remembered of a token, where, for how long, and how nobody else can make use of it."""

import gc
import json
import logging
import threading

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache

from django_oauth_jwt.errors import IntrospectionUnavailable, InvalidToken
from django_oauth_jwt.introspection import UNAVAILABLE, Verdict
from django_oauth_jwt.introspection.verdict import entry_of, verdict_in
from django_oauth_jwt.upstream import GuardedCache
from django_oauth_jwt.verification import verify_token

from ..servers.faulty_server import FOREVER
from .conftest import SharedCache

CACHES_OF_PROJECTS = {
    "memory": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "shared": {"BACKEND": f"{SharedCache.__module__}.SharedCache", "LOCATION": "memory"},
}


@pytest.fixture(params=CACHES_OF_PROJECTS)
def cached(request, settings):
    """Whichever cache the project has."""
    settings.CACHES = {"default": CACHES_OF_PROJECTS[request.param]}
    caches["default"].clear()


@pytest.mark.usefixtures("cached")
class TestTimes:
    """For how long a verdict is remembered."""

    @pytest.mark.parametrize("seconds", [60, 5, 0.5])
    def test_a_good_token_for_cache_seconds(self, make_asked, endpoint, clock, seconds):
        """From the question on, and not a moment longer."""
        asked = make_asked(CACHE_SECONDS=seconds)
        assert asked.verdict("token").until == clock() + seconds
        clock.advance(seconds - 0.125)
        assert asked.reason("token") is None
        assert len(endpoint.asked) == 1
        clock.advance(0.125)
        assert asked.reason("token") is None
        assert len(endpoint.asked) == 2

    @pytest.mark.parametrize("cache_seconds", [60, 0])
    @pytest.mark.parametrize("seconds", [10, 3])
    def test_a_bad_one_for_negative_cache_seconds(self, make_asked, endpoint, clock, seconds, cache_seconds):
        """Whether good ones are remembered or not."""
        asked = make_asked(CACHE_SECONDS=cache_seconds, NEGATIVE_CACHE_SECONDS=seconds)
        endpoint.answer = lambda uri, form: {"active": False}
        assert asked.verdict("token").until == clock() + seconds
        clock.advance(seconds - 0.125)
        assert asked.reason("token") == "inactive"
        assert len(endpoint.asked) == 1
        clock.advance(0.125)
        assert asked.reason("token") == "inactive"
        assert len(endpoint.asked) == 2

    @pytest.mark.parametrize(("active", "seconds"), [(True, 60), (False, 10)])
    def test_counted_from_the_question(self, asked, endpoint, clock, active, seconds):
        """What the server says may have changed while the answer was on its way."""
        begin, endpoint.answer = clock(), lambda uri, form: clock.advance(5) or {"active": active}
        assert asked.verdict("token").until == begin + seconds

    @pytest.mark.parametrize(
        "times",
        [{"CACHE_SECONDS": 0}, {"NEGATIVE_CACHE_SECONDS": 0}, {"CACHE_SECONDS": 0, "NEGATIVE_CACHE_SECONDS": 0}],
    )
    def test_zero_is_not_at_all(self, make_asked, endpoint, times):
        """Each for what it is about."""
        asked = make_asked(**times)
        for active, name in ((True, "CACHE_SECONDS"), (False, "NEGATIVE_CACHE_SECONDS")):
            endpoint.answer = lambda uri, form, active=active: {"active": active}
            for _ in range(2):
                asked.verdict(f"token-{active}")
            assert endpoint.tokens.count(f"token-{active}") == (2 if name in times else 1)

    @pytest.mark.parametrize(
        ("exp", "seconds"),
        [(7, 7), (7.5, 7.5), (60, 60), (10**400, 60), (0, 0), (-20, -20)],
        ids=["soon", "half", "later", "far", "now", "past"],
    )
    def test_never_beyond_its_own_end(self, asked, endpoint, clock, exp, seconds):
        """Also where the leeway accepts it a little longer: then it is asked about each time."""
        endpoint.answer = lambda uri, form: {"active": True, "exp": clock() + exp if exp < 1e9 else exp}
        assert asked.verdict("token").until == clock() + seconds
        assert asked.reason("token") is None
        assert len(endpoint.asked) == (1 if seconds > 0 else 2)

    def test_what_brought_no_answer_for_a_second(self, make_asked, endpoint, clock):
        """So that a token that is an error does not ask for one after the other; whatever the settings are."""
        asked = make_asked(CACHE_SECONDS=0, NEGATIVE_CACHE_SECONDS=0)
        endpoint.answer = lambda uri, form: (500, "", {})
        assert [asked.reason("token") for _ in range(2)] == [UNAVAILABLE] * 2
        assert len(endpoint.asked) == 1
        clock.advance(1)
        asked.reason("token")
        assert len(endpoint.asked) == 2


def test_a_verdict_of_the_shared_cache_is_one_operation(make_asked, shared_cache):
    """A hit reads, and does nothing else."""
    make_asked().verdict("token")
    shared_cache.clear()
    assert make_asked().reason("token") is None
    assert shared_cache == ["get"]


def test_a_question_is_four_operations_and_a_write(make_asked, shared_cache):
    """Look, take the lock, look again, store, free the lock."""
    make_asked().verdict("token")
    assert shared_cache == ["get", "add", "get", "set", "delete"]


def test_a_token_that_the_process_remembers_needs_no_cache(trust_server, shared_cache):
    """As a JWT."""
    server = trust_server()
    token = server.issuer.opaque_token("read")
    verify_token(token)
    shared_cache.clear()
    assert verify_token(token).scopes == {"read"}
    assert shared_cache == []


@pytest.mark.usefixtures("shared_cache")
def test_the_process_and_the_cache_forget_together(trust_server, frozen_time):
    """The second request a moment before the time is over does not prolong it, in whichever process."""
    server = trust_server(CACHE_SECONDS=60)
    token = server.issuer.opaque_token("read", exp=None)
    verify_token(token)
    frozen_time.now += 59
    trust_server(CACHE_SECONDS=60)  # another process, by all that it remembers
    verify_token(token)
    server.issuer._opaque_tokens[token] = {"active": False}
    frozen_time.now += 0.5
    assert verify_token(token).scopes == {"read"}
    frozen_time.now += 0.5
    with pytest.raises(InvalidToken) as refusal:
        verify_token(token)
    assert refusal.value.reason == "inactive"
    assert len(server.questions) == 2


def test_without_memory_in_the_process_the_cache_answers(trust_server):
    """TOKEN_CACHE_SIZE 0."""
    server = trust_server({"TOKEN_CACHE_SIZE": 0})
    token = server.issuer.opaque_token("read")
    assert [verify_token(token).scopes for _ in range(3)] == [{"read"}] * 3
    assert len(server.questions) == 1


@pytest.mark.parametrize("size", [0, 1024])
def test_without_any_memory_each_request_asks(trust_server, size):
    """CACHE_SECONDS 0: a revoked token is refused at once."""
    server = trust_server({"TOKEN_CACHE_SIZE": size}, CACHE_SECONDS=0)
    token = server.issuer.opaque_token("read")
    assert [verify_token(token).scopes for _ in range(3)] == [{"read"}] * 3
    assert len(server.questions) == 3
    server.issuer._opaque_tokens[token] = {"active": False}
    with pytest.raises(InvalidToken):
        verify_token(token)


@pytest.mark.usefixtures("shared_cache")
def test_no_token_can_be_read_out_of_any_memory(trust_server, settings):
    """Neither of the cache, where its plain hash is not either, nor of the process once the request is over."""
    server = trust_server({"HTTP_SESSION": None})
    token = server.issuer.opaque_token("read")
    verify_token(token)
    stored = caches["default"]._cache
    assert stored
    assert token not in repr(stored)
    issued = server.issuer._opaque_tokens
    gc.collect()
    held = [found for found in gc.get_referrers(next(iter(issued))) if found is not issued and type(found) is not dict]
    holders = {type(found).__name__ for found in held}
    assert holders.isdisjoint({"EncodedToken", "Question", "Verdict", "RememberedToken", "TokenCache"})


OTHER_SETTINGS = {
    "audience": ({"AUDIENCE": "other"}, {}),
    "client": ({}, {"CLIENT_ID": "other", "CLIENT_SECRET": "hunter2"}),
    "endpoint": ({}, {"ENDPOINT": "https://issuer.test/other"}),
    "kind of answer": ({}, {"ANSWER": "jwt"}),
    "issuer": ({"ISSUER": "https://other.test"}, {}),
    "leeway": ({"LEEWAY": 3}, {}),
    "algorithms": ({"ALGORITHMS": ["ES256"]}, {}),
    "token types": ({"TOKEN_TYPES": ["at+jwt"]}, {}),
    "required claims": ({"REQUIRED_CLAIMS": ["exp", "sub"]}, {}),
}


@pytest.mark.parametrize(("oauth_jwt", "introspection"), OTHER_SETTINGS.values(), ids=OTHER_SETTINGS)
@pytest.mark.usefixtures("shared_cache")
def test_other_settings_share_no_verdict(make_asked, oauth_jwt, introspection):
    """Two projects may have one cache, and one may change its settings."""
    first, second = make_asked(), make_asked(oauth_jwt, **introspection)
    assert first.key("token") != second.key("token")
    assert first.key("token") == make_asked().key("token")
    assert first.key("token") != first.key("tokem")


def test_another_audience_is_asked_for_anew(trust_server):
    """Of the same token, in the same cache."""
    server = trust_server({"AUDIENCE": "a"})
    token = server.issuer.opaque_token("read", aud="a")
    verify_token(token)
    trust_server({"AUDIENCE": "b"})
    with pytest.raises(InvalidToken) as refusal:
        verify_token(token)
    assert refusal.value.reason == "wrong_audience"


@pytest.mark.usefixtures("shared_cache")
def test_another_secret_key_makes_all_entries_unknown(make_asked, settings, endpoint):
    """What was stored under the old one is asked for again, and nobody with the cache alone can look for a token."""
    asked = make_asked()
    asked.verdict("token")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    asked.verdict("token")
    assert len(endpoint.asked) == 2


GARBAGE = {
    "text": "x",
    "a number": 5,
    "bytes": b"{}",
    "a list": ["x"],
    "an object of nothing": "{}",
    "another version": json.dumps({"until": 1_800_000_030.0, "claims": {"sub": "x"}, "active": True}),
    "no time": json.dumps({"until": "soon", "claims": {"sub": "x"}}),
    "claims that are none": json.dumps({"until": 1_800_000_030.0, "claims": ["sub"]}),
    "a header that is none": json.dumps({"until": 1_800_000_030.0, "claims": {"sub": "x"}, "header": "x"}),
    "a reason that is none": json.dumps({"until": 1_800_000_030.0, "reason": 5}),
    "a detail that is none": json.dumps({"until": 1_800_000_030.0, "reason": "inactive", "detail": 5}),
    "neither good nor bad": json.dumps({"until": 1_800_000_030.0}),
    "good and bad": json.dumps({"until": 1_800_000_030.0, "claims": {"sub": "x"}, "reason": "inactive"}),
    "too deep": '{"until":' + 100_000 * "[",
    "a description that is none": json.dumps({"until": 1_800_000_030.0, "reason": "inactive", "description": 5}),
}


@pytest.mark.parametrize("entry", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.usefixtures("shared_cache")
def test_an_entry_that_is_no_verdict_is_ignored(asked, endpoint, log, entry):
    """With a line in the log; it is replaced by what the server says."""
    caches["default"].set(asked.key("token"), entry)
    assert asked.verdict("token").claims["sub"] == "token"
    assert ("WARNING", "The shared cache holds an entry that is no answer about a token; it is ignored") in log()
    assert verdict_in(caches["default"].get(asked.key("token"))).claims["sub"] == "token"


@pytest.mark.parametrize("until", [91.0, 1e9, -0.5, 0.0])
@pytest.mark.usefixtures("shared_cache")
def test_a_verdict_that_cannot_be_of_now_is_ignored(asked, endpoint, clock, until):
    """It is over, or was stored before a clock was set back, or while CACHE_SECONDS was longer."""
    caches["default"].set(asked.key("token"), entry_of(Verdict(clock() + until, {"sub": "old"})))
    assert asked.verdict("token").claims["sub"] == "token"


@pytest.mark.parametrize("until", [0.5, 60.0, 89.0])
@pytest.mark.usefixtures("shared_cache")
def test_a_verdict_of_a_machine_with_another_clock_is_good(asked, endpoint, clock, until):
    """As far as clocks may differ."""
    caches["default"].set(asked.key("token"), entry_of(Verdict(clock() + until, {"sub": "other"})))
    assert asked.verdict("token").claims["sub"] == "other"
    assert endpoint.asked == []


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict(5.5, {"sub": "anna", "aud": ["a", "b"], "cnf": {"jkt": "x"}, "n": 10**40}, {"alg": "ES256", "x": None}),
        Verdict(5, reason="inactive"),
        Verdict(5, reason="malformed_claim", detail="exp"),
    ],
)
def test_an_entry_says_all_of_a_verdict(verdict):
    """To the last claim."""
    assert verdict_in(entry_of(verdict)) == verdict


class BrokenCache(LocMemCache):
    """A cache that is down."""

    def get(self, *args, **kwargs):
        raise ConnectionError("redis://user:hunter2@cache")

    add = set = delete = get


class HangingCache(LocMemCache):
    """A cache that answers nobody."""

    def get(self, *args, **kwargs):
        self.go_on.wait(FOREVER)

    add = set = delete = get


def use_cache(settings, backend):
    settings.CACHES = {"default": {"BACKEND": backend}}


def test_a_cache_that_remembers_nothing_leaves_the_process_its_memory(settings, trust_server):
    """DummyCache: one question a process and CACHE_SECONDS."""
    use_cache(settings, "django.core.cache.backends.dummy.DummyCache")
    server = trust_server()
    token = server.issuer.opaque_token("read")
    assert [verify_token(token).scopes for _ in range(3)] == [{"read"}] * 3
    assert len(server.questions) == 1


def test_a_cache_that_fails_costs_no_answer(settings, trust_server, caplog):
    """Each process asks alone then, with a line in the log and no secret in it."""
    use_cache(settings, f"{__name__}.BrokenCache")
    server = trust_server()
    token = server.issuer.opaque_token("read")
    with caplog.at_level(logging.WARNING, "django_oauth_jwt"):
        assert [verify_token(token).scopes for _ in range(3)] == [{"read"}] * 3
    assert len(server.questions) == 1
    assert {record.getMessage() for record in caplog.records} == {
        "The cache that shares what is known of tokens fails (ConnectionError); this process asks alone for 1 seconds"
    }


def test_a_cache_that_hangs_holds_no_request_for_long(settings, trust_server, monkeypatch):
    """The limit is a second; here it is as good as over."""
    made = GuardedCache.__init__
    monkeypatch.setattr(GuardedCache, "__init__", lambda self, *args, **kwargs: made(self, *args, 0.01, **kwargs))
    monkeypatch.setattr(HangingCache, "go_on", threading.Event(), raising=False)
    use_cache(settings, f"{__name__}.HangingCache")
    server = trust_server()
    try:
        assert verify_token(server.issuer.opaque_token("read")).scopes == {"read"}
    finally:
        HangingCache.go_on.set()


def test_an_outage_refuses_no_remembered_token(trust_server):
    """And loses none: of the process, nor of the cache."""
    server = trust_server()
    token = server.issuer.opaque_token("read")
    verify_token(token)
    with server.down():
        with pytest.raises(IntrospectionUnavailable):
            verify_token(server.issuer.opaque_token("read"))
        assert verify_token(token).scopes == {"read"}
        trust_server()  # another process, by all that it remembers
        assert verify_token(token).scopes == {"read"}


def test_many_tokens_are_remembered_in_memory(asked, endpoint):
    """Django's own limit is 300 entries: it would have forgotten the first."""
    for number in range(400):
        asked.verdict(f"token-{number}")
    asked.verdict("token-0")
    assert len(endpoint.asked) == 400


def test_the_cache_is_the_one_that_the_settings_name(make_asked, settings):
    """CACHE, as for the keys."""
    backend = f"{SharedCache.__module__}.SharedCache"
    settings.CACHES = {name: {"BACKEND": backend, "LOCATION": f"memory-{name}"} for name in ("default", "shared")}
    for name in settings.CACHES:
        caches[name].clear()
    asked = make_asked({"CACHE": "shared"})
    asked.verdict("token")
    assert caches["shared"].get(asked.key("token"))
    assert caches["default"].get(asked.key("token")) is None


def test_a_verdict_is_stored_as_long_as_it_is_good(asked, clock):
    """In whole seconds, which some caches need; one that is over is not stored."""
    stored = []

    class Cache:
        def set(self, key, entry, seconds):
            stored.append(seconds)

    asked.cache._cache._in_memory = Cache()
    for until in (0.25, 59.5, 0, -3):
        asked.cache.store("key", Verdict(clock() + until, reason="inactive"))
    assert stored == [1, 60]
