"""Servers that load the project and then fork: what threads of the parent were doing must not tie the child."""

import json
import os
import signal
import threading

import pytest
from faulty_server import FOREVER, respond_with

from django_oauth_jwt import jwks, jwks_service
from django_oauth_jwt.errors import KeysUnavailable

FRESH = 300

# Python warns of what these tests are about: preloading servers do fork with threads running.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def in_child(work):
    """Fork, and return whether ``work`` returned true in the child in bounded time."""
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(FOREVER // 2)
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.fixture
def service(make_service):
    """A service with the default times."""
    return make_service()


def test_a_child_has_the_keys_of_its_parent(service, auth_server):
    """Keys that were fetched before the fork need no fetch after it."""
    service.refresh()
    assert in_child(lambda: service.current().knows("key-1", "ES256") and service._refreshing is None)
    assert auth_server.fetches == 1


def test_a_fork_in_the_middle_of_a_refresh_leaves_the_child_able_to_refresh(service, auth_server, clock):
    """The thread that refreshes stays in the parent; the child answers from its keys and refreshes itself."""
    service.refresh()
    clock.advance(FRESH)

    def child():
        assert service._refreshing is None
        service._shared.unlock()  # the parent's lock is in the parent's memory, which this cache is
        service.current()
        service._refreshing.result(FOREVER)
        return service._snapshot.fetched_at == clock()

    with auth_server.held():
        service.current()
        auth_server.wait_for(lambda: auth_server.pending == 1)
        auth_server._fault = respond_with(body=_jwks(auth_server))
        assert in_child(child)
    assert auth_server.fetches == 3


def test_a_fork_in_the_middle_of_a_cold_start_leaves_the_child_able_to_start(service, auth_server):
    """The child does not wait for a fetch that only the parent is making."""

    def child():
        service._shared.unlock()
        return service.key_set_for("key-1", "ES256").knows("key-1", "ES256")

    with auth_server.held():
        parent = threading.Thread(target=service.refresh)
        parent.start()
        auth_server.wait_for(lambda: auth_server.pending == 1)
        auth_server._fault = respond_with(body=_jwks(auth_server))
        assert in_child(child)
    parent.join(FOREVER)
    assert auth_server.fetches == 2


def test_a_fork_while_a_lock_is_held_leaves_the_child_its_own(service, auth_server):
    """A thread that was about to launch a refresh holds its lock in the parent only."""
    with service._lock:
        assert in_child(lambda: service.refresh().knows("key-1", "ES256"))


def test_a_fork_while_a_service_is_built_leaves_the_child_able_to_build(trust, auth_server, settings):
    """Another thread of the parent may just be building the services of the settings."""
    settings.OAUTH_JWT = {"ISSUER": auth_server.origin, "JWKS_URI": auth_server.uri}
    with jwks._building:
        assert in_child(lambda: jwks.get_jwks_service().refresh().knows("key-1", "ES256"))
    jwks._after_fork()  # what the child ran, here in the parent, where it can be seen
    assert not jwks._building.locked()


def test_fetches_that_hang_in_the_parent_are_not_counted_in_the_child(make_service, auth_server, clock):
    """The child has as many places for fetches as a new process has."""
    service = make_service(timeout=0.05)
    with auth_server.behaving(lambda exchange: exchange.drip(b"HTTP/1.1 100 Continue\r\n\r\n")):
        for _ in range(4):
            with pytest.raises(KeysUnavailable):
                service.refresh()
            clock.advance(30)
        service._client.timeout = FOREVER
        auth_server._fault = respond_with(body=_jwks(auth_server))
        with pytest.raises(KeysUnavailable):
            service.refresh()
        clock.advance(30)
        assert in_child(lambda: service.refresh().knows("key-1", "ES256"))


def test_news_of_the_parent_are_not_sent_by_the_child(service, heard, auth_server):
    """What happened before the fork is the parent's to tell."""
    service._events._unsent.append(pytest.fail)
    jwks_service._after_fork()  # what the child runs, here in the parent, where it can be seen
    service.refresh()
    assert heard.next() == ("refreshed", service, 1)


def test_no_connection_outlives_a_fetch(service, auth_server):
    """A connection kept for the next fetch would be shared by all children."""
    service.refresh()
    assert auth_server.requests[0].headers["connection"] == "close"


def _jwks(auth_server):
    return json.dumps(auth_server.jwks()).encode()
