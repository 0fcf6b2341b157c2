"""Issuers that anybody makes up: how much memory, how many questions and how many threads they cost."""

import gc
import json
import logging
import threading
import tracemalloc
from base64 import urlsafe_b64encode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from django_oauth_jwt.conf import TrustedIssuer
from django_oauth_jwt.jwks import JwksService
from django_oauth_jwt.verification import verify_token

from ..fixtures.issuers import refusal_of
from ..flood import flood
from ..servers.faulty_server import FOREVER
from .issuers import A

MADE_UP = flood(100_000)
#: What one may leave in the process: a short hash, a time, and a dict's place for both.
BYTES = 250
#: How many may be asked about at a time.
AT_ONCE = 2


def segment(members):
    return urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")


HEADER = segment({"typ": "at+jwt", "alg": "ES256", "kid": "key"})


def made_up(number):
    return f"{HEADER}.{segment({'iss': f'https://{number}.example.com'})}.{'A' * 86}"


def objects_of(*classes):
    gc.collect()
    kinds = [type(each) for each in gc.get_objects()]  # `isinstance` would ask proxies, which may be of no use here
    return Counter(kind.__name__ for kind in kinds if issubclass(kind, classes))


class Resolver:
    """Knows the issuer A, and counts how often it is asked about which, and about how many at a time."""

    def __init__(self):
        self.asked = Counter()
        self.now, self.most = 0, 0
        self._lock = threading.Lock()

    def __call__(self, iss):
        with self._lock:
            self.asked[iss] += 1
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return self.found(iss)
        finally:
            with self._lock:
                self.now -= 1

    def found(self, iss):
        return {"JWKS_SERVICE": A} if iss == A.issuer else None


@pytest.fixture
def resolver(settings, bare_project):
    """The resolver of the project."""
    resolver = Resolver()
    settings.OAUTH_JWT = {"ISSUER_RESOLVER": resolver}
    return resolver


@pytest.mark.unmeasured
def test_each_is_asked_about_once_in_half_a_minute(resolver, frozen_time):
    """However often its tokens come in that time, and whatever others come in between."""
    tokens = [made_up(number) for number in range(MADE_UP)]
    assert {refusal_of(token) for token in [*tokens, *tokens[::5]]} == {"wrong_issuer"}
    assert set(resolver.asked.values()) == {1}
    frozen_time.now += 29
    assert refusal_of(made_up(0)) == "wrong_issuer"
    assert resolver.asked["https://0.example.com"] == 1
    frozen_time.now += 1
    assert refusal_of(made_up(0)) == "wrong_issuer"
    assert resolver.asked["https://0.example.com"] == 2
    assert len(resolver.asked) == MADE_UP


@pytest.mark.unmeasured
def test_they_leave_a_short_hash_each_and_no_issuer(resolver, frozen_time):
    """No settings of theirs, no key service; and the issuer that is known stays known."""
    good = A.token()
    verify_token(good)
    before = objects_of(TrustedIssuer, JwksService)
    resolver.asked.clear()
    resolver.found = lambda iss: None
    number = flood(10_000)
    refusal_of(made_up(number))
    tokens = [made_up(each) for each in range(number)]
    gc.collect()
    tracemalloc.start()
    try:
        for token in tokens:
            refusal_of(token)
        asked, resolver.asked = resolver.asked, Counter()
        asked.clear()
        gc.collect()
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert used / number < BYTES
    assert objects_of(TrustedIssuer, JwksService) - before == Counter()  # those of other tests may be gone by now
    assert verify_token(A.token(jti="2")).issuer == A.issuer
    assert not resolver.asked


@pytest.mark.unmeasured
@pytest.mark.parametrize("answer", ["raises", "wrong entry"])
def test_those_that_cannot_be_answered_leave_no_more(resolver, frozen_time, caplog, answer):
    """An error, or an entry that cannot be used, for each: they are 503, and there is no other trace of them."""
    resolver.found = {"raises": lambda iss: 1 / 0, "wrong entry": lambda iss: {"AUDIENCES": iss}}[answer]
    caplog.set_level(logging.CRITICAL, "django_oauth_jwt")  # what pytest keeps of the log is kept by nobody else
    number = flood(5_000)
    assert refusal_of(made_up(number)) == "issuer_unavailable"
    before = objects_of(TrustedIssuer, JwksService)
    assert {refusal_of(made_up(each)) for each in range(number)} == {"issuer_unavailable"}
    assert objects_of(TrustedIssuer, JwksService) - before == Counter()  # those of other tests may be gone by now
    assert len(resolver.asked) == number + 1


def test_few_are_asked_about_at_a_time(resolver):
    """However many threads come with them; the others wait in a line, and all are answered in the end."""
    threads = 16
    start, together = threading.Barrier(threads, timeout=FOREVER), threading.Barrier(AT_ONCE + 1)

    def found(iss):
        with suppress(threading.BrokenBarrierError):  # one more than may be does not come in this time
            together.wait(0.3)

    def send(number):
        start.wait()
        return refusal_of(made_up(number))

    resolver.found = found
    with ThreadPoolExecutor(threads) as pool:
        assert set(pool.map(send, range(threads))) <= {"wrong_issuer", "issuer_unavailable"}
    assert 1 <= resolver.most <= AT_ONCE


def test_a_known_issuer_never_waits_behind_them(resolver, frozen_time):
    """Nor when it is asked about anew, while as many as may be hang."""
    verify_token(A.token())
    hanging, release = threading.Semaphore(0), threading.Event()

    def found(iss):
        if iss == A.issuer:
            return {"JWKS_SERVICE": A}
        hanging.release()
        assert release.wait(FOREVER)
        return None

    resolver.found = found
    frozen_time.now += 300
    with ThreadPoolExecutor(AT_ONCE) as pool:
        refused = [pool.submit(refusal_of, made_up(number)) for number in range(AT_ONCE)]
        try:
            assert all(hanging.acquire(timeout=FOREVER) for _ in range(AT_ONCE))
            assert verify_token(A.token(jti="2")).issuer == A.issuer
            assert resolver.asked[A.issuer] == 2
        finally:
            release.set()
        assert {each.result(FOREVER) for each in refused} == {"wrong_issuer"}
