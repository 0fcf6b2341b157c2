"""Servers that load the project and then fork: a child begins with no questions of its parent."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.introspection import Introspectors
from django_oauth_jwt.introspection.state import State
from django_oauth_jwt.verification import verify_token

from ..fixtures.forks import in_child
from ..servers.faulty_server import FOREVER, answer_as_it_should

# Python warns of what these tests are about: preloading servers do fork with threads running.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def introspector():
    runtime = get_runtime()
    return runtime.part(Introspectors).introspector_of(runtime.settings.introspecting[0])


def test_a_fork_in_the_middle_of_a_question_leaves_the_child_able_to_ask(trust_server):
    """The thread that asks stays in the parent; the child asks about the same token itself."""
    server = trust_server()
    token = server.issuer.opaque_token("read")
    with ThreadPoolExecutor(1) as pool, server.held():
        waiting = pool.submit(verify_token, token)
        server.wait_for(lambda: len(server.questions) == 1)
        server._fault = answer_as_it_should
        assert in_child(lambda: verify_token(token).scopes == {"read"})
        assert len(server.questions) == 2
    assert waiting.result(FOREVER).scopes == {"read"}


def test_a_fork_while_a_lock_is_held_leaves_the_child_its_own(trust_server):
    """A thread that was about to begin a question holds it in the parent only."""
    server = trust_server()
    token = server.issuer.opaque_token("read")
    holding, release = threading.Event(), threading.Event()

    def hold():
        with introspector()._lock:
            holding.set()
            release.wait(FOREVER)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold)
        assert holding.wait(FOREVER)
        try:
            assert in_child(lambda: verify_token(token).scopes == {"read"})
        finally:
            release.set()


def test_the_failures_of_the_parent_are_not_the_childs(trust_server, monkeypatch):
    """Nor are its questions counted, as where uWSGI forks: in C, and without Python's at-fork hooks."""
    server = trust_server()
    parent = introspector()
    parent.state = State(failures=5, retry_at=4e9)
    child = os.getpid() + 1
    monkeypatch.setattr(os, "getpid", lambda: child)
    assert introspector() is not parent
    assert introspector().state == State()
    assert verify_token(server.issuer.opaque_token("read")).scopes == {"read"}


def test_one_runtime_has_one_introspector_for_each_issuer(trust_server):
    """Which all threads share."""
    trust_server()
    assert introspector() is introspector()
