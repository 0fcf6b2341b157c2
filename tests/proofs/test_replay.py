"""A proof is good once, for as long as it could be used again, whichever cache remembers it."""

import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.errors import InvalidProof, ReplayCheckUnavailable
from django_oauth_jwt.proofs.replay import ReplayMemory, cache_key
from django_oauth_jwt.upstream import GuardedCache, run_blocking

KEY = "k" * 43
FOREVER = 60


class OtherCache(LocMemCache):
    """A cache of which it is not known whether it can hang, and which counts what it is asked."""

    asked = 0

    def add(self, *args, **kwargs):
        type(self).asked += 1
        return super().add(*args, **kwargs)


class BrokenCache(LocMemCache):
    def add(self, *args, **kwargs):
        raise ConnectionError


class SilentCache(LocMemCache):
    """django-redis with IGNORE_EXCEPTIONS, while its server is down."""

    def add(self, *args, **kwargs):
        return None


class CrowdedCache(LocMemCache):
    """A cache that answers nobody before eight have asked."""

    def add(self, *args, **kwargs):
        self.all_asked.wait(FOREVER)
        return super().add(*args, **kwargs)


class HangingCache(LocMemCache):
    def add(self, *args, **kwargs):
        return self.go_on.wait(FOREVER)


@pytest.fixture
def memory(settings):
    """Make the memory of a project with this backend as its cache."""

    def memory(backend="django.core.cache.backends.locmem.LocMemCache", **options):
        if isinstance(backend, type):
            backend = f"{__name__}.{backend.__name__}"
        settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "replays"} | options}
        caches["default"].clear()
        return get_runtime().part(ReplayMemory)

    return memory


def outcome(run, memory, jti="1", thumbprint=KEY, seconds=120):
    try:
        run(memory.first_use_steps(thumbprint, jti, seconds))
    except (InvalidProof, ReplayCheckUnavailable) as error:
        return error.reason
    return "new"


each_cache = pytest.mark.parametrize("backend", ["django.core.cache.backends.locmem.LocMemCache", OtherCache])


@each_cache
def test_a_proof_is_new_once(run, memory, backend):
    """The same key and the same jti again are a replay; another of either is not."""
    memory = memory(backend)
    assert [outcome(run, memory) for _ in range(3)] == ["new", "replayed_proof", "replayed_proof"]
    assert outcome(run, memory, jti="2") == "new"
    assert outcome(run, memory, thumbprint="l" * 43) == "new"


@each_cache
@pytest.mark.parametrize("seconds", [60, 120, 0.5])
def test_a_proof_is_remembered_for_its_time_and_no_longer(run, memory, frozen_time, backend, seconds):
    """Not a moment less, or it could be used again; and not for ever, or the cache would fill."""
    memory, begin = memory(backend), frozen_time.now
    assert outcome(run, memory, seconds=seconds) == "new"
    frozen_time.now = begin + seconds
    assert outcome(run, memory, seconds=seconds) == "replayed_proof"
    frozen_time.now = begin + seconds + 2
    assert outcome(run, memory, seconds=seconds) == "new"


def test_of_many_at_once_one_is_new(memory):
    """One atomic step: threads that come together cannot all be the first."""
    memory, together = memory(OtherCache), threading.Barrier(8)

    def use(_):
        together.wait(FOREVER)
        return outcome(run_blocking, memory)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(use, range(8))) == ["new", *["replayed_proof"] * 7]


def test_many_other_proofs_make_none_of_them_new(run, memory):
    """Django's own limit for a cache in memory is 300 entries: it would have forgotten the first."""
    memory = memory()
    assert outcome(run, memory) == "new"
    for number in range(400):
        assert outcome(run_blocking, memory, jti=f"other-{number}") == "new"
    assert outcome(run, memory) == "replayed_proof"


@pytest.mark.parametrize("kind", ["dummy.DummyCache", "filebased.FileBasedCache"])
def test_a_cache_that_cannot_tell_is_as_good_as_none(run, memory, caplog, tmp_path, kind):
    """The one remembers nothing, and the other looks before it writes: 503, and a line in the log that says why."""
    memory = memory(f"django.core.cache.backends.{kind}", LOCATION=str(tmp_path))
    assert outcome(run, memory) == "replay_check_unavailable"
    (error,) = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert error.startswith(f"CACHE is a {kind.partition('.')[2]}, which cannot tell whether a DPoP proof was used")


def test_a_burst_is_no_outage(memory):
    """A slow cache is asked by several threads: nobody waits for his turn so long that it seems to be down."""
    memory, all_asked = memory(CrowdedCache), threading.Barrier(8)
    CrowdedCache.all_asked = all_asked
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda number: outcome(run_blocking, memory, jti=str(number)), range(8))) == {"new"}


def test_it_costs_one_operation(run, memory, monkeypatch):
    """Whether the proof is new or not."""
    memory = memory(OtherCache)
    monkeypatch.setattr(OtherCache, "asked", 0)
    assert [outcome(run, memory) for _ in range(2)] == ["new", "replayed_proof"]
    assert OtherCache.asked == 2


def test_the_caches_own_memory_needs_no_thread(run, memory, monkeypatch):
    """It cannot hang, and a thread would take longer than all else."""
    memory = memory()
    monkeypatch.setattr(GuardedCache, "call_steps", None)
    assert outcome(run, memory) == "new"


@pytest.mark.parametrize("jti", ["x", "x" * 9000, "\u00e9 \n\0", "a:b"])
def test_any_jti_makes_a_key_that_every_cache_takes(jti):
    """memcached takes at most 250 characters, and no blanks or control characters."""
    key = cache_key(KEY, jti)
    assert re.fullmatch(r"oauth_jwt:proof:[A-Za-z0-9_-]{22}", key)
    assert key != cache_key(KEY, f"{jti}x")
    assert jti not in key or len(jti) == 1


@pytest.mark.parametrize("backend", [BrokenCache, SilentCache])
def test_a_cache_that_does_not_say_makes_it_503(run, memory, backend):
    """Neither "new", which would let a replay in, nor "replayed", which is the client's fault."""
    assert outcome(run, memory(backend)) == "replay_check_unavailable"


def test_a_cache_that_fails_is_left_alone_for_a_second(run, memory, frozen_time, monkeypatch, caplog):
    """The log says so, once, and not of which proof; then it is asked again."""
    memory = memory(BrokenCache)
    with caplog.at_level(logging.WARNING):
        assert outcome(run, memory, jti="secret") == "replay_check_unavailable"
        monkeypatch.setattr(BrokenCache, "add", LocMemCache.add)
        assert outcome(run, memory) == "replay_check_unavailable"
        frozen_time.now += 1.5
        assert outcome(run, memory) == "new"
    (record,) = caplog.records
    assert record.getMessage() == (
        "The cache that remembers DPoP proofs fails (ConnectionError); requests with DPoP proofs are answered with 503 "
        "for 1 seconds"
    )


def test_a_cache_that_hangs_holds_no_request_for_long(run, memory, monkeypatch):
    """The limit is a second; here it is as good as over."""
    made = GuardedCache.__init__
    monkeypatch.setattr(GuardedCache, "__init__", lambda self, *args, **kwargs: made(self, *args, 0.01, **kwargs))
    monkeypatch.setattr(HangingCache, "go_on", threading.Event(), raising=False)
    memory = memory(HangingCache)
    try:
        assert outcome(run, memory) == "replay_check_unavailable"
    finally:
        HangingCache.go_on.set()


def test_the_memory_is_the_cache_that_the_settings_name(run, settings):
    """CACHE, as for the keys."""
    backend = f"{__name__}.{OtherCache.__name__}"
    settings.CACHES = {name: {"BACKEND": backend, "LOCATION": name} for name in ("default", "shared")}
    settings.OAUTH_JWT = {"ISSUER": "https://issuer.test", "CACHE": "shared"}
    caches["shared"].clear()
    assert outcome(run, get_runtime().part(ReplayMemory)) == "new"
    assert caches["shared"].get(cache_key(KEY, "1")) == 1
    assert caches["default"].get(cache_key(KEY, "1")) is None


def test_two_runtimes_and_two_processes_share_what_is_used(run, memory):
    """What is remembered is in the cache, and nothing of it in the process."""
    first = memory(OtherCache)
    assert outcome(run, first) == "new"
    assert outcome(run, ReplayMemory(get_runtime().settings)) == "replayed_proof"
