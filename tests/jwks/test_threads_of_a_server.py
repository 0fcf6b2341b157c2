"""A server with few threads, and tokens that anybody can make up: they hold up nobody whose keys are there."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from django.test import Client

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.jwks import KeyServices
from django_oauth_jwt.testing import TokenIssuer

from ..servers.clients import until
from ..servers.faulty_server import FOREVER, FaultyServer, hang
from ..upstream.inside import waits_alone
from .inside import have_patience, keys_job

THREADS, ATTACKERS = 4, 6


@pytest.fixture
def silent_server():
    """An authorization server that accepts connections and never answers."""
    server = FaultyServer()
    server.start()
    server.fault = hang
    yield server
    server.stop()


@pytest.fixture
def two_issuers(auth_server, silent_server, settings):
    """Trust both; the keys of the first are in memory."""
    settings.ROOT_URLCONF = "tests.servers.fleet_urls"
    settings.OAUTH_JWT = {
        "ISSUERS": {
            auth_server.origin: {"JWKS_URI": auth_server.uri},
            silent_server.origin: {"JWKS_URI": silent_server.uri},
        },
        "HTTP_TIMEOUT": FOREVER,
    }
    assert _ask(auth_server.issuer.token()) == 200
    services = get_runtime().part(KeyServices)
    return services.service_of(get_runtime().settings.issuers[silent_server.origin])


def _ask(token=None, path="/secured"):
    return Client().get(path, headers={"Authorization": f"Bearer {token}"} if token else {}).status_code


def test_an_issuer_that_never_answers_holds_no_thread_for_long(auth_server, silent_server, two_issuers):
    """Unsigned tokens that name it wait a second in all; then each is a 503 at once, and others notice nothing."""
    good = auth_server.issuer.token()
    header, payload, _ = silent_server.issuer.token().split(".")
    made_up = f"{header}.{payload}.AAAA"
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(THREADS))
        stack.callback(setattr, silent_server, "fault", None)
        stack.callback(silent_server.released.set)
        began = time.monotonic()
        attacks = [threads.submit(_ask, made_up) for _ in range(ATTACKERS)]
        assert threads.submit(_ask, good).result(FOREVER) == 200
        assert {attack.result(FOREVER) for attack in attacks} == {503}
        job = keys_job(two_issuers)
        assert time.monotonic() - began < FOREVER / 2  # none of them waited for the fetch, which still hangs
        assert (job.future.done(), job.waiting) == (False, 0)
        more = [threads.submit(_ask, made_up) for _ in range(ATTACKERS * 20)]
        assert threads.submit(_ask, good).result(FOREVER) == 200
        assert threads.submit(_ask, None, "/open").result(FOREVER) == 200
        assert {attack.result(FOREVER) for attack in more} == {503}
        assert silent_server.fetches == 1


def test_many_issuers_that_never_answer_hold_one_thread_together(auth_server, silent_server, settings):
    """Once requests have waited for three of them in vain, one at a time waits for any of the others."""
    names = [f"{silent_server.origin}/{number}" for number in range(6)]
    of_names = {name: {"JWKS_URI": f"{silent_server.uri}?{name}"} for name in names}
    settings.ROOT_URLCONF = "tests.servers.fleet_urls"
    settings.OAUTH_JWT = {
        "ISSUERS": {auth_server.origin: {"JWKS_URI": auth_server.uri}, **of_names},
        "HTTP_TIMEOUT": FOREVER,
    }
    services = [get_runtime().part(KeyServices).service_of(get_runtime().settings.issuers[name]) for name in names]
    for service, patience in zip(services, [*[0.05] * 3, *[FOREVER] * 3], strict=True):
        have_patience(service, patience)
    made_up = [TokenIssuer(name, key=auth_server.issuer.keys[0]).token() for name in names]
    good = auth_server.issuer.token()
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(2))
        stack.callback(setattr, silent_server, "fault", None)
        stack.callback(silent_server.released.set)
        assert _ask(good) == 200
        assert [_ask(token) for token in made_up[:3]] == [503, 503, 503]
        waiting = threads.submit(_ask, made_up[3])
        until(waits_alone)
        assert [threads.submit(_ask, token).result(FOREVER / 2) for token in [*made_up[4:], good]] == [503, 503, 200]
        assert not waiting.done()
