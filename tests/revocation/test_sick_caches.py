"""A denylist whose cache does not answer says so: 503, and never that a token is good."""

import logging
import threading

import pytest
from django.core.cache import caches

from django_oauth_jwt.errors import InvalidToken, RevocationCheckUnavailable
from django_oauth_jwt.revocation import is_revoked, revoke
from django_oauth_jwt.upstream import GuardedCache
from django_oauth_jwt.verification import verify_token

from .backends import DUMMY, LOCAL, BrokenCache, HangingCache, MuteCache, OwnDummyCache, SharedCache, SilentCache

WARNING = "The cache that remembers revoked tokens fails (%s); requests with tokens are answered with 503 for 1 seconds"


def reason_of(encoded_token):
    try:
        verify_token(encoded_token)
    except (InvalidToken, RevocationCheckUnavailable) as error:
        return error.reason
    return None


@pytest.fixture
def sicken(monkeypatch):
    """Have the cache of a project fall ill: ``sicken(BrokenCache)``. Nobody waits long for one that hangs."""
    monkeypatch.setattr(HangingCache, "go_on", threading.Event())

    def sicken(backend):
        for name in ("get", "set", "get_many"):
            monkeypatch.setattr(SharedCache, name, getattr(backend, name))
        if backend is HangingCache:
            limit = property(lambda self: 0.01, lambda self, seconds: None)
            monkeypatch.setattr(GuardedCache, "_operation_seconds", limit, raising=False)

    yield sicken
    HangingCache.go_on.set()


each_sickness = pytest.mark.parametrize("backend", [BrokenCache, SilentCache, MuteCache, HangingCache])


@each_sickness
def test_a_token_is_not_called_good_by_a_cache_that_is_down(send, settings, denylist, sicken, backend):
    """Neither a revoked one nor another, though both are remembered."""
    issuer = denylist(SharedCache)
    settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    revoked, other = issuer.token(), issuer.token()
    revoke(verify_token(revoked))
    assert [reason_of(token) for token in (revoked, other)] == ["revoked", None]
    sicken(backend)
    assert {reason_of(token) for token in (revoked, other)} == {"revocation_check_unavailable"}
    response = send("get", "/", headers={"Authorization": f"Bearer {other}"})
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")


@each_sickness
def test_a_revocation_that_is_not_kept_is_an_error(calls, denylist, sicken, frozen_time, backend):
    """Else the caller would believe that the token is of no use any more."""
    token = verify_token(denylist(SharedCache).token())
    sicken(backend)
    for call in (lambda: calls.revoke(token), lambda: calls.revoke_subject("https://issuer.test", "anna")):
        with pytest.raises(RevocationCheckUnavailable):
            call()
        frozen_time.now += 2  # it is asked again


@pytest.mark.parametrize(("backend", "kind"), [(BrokenCache, "ConnectionError"), (SilentCache, "NotKept")])
def test_a_cache_that_fails_is_left_alone_for_a_second(
    denylist, frozen_time, sicken, monkeypatch, caplog, backend, kind
):
    """The log says so once, also of one that reports no error; then it is asked again, and all is well."""
    token = denylist(SharedCache).token()
    healthy = {name: vars(SharedCache)[name] for name in ("get", "set", "get_many")}
    sicken(backend)
    assert reason_of(token) == "revocation_check_unavailable"
    for name, method in healthy.items():
        monkeypatch.setattr(SharedCache, name, method)
    assert reason_of(token) == "revocation_check_unavailable"
    frozen_time.now += 1.5
    assert reason_of(token) is None
    assert [record.getMessage() for record in caplog.records] == [WARNING % kind]


def test_an_answer_from_before_the_cache_was_back_does_not_count(denylist, monkeypatch):
    """It is down, and says that it has no entry; a moment later it is there, with all that it had."""
    token = verify_token(denylist(SharedCache).token())
    revoke(token)
    assert is_revoked(token)
    healthy, answers = SharedCache.get_many, [{}]
    monkeypatch.setattr(SharedCache, "get_many", lambda self, keys: answers.pop() if answers else healthy(self, keys))
    assert is_revoked(token)
    assert answers == []


@pytest.mark.parametrize("kind", ["DummyCache", "OwnDummyCache"])
def test_a_cache_that_remembers_nothing_makes_every_token_a_503(calls, denylist, caplog, kind):
    """And the log says why, once."""
    issuer = denylist(DUMMY if kind == "DummyCache" else OwnDummyCache)
    assert {reason_of(issuer.token()) for _ in range(3)} == {"revocation_check_unavailable"}
    with pytest.raises(RevocationCheckUnavailable):
        calls.revoke_subject(issuer.issuer, "anna")
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert messages == [f"CACHE is a {kind}, which cannot remember that a token was revoked: the answer to each is 503"]


def test_a_cache_in_memory_needs_no_thread(calls, denylist, monkeypatch):
    """It cannot hang, and a thread would take longer than all else."""
    token = verify_token(denylist(LOCAL).token())
    monkeypatch.setattr(GuardedCache, "call_steps", None)
    calls.revoke(token)
    assert is_revoked(token)


def test_an_earlier_moment_that_another_process_writes_just_then_does_not_count(calls, denylist, monkeypatch):
    """Two calls at once: what was written is read back, and written again where it is too early."""
    denylist(SharedCache)
    write, earlier, written = SharedCache.set, [1.0], []

    def late(self, key, value, *args):
        written.append((key, value))
        write(self, key, earlier.pop() if earlier else value, *args)

    monkeypatch.setattr(SharedCache, "set", late)
    calls.revoke_subject("https://issuer.test", "anna")
    ((key, moment), again) = written
    assert again == (key, moment)
    assert caches["default"].get(key) == moment > 1.0


def test_entries_that_cannot_be_read_are_no_good_ones(denylist, monkeypatch):
    """What another version has written, and cannot be unpickled."""

    def unreadable(self, keys):
        raise AttributeError("no such class")

    issuer = denylist(SharedCache)
    monkeypatch.setattr(SharedCache, "get_many", unreadable)
    assert reason_of(issuer.token()) == "revocation_check_unavailable"
