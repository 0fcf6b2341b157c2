"""One HTTP fetch: what is asked, what is taken for an answer, and how each failure is named."""

import io
import socket
from unittest import mock

import pytest
import requests
import responses
import urllib3

from django_oauth_jwt.upstream import Fetched, FetchFailed, JwksClient

URI = "https://as.example.com/jwks"


@pytest.fixture
def mocked():
    """Answer requests without a network."""
    with responses.RequestsMock() as mocked:
        yield mocked


def test_the_document_comes_with_its_etag_and_age(mocked):
    """What the header says of the document is told with it."""
    mocked.get(URI, json={"keys": []}, headers={"ETag": '"1"', "Cache-Control": "public, max-age=600"})
    assert JwksClient().fetch(URI) == Fetched({"keys": []}, '"1"', 600)


def test_the_request_says_what_it_wants(mocked):
    """The JWKS media type comes first, and a connection is not kept."""
    mocked.get(URI, json={})
    JwksClient().fetch(URI)
    headers = mocked.calls[0].request.headers
    assert headers["Accept"] == "application/jwk-set+json, application/json"
    assert headers["Connection"] == "close"
    assert "If-None-Match" not in headers


def test_a_known_document_is_asked_for_by_its_etag(mocked):
    """304 says that what is held is still good, and for how long."""
    mocked.get(URI, status=304, headers={"Cache-Control": "max-age=60"})
    assert JwksClient().fetch(URI, etag='W/"1"') == Fetched(None, 'W/"1"', 60)
    assert mocked.calls[0].request.headers["If-None-Match"] == 'W/"1"'


@pytest.mark.parametrize("status", [201, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 429, 500, 503])
def test_any_status_but_200_is_a_failure(status, mocked):
    """A redirect is not followed, nor is a body taken that came with an error."""
    mocked.get(URI, json={"keys": []}, status=status, headers={"Location": "https://evil.example.com/"})
    with pytest.raises(FetchFailed, match=f"^status {status}$"):
        JwksClient().fetch(URI)
    assert len(mocked.calls) == 1


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError(f"cannot reach {URI}"),
        requests.exceptions.SSLError("certificate verify failed"),
        requests.exceptions.ProxyError("http://user:password@proxy.example.com"),
        OSError("broken pipe"),
        ZeroDivisionError("a session of the project's own"),
    ],
)
def test_a_failing_request_is_named_by_its_kind_alone(error, mocked):
    """The text of an error may hold a proxy's password: it does not get into the reason."""
    mocked.get(URI, body=error)
    with pytest.raises(FetchFailed) as caught:
        JwksClient().fetch(URI)
    assert str(caught.value) == f"request failed ({type(error).__name__})"


@pytest.mark.parametrize("cause", [socket.gaierror("no such name"), ConnectionRefusedError("nobody there")])
def test_what_lies_behind_a_failing_request_is_named_too(cause, monkeypatch):
    """One kind of error of requests stands for many: a name that does not resolve, nobody there, a bad certificate."""

    def fail(*args, **kwargs):
        raise cause

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(FetchFailed) as caught:
        JwksClient().fetch(URI)
    assert str(caught.value) == f"request failed (ConnectionError, {type(cause).__name__})"


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectTimeout("connect"),
        requests.ReadTimeout("read"),
        urllib3.exceptions.ReadTimeoutError(None, URI, "body"),
    ],
)
def test_the_time_limit_has_one_name(error, mocked):
    """Whether the socket or the whole fetch took too long is one to whoever reads the log."""
    mocked.get(URI, body=error)
    with pytest.raises(FetchFailed, match=r"^no whole answer within 5 seconds$"):
        JwksClient().fetch(URI)


@pytest.mark.parametrize(
    "uri",
    [
        "http://as.example.com/jwks",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "http://[::2]/",
        "http://[/",
        "ftp://as.example.com/jwks",
        "file:///etc/passwd",
        "//as.example.com/jwks",
        "",
    ],
)
def test_nothing_but_https_is_asked(uri, mocked):
    """Keys that come unprotected over a network are no keys."""
    with pytest.raises(FetchFailed, match=r"^the URL is not https$"):
        JwksClient().fetch(uri)


@pytest.mark.parametrize("uri", ["http://127.0.0.1:8000/", "http://127.9.9.9/", "http://[::1]/", "http://localhost/"])
def test_this_machine_is_asked_without_encryption(uri, mocked):
    """On loopback nobody listens."""
    mocked.get(uri, json={})
    assert JwksClient().fetch(uri).document == {}


def test_the_setting_allows_plain_http(mocked):
    """ALLOW_INSECURE_HTTP is for networks that the project trusts."""
    mocked.get("http://as.internal/jwks", json={})
    assert JwksClient(allow_insecure_http=True).fetch("http://as.internal/jwks").document == {}


def test_a_session_of_the_projects_own_is_used(mocked):
    """Its headers, proxies and certificates are those of the fetch; it may be made anew for each fetch."""
    mocked.get(URI, json={})
    session = requests.Session()
    session.headers["X-Own"] = "yes"
    JwksClient(session).fetch(URI)
    JwksClient(lambda: session).fetch(URI)
    assert [call.request.headers["X-Own"] for call in mocked.calls] == ["yes", "yes"]


def test_a_session_is_whatever_gets(mocked):
    """A wrapper round a session, which may be callable itself, is one; a class is made one of."""
    mocked.get(URI, json={})
    wrapper = mock.Mock(wraps=requests.Session())

    class Wrapper:
        get = staticmethod(requests.get)

    for session in (wrapper, Wrapper(), Wrapper, requests.Session, None):
        assert JwksClient(session).fetch(URI).document == {}
    assert [call[0] for call in wrapper.mock_calls] == ["get"]


class OnlyReads:
    """A body that knows read alone."""

    def __init__(self, body):
        self._body = body

    def read(self, size):
        part, self._body = self._body[:size], self._body[size:]
        return part

    def close(self):
        """Nothing to close."""


@pytest.mark.parametrize(
    ("attribute", "make"),
    [("raw", OnlyReads), ("raw", io.BytesIO), ("_content", bytes)],
    ids=["reads", "has another read1", "has been read"],
)
def test_an_adapter_that_reads_in_another_way_is_used_all_the_same(attribute, make):
    """A session may have an adapter of the project's own, whose body is not urllib3's."""

    class Adapter(requests.adapters.HTTPAdapter):
        def send(self, request, **kwargs):
            response = requests.Response()
            response.status_code, response.url, response.request = 200, request.url, request
            setattr(response, attribute, make(b'{"keys": []}'.ljust(5000)))
            return response

    session = requests.Session()
    session.mount("https://", Adapter())
    assert JwksClient(session).fetch(URI).document == {"keys": []}


@pytest.mark.parametrize("etag", ["", " ", '"a\x01"', '"\xfc"', '"\u20ac"', ' "a"', '"a"\r\nX-Evil: yes', '"\x7f"'])
def test_an_etag_that_cannot_be_sent_is_dropped(etag, mocked):
    """The authorization server may send one, and so may rubbish in the cache: the document is then fetched whole."""
    mocked.get(URI, json={}, headers={"ETag": etag} if "\n" not in etag and "\u20ac" not in etag else {})
    assert JwksClient().fetch(URI, etag=etag) == Fetched({}, None, None)
    assert "If-None-Match" not in mocked.calls[0].request.headers


def test_the_total_time_holds_for_a_body_that_never_pauses(mocked, monkeypatch):
    """The deadline is looked at between the parts of a body too."""
    mocked.get(URI, body=b" " * 5000)
    moments = iter([0.0, 1.0, 2.0, 6.0])
    monkeypatch.setattr("django_oauth_jwt.upstream.client.time.monotonic", lambda: next(moments))
    client = JwksClient()
    with pytest.raises(TimeoutError):
        client._get(URI, None)
