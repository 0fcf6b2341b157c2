"""A fetch that takes too long is closed, whose session it ever has, and nobody else who uses the session notices."""

import socket
import threading
from copy import copy
from functools import cache
from ssl import TLSVersion
from unittest import mock

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool

from django_oauth_jwt.upstream import FetchFailed, HttpClient
from django_oauth_jwt.upstream.closable import Connections, closable

from ..servers.faulty_server import (
    FOREVER,
    continue_for_ever,
    drip_body,
    drip_chunk_size,
    drip_chunks,
    drip_header,
    drip_trailer,
)

EMPTY = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"keys": []}'


def answer_twice(exchange):
    """Keep the connection, for one request more."""
    exchange.send(EMPTY)
    exchange.connection.recv(65536)
    exchange.send(EMPTY)


def with_adapter(session, adapter):
    """Have the session use the adapter."""
    session.mount("http://", adapter)
    return session


def pool_of(adapter):
    """Return the one pool of connections that an adapter has."""
    (pool,) = (adapter.poolmanager.pools[key] for key in adapter.poolmanager.pools.keys())  # noqa: SIM118  # no mapping
    return pool


SHARED = requests.Session()
SESSIONS = {
    "none": None,
    "class": requests.Session,
    "shared": requests.Session(),
    "callable that shares": lambda: SHARED,
    "one place": with_adapter(requests.Session(), HTTPAdapter(pool_maxsize=1, pool_block=True)),
}
DRIPS = [drip_header, drip_body, drip_chunks, drip_chunk_size, drip_trailer]


@pytest.fixture
def wait_for_threads(auth_server):
    """Wait until no thread fetches any more; the server would go on for ever."""

    def wait_for_threads():
        for thread in threading.enumerate():
            if thread.name == "django-oauth-jwt":
                thread.join(FOREVER)
                assert not thread.is_alive()

    yield wait_for_threads
    auth_server.fault = auth_server.fault  # lets go what hangs
    wait_for_threads()


def give_up(client, uri, seconds=0.1):
    """Fetch what does not come in time. On a busy machine a second is enough for the server to be asked."""
    timeout, client.timeout = client.timeout, seconds
    with pytest.raises(FetchFailed, match=f"^no whole answer within {seconds} seconds$"):
        client.fetch(uri)
    client.timeout = timeout


@pytest.mark.parametrize(
    ("session", "never_ends"),
    [*((session, continue_for_ever) for session in SESSIONS), *(("shared", drip) for drip in DRIPS)],
)
def test_it_ends_and_frees_its_place(session, never_ends, auth_server, wait_for_threads):
    """No thread stays behind, so that fetches go on when the server is well again."""
    client = HttpClient(SESSIONS[session], timeout=FOREVER, threads=1)
    with auth_server.behaving(never_ends):
        for _ in range(2):
            give_up(client, auth_server.uri)
            wait_for_threads()
    assert client.fetch(auth_server.uri).document == auth_server.jwks()


def test_a_posted_form_ends_too(auth_server, wait_for_threads):
    """An authorization server may hang when it is asked about a token."""
    client = HttpClient(requests.Session(), timeout=0.1)
    with auth_server.behaving(continue_for_ever):
        with pytest.raises(FetchFailed):
            client.post(auth_server.uri, {}, {})
        wait_for_threads()


def test_the_session_stays_as_it_was(auth_server, wait_for_threads):
    """Nothing in it is exchanged, and what it hears, counts and keeps is heard, counted and kept in it."""
    adapter, heard = HTTPAdapter(), []
    session = with_adapter(requests.Session(), adapter)
    session.hooks["response"].append(lambda response, **kwargs: heard.append(response.status_code))
    before = {**vars(session)}, {**vars(adapter)}
    client = HttpClient(session, timeout=FOREVER)
    with auth_server.behaving(lambda exchange: exchange.respond(body=b"{}", Set_Cookie="own=1")):
        client.fetch(auth_server.uri)
    with auth_server.behaving(continue_for_ever):
        give_up(client, auth_server.uri)
        wait_for_threads()
    assert (vars(session), vars(adapter)) == before
    assert (heard, session.cookies["own"]) == ([200], "1")
    pool = pool_of(adapter)
    assert (type(pool).__module__, pool.num_requests) == ("urllib3.connectionpool", 2)


def test_a_connection_that_is_kept_stays_as_it_was(auth_server):
    """It may serve thousands of fetches: none leaves anything behind on it."""
    adapter = HTTPAdapter()
    with with_adapter(requests.Session(), adapter) as session, auth_server.behaving(answer_twice):
        session.get(auth_server.uri, timeout=FOREVER)
        (kept,) = filter(None, pool_of(adapter).pool.queue)
        HttpClient(session, timeout=FOREVER).fetch(auth_server.uri)
    assert auth_server.fetches == 1
    assert "response_class" not in vars(kept)


def test_others_who_use_the_session_notice_nothing(auth_server, wait_for_threads):
    """Neither a fetch that goes on beside it, nor a connection that is kept."""
    session = requests.Session()
    client, answers = HttpClient(session, timeout=FOREVER), []

    with auth_server.held():
        other = threading.Thread(target=lambda: answers.append(client.fetch(auth_server.uri).document))
        other.start()
        auth_server.wait_for(lambda: auth_server.pending == 1)
        give_up(client, auth_server.uri, seconds=1)
        auth_server.wait_for(lambda: auth_server.fetches == 2)
    other.join(FOREVER)
    assert answers == [auth_server.jwks()]
    with auth_server.behaving(answer_twice):
        session.get(auth_server.uri, timeout=FOREVER)
        assert client.fetch(auth_server.uri).document == {"keys": []}
    assert auth_server.fetches == 3


def test_a_connection_that_was_given_back_is_not_closed(auth_server, wait_for_threads, monkeypatch):
    """Somebody else may use it by now: the answer was read, and only then the fetch took too long."""
    session, is_over = requests.Session(), threading.Event()
    monkeypatch.setattr("django_oauth_jwt.upstream.client.loads_jwks", lambda body: is_over.wait(FOREVER))
    with auth_server.behaving(answer_twice):
        give_up(HttpClient(session), auth_server.uri, seconds=1)
        assert session.get(auth_server.uri, timeout=FOREVER).json() == {"keys": []}
    assert auth_server.fetches == 1
    is_over.set()


def test_a_connection_that_was_kept_is_closed_as_well(auth_server, wait_for_threads):
    """The project has asked with its session before, and the server hangs when our request comes."""
    session = requests.Session()

    def answer_once(exchange):
        exchange.send(EMPTY)
        exchange.connection.recv(65536)
        continue_for_ever(exchange)

    with auth_server.behaving(answer_once):
        session.get(auth_server.uri, timeout=FOREVER)
        give_up(HttpClient(session), auth_server.uri, seconds=1)
        wait_for_threads()
    assert auth_server.fetches == 1


def test_what_connects_after_its_time_reads_nothing(auth_server, wait_for_threads, monkeypatch):
    """There is no socket yet to close where the name takes long to resolve."""
    is_over, resolve = threading.Event(), socket.getaddrinfo

    def resolve_late(*args, **kwargs):
        is_over.wait(FOREVER)
        return resolve(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_late)
    with auth_server.behaving(continue_for_ever):
        give_up(HttpClient(requests.Session()), auth_server.uri)
        is_over.set()
        wait_for_threads()


def test_what_is_over_is_not_tried_again(auth_server, wait_for_threads):
    """An adapter may retry what was cut off: that would begin another fetch that nobody waits for."""
    session = with_adapter(requests.Session(), HTTPAdapter(max_retries=9))
    with auth_server.behaving(continue_for_ever):
        give_up(HttpClient(session), auth_server.uri, seconds=1)
        wait_for_threads()
    assert auth_server.fetches == 1


class PlainSession(requests.Session):
    """One that is only made in another way, and has a helper of its own."""

    retries = 0

    def __init__(self):
        super().__init__()
        self.mount("http://", PlainAdapter(max_retries=self.retries))

    def keys(self, uri):
        return self.get(uri).json()


class PlainAdapter(HTTPAdapter):
    """One with TLS settings of its own, by the recipe of requests' manual."""

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, **kwargs, ssl_minimum_version=TLSVersion.TLSv1_3)

    def get_connection_with_tls_context(self, *args, **kwargs):
        assert type(self) is PlainAdapter
        return super().get_connection_with_tls_context(*args, **kwargs)


@pytest.mark.parametrize("session", [PlainSession, PlainSession(), with_adapter(requests.Session(), PlainAdapter())])
def test_a_subclass_that_fetches_as_its_base_does_ends_too(session, auth_server, wait_for_threads):
    """What it does when it is made, and what it adds, is in nobody's way."""
    client = HttpClient(session, timeout=FOREVER, threads=1)
    with auth_server.behaving(continue_for_ever):
        give_up(client, auth_server.uri)
        wait_for_threads()
    assert client.fetch(auth_server.uri).document == auth_server.jwks()


@pytest.mark.parametrize("base", [requests.Session, HTTPAdapter, HTTPConnectionPool])
@pytest.mark.parametrize("name", ["send", "verify", "urlopen", "__getattr__", "__setattr__", "__slots__", "__eq__"])
def test_a_subclass_that_may_notice_is_used_as_it_is(base, name):
    """Also where it is a grandchild, or has its ways from a mixin."""
    mixin = type("Mixin", (), {name: ("own",) if name == "__slots__" else None})
    of_bases = {requests.Session: ("send", "verify"), HTTPAdapter: ("send",), HTTPConnectionPool: ("urlopen",)}
    is_used = name in (*of_bases[base], "__getattr__", "__setattr__", "__slots__")
    for kind in (type("Own", (mixin, base), {}), type("GrandChild", (type("Own", (mixin, base), {}),), {})):
        original = object.__new__(kind)
        assert (closable(original, Connections()) is original) is is_used


@pytest.mark.parametrize("base", [requests.Session, HTTPAdapter, HTTPConnectionPool])
def test_a_subclass_with_a_property_is_used_as_it_is(base):
    """Its value may be what the base keeps in the object: `proxy` of a pool."""
    original = object.__new__(type("Own", (base,), {"proxy": property(lambda self: None)}))
    assert closable(original, Connections()) is original


class OwnSession(requests.Session):
    """One that copies and remembers itself, and has names of its own."""

    _connections = 7

    @cache  # noqa: B019  # that it does not leak is the test
    def secret(self):
        return object()

    def request(self, *args, **kwargs):
        assert type(copy(self)) is type(self) is OwnSession
        self.secrets.add(self.secret())
        return super().request(*args, **kwargs)


class OwnAdapter(HTTPAdapter):
    """One that changes the request, with state of its own."""

    _original = 0

    def send(self, request, **kwargs):
        assert type(copy(self)) is OwnAdapter
        self._original += 1
        return super().send(request, **kwargs)


def test_a_class_of_the_projects_own_is_used_as_it_is(auth_server):
    """Its sockets are not closed, but it fetches, and nothing is strange to it."""
    session, adapter = OwnSession(), OwnAdapter()
    session.secrets = set()
    for each in (with_adapter(session, adapter), mock.Mock(spec=requests.Session, wraps=requests.Session())):
        each.auth, each.verify, each.proxies = None, True, {}
        for _ in range(2):
            assert HttpClient(each, timeout=FOREVER).fetch(auth_server.uri).document == auth_server.jwks()
    assert (len(session.secrets), adapter._original) == (1, 2)
