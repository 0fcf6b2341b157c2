"""One HTTP fetch: what is asked, what is taken for an answer, and how each failure is named."""

import gzip
import io
import socket
import tracemalloc
import zlib
from unittest import mock

import pytest
import requests
import responses
import urllib3

from django_oauth_jwt.upstream import Fetched, FetchFailed, HttpClient, NoAnswer, Posted, shown_url
from django_oauth_jwt.upstream.body import MAXIMUM_BYTES, read_body

from ..servers.faulty_server import respond_with

URI = "https://as.example.com/jwks"


@pytest.fixture
def mocked():
    """Answer requests without a network."""
    with responses.RequestsMock() as mocked:
        yield mocked


def test_the_document_comes_with_its_etag_and_age(mocked):
    """What the header says of the document is told with it."""
    mocked.get(URI, json={"keys": []}, headers={"ETag": '"1"', "Cache-Control": "public, max-age=600"})
    assert HttpClient().fetch(URI) == Fetched({"keys": []}, '"1"', 600)


def test_the_request_says_what_it_wants(mocked):
    """The JWKS media type comes first, and a connection is not kept."""
    mocked.get(URI, json={})
    HttpClient().fetch(URI)
    headers = mocked.calls[0].request.headers
    assert headers["Accept"] == "application/jwk-set+json, application/json, */*;q=0.1"
    assert headers["Accept-Encoding"] == "gzip, deflate"
    assert headers["Connection"] == "close"
    assert "If-None-Match" not in headers


def test_a_known_document_is_asked_for_by_its_etag(mocked):
    """304 says that what is held is still good, and for how long."""
    mocked.get(URI, status=304, headers={"Cache-Control": "max-age=60"})
    assert HttpClient().fetch(URI, etag='W/"1"') == Fetched(None, 'W/"1"', 60)
    assert mocked.calls[0].request.headers["If-None-Match"] == 'W/"1"'


@pytest.mark.parametrize("status", [201, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 429, 500, 503])
def test_any_status_but_200_is_a_failure(status, mocked):
    """A redirect is not followed, nor is a body taken that came with an error."""
    mocked.get(URI, json={"keys": []}, status=status, headers={"Location": "https://evil.example.com/"})
    with pytest.raises(FetchFailed, match=f"^status {status}$"):
        HttpClient().fetch(URI)
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
        HttpClient().fetch(URI)
    assert str(caught.value) == f"request failed ({type(error).__name__})"


@pytest.mark.parametrize("cause", [socket.gaierror("no such name"), ConnectionRefusedError("nobody there")])
def test_what_lies_behind_a_failing_request_is_named_too(cause, monkeypatch):
    """One kind of error of requests stands for many: a name that does not resolve, nobody there, a bad certificate."""

    def fail(*args, **kwargs):
        raise cause

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(FetchFailed) as caught:
        HttpClient().fetch(URI)
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
        HttpClient().fetch(URI)


@pytest.mark.parametrize(
    "uri",
    [
        "http://as.example.com/jwks",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "http://as.localhost/",
        "http://[::ffff:192.0.2.1]/",
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
        HttpClient().fetch(uri)


@pytest.mark.parametrize(
    "uri",
    [
        *("http://127.0.0.1:8000/", "http://127.9.9.9/", "http://[::1]/", "http://localhost/"),
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_this_machine_is_asked_without_encryption(uri, mocked):
    """On loopback nobody listens."""
    mocked.get(uri, json={})
    assert HttpClient().fetch(uri).document == {}


def test_the_setting_allows_plain_http(mocked):
    """ALLOW_INSECURE_HTTP is for networks that the project trusts."""
    mocked.get("http://as.internal/jwks", json={})
    assert HttpClient(allow_insecure_http=True).fetch("http://as.internal/jwks").document == {}


def test_a_session_of_the_projects_own_is_used(mocked):
    """Its headers, proxies and certificates are those of the fetch; it may be made anew for each fetch."""
    mocked.get(URI, json={})
    session = requests.Session()
    session.headers["X-Own"] = "yes"
    HttpClient(session).fetch(URI)
    HttpClient(lambda: session).fetch(URI)
    assert [call.request.headers["X-Own"] for call in mocked.calls] == ["yes", "yes"]


def test_a_session_is_whatever_gets(mocked):
    """A wrapper round a session, which may be callable itself, is one; a class is made one of."""
    mocked.get(URI, json={})
    wrapper = mock.Mock(wraps=requests.Session())

    class Wrapper:
        get = staticmethod(requests.get)

    for session in (wrapper, Wrapper(), Wrapper, requests.Session, None):
        assert HttpClient(session).fetch(URI).document == {}
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
    assert HttpClient(session).fetch(URI).document == {"keys": []}


@pytest.mark.parametrize("etag", ["", " ", '"a\x01"', '"\xfc"', '"\u20ac"', ' "a"', '"a"\r\nX-Evil: yes', '"\x7f"'])
def test_an_etag_that_cannot_be_sent_is_dropped(etag, mocked):
    """The authorization server may send one, and so may rubbish in the cache: the document is then fetched whole."""
    mocked.get(URI, json={}, headers={"ETag": etag} if "\n" not in etag and "\u20ac" not in etag else {})
    assert HttpClient().fetch(URI, etag=etag) == Fetched({}, None, None)
    assert "If-None-Match" not in mocked.calls[0].request.headers


def test_the_total_time_holds_for_a_body_that_never_pauses(mocked, monkeypatch):
    """The deadline is looked at between the parts of a body too."""
    mocked.get(URI, body=b" " * 5000)
    moments = iter([1.0, 2.0, 6.0])
    monkeypatch.setattr("django_oauth_jwt.upstream.body._CHUNK_BYTES", 1024)
    with requests.get(URI, stream=True, timeout=1) as response:
        monkeypatch.setattr("django_oauth_jwt.upstream.body.time.monotonic", lambda: next(moments))
        with pytest.raises(TimeoutError):
            read_body(response, 5.0)


GOOD = b'{"keys": []}'


def gz(data):
    """Compress, with no time of day in it."""
    return gzip.compress(data, mtime=0)


def bare(data):
    """Compress as deflate, without the header that it should have (RFC 9110 section 8.4.1.2)."""
    return zlib.compress(data)[2:-4]


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gz(GOOD)),
        ("X-GZIP", gz(GOOD)),
        ("gzip", gz(GOOD[:5]) + gz(b"") + gz(GOOD[5:])),
        ("gzip", gz(GOOD) + bytes(512)),
        ("deflate", zlib.compress(GOOD)),
        ("deflate", bare(GOOD)),
        ("identity", GOOD),
        ("", GOOD),
        ("identity, gzip", gz(GOOD)),
    ],
)
def test_one_content_coding_is_undone(coding, body, mocked):
    """Whichever of the two that are asked for (RFC 9110 section 8.4.1)."""
    mocked.get(URI, body=body, headers={"Content-Encoding": coding})
    assert HttpClient().fetch(URI).document == {"keys": []}


BOMB = gz(gz(b" " * 20_000_000))


@pytest.mark.parametrize(
    ("coding", "body", "reason"),
    [
        ("gzip, gzip", BOMB, "content coding that is not supported"),
        ("gzip,deflate", b"", "content coding that is not supported"),
        ("br", b"", "content coding that is not supported"),
        ("gzip", gz(b" " * (MAXIMUM_BYTES + 1)), f"longer than {MAXIMUM_BYTES} bytes"),
        ("deflate", zlib.compress(b" " * (MAXIMUM_BYTES + 1)), f"longer than {MAXIMUM_BYTES} bytes"),
        ("gzip", gz(b" " * MAXIMUM_BYTES) + gz(b" "), f"longer than {MAXIMUM_BYTES} bytes"),
        ("gzip", gz(b" " * 1000) + gz(b" " * 20_000_000), f"longer than {MAXIMUM_BYTES} bytes"),
        ("deflate", bare(b" " * 20_000_000), f"longer than {MAXIMUM_BYTES} bytes"),
        ("gzip", GOOD, "body that cannot be decompressed"),
        ("gzip", gz(GOOD) + b"\x1f\x8b" + GOOD, "body that cannot be decompressed"),
        ("gzip", gz(GOOD) + gz(GOOD)[:-9], "body that ends too early"),
        ("gzip", bare(GOOD), "body that cannot be decompressed"),
        ("deflate", GOOD, "body that cannot be decompressed"),
        ("gzip", gz(GOOD)[:-9], "body that ends too early"),
        ("gzip", b"", "body that ends too early"),
    ],
)
def test_what_would_unpack_to_too_much_or_to_nothing_is_refused(coding, body, reason, mocked):
    """A second coding hides how much memory the first one takes: 1.7 KB on the wire may be a gigabyte."""
    mocked.get(URI, body=body, headers={"Content-Encoding": coding})
    tracemalloc.start()
    try:
        with pytest.raises(FetchFailed, match=f"^{reason}"):
            HttpClient().fetch(URI)
        assert tracemalloc.get_traced_memory()[1] < 8 * MAXIMUM_BYTES
    finally:
        tracemalloc.stop()


def test_exactly_as_much_as_is_allowed_is_read(mocked):
    """The limit counts what is unpacked, in one member or in several."""
    body = GOOD.ljust(MAXIMUM_BYTES)
    for compressed in (gz(body), gz(body[:5]) + gz(body[5:]), gz(body[:-1]) + gz(body[-1:])):
        mocked.get(URI, body=compressed, headers={"Content-Encoding": "gzip"})
        assert HttpClient().fetch(URI).document == {"keys": []}


NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("status", "value", "seconds"),
    [
        (429, "120", 120),
        (503, " 7 ", 7),
        (429, "Fri, 15 Jan 2027 08:01:40 GMT", 100),
        (429, "Fri, 15 Jan 2027 07:59:00 GMT", 0),
        (429, "7200", 3600),
        (429, "9" * 400, 3600),
        (429, "-5", 0),
        (429, "soon", 0),
        (429, "\u0661\u0662", 0),
        (429, None, 0),
        (500, "120", 0),
        (404, "120", 0),
    ],
)
def test_a_busy_server_says_when_to_come_again(status, value, seconds, mocked, monkeypatch):
    """In seconds or as a date, an hour at the most (RFC 9110 section 10.2.3)."""
    monkeypatch.setattr("time.time", lambda: NOW)
    mocked.get(URI, status=status, headers={} if value is None else {"Retry-After": value})
    with pytest.raises(FetchFailed, match=f"^status {status}$") as caught:
        HttpClient().fetch(URI)
    assert caught.value.retry_after == seconds


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Have the environment name a password for every host, proxies and certificates."""
    (tmp_path / "netrc").write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://environment.example.com:3128")
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/environment.pem")


def _session(**attributes):
    session = requests.Session()
    for name, value in attributes.items():
        setattr(session, name, value)
    return session


ENVIRONMENT = "http://environment.example.com:3128"


@pytest.mark.parametrize(
    ("session", "uri", "proxy", "verify"),
    [
        (None, URI, ENVIRONMENT, "/environment.pem"),
        (requests.Session, URI, ENVIRONMENT, "/environment.pem"),
        (_session(verify="/own.pem"), URI, ENVIRONMENT, "/own.pem"),
        (_session(verify=False), URI, ENVIRONMENT, False),
        (_session(proxies={"https": "http://own:1"}), URI, "http://own:1", "/environment.pem"),
        (_session(proxies={"all": "http://own:1"}), URI, "http://own:1", "/environment.pem"),
        (_session(trust_env=False), URI, None, True),
        (None, "http://127.0.0.1:9/jwks", None, "/environment.pem"),
        (None, "http://localhost:9/jwks", None, "/environment.pem"),
        (None, "http://[::ffff:127.0.0.1]:9/jwks", None, "/environment.pem"),
        (None, "https://as.localhost:9/jwks", ENVIRONMENT, "/environment.pem"),
        (None, "http://[::1]:9/jwks", None, "/environment.pem"),
        (_session(proxies={"all": "http://own:1"}), "http://127.0.0.1:9/jwks", None, "/environment.pem"),
    ],
)
def test_what_the_session_says_wins_over_the_environment(session, uri, proxy, verify, environment, monkeypatch):
    """And nobody asks for a proxy for this machine, or sends a password that a file on it happens to hold."""
    sent = {}

    def send(self, request, **kwargs):
        sent.update(kwargs, authorization=request.headers.get("Authorization"))
        sent["proxy"] = requests.utils.select_proxy(request.url, kwargs["proxies"])
        raise requests.ConnectionError

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    with pytest.raises(FetchFailed):
        HttpClient(session).fetch(uri)
    assert (sent["proxy"], sent["verify"], sent["authorization"]) == (proxy, verify, None)


def test_a_password_that_the_project_gave_its_session_is_sent(environment, mocked):
    """It is configured."""
    mocked.get(URI, json={})
    HttpClient(_session(auth=("own", "password"))).fetch(URI)
    assert mocked.calls[0].request.headers["Authorization"] == requests.auth._basic_auth_str("own", "password")


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        (URI, URI),
        ("https://user:secret@as.example.com:8443/a/b?token=secret#x", "https://as.example.com:8443/a/b"),
        ("https://as.example.com", "https://as.example.com"),
    ],
)
def test_a_url_in_the_log_holds_no_secret(uri, shown):
    """Neither user name nor password nor query."""
    assert shown_url(uri) == shown


FORM = {"token": "\u00fc &=+", "client_id": "api"}


def test_a_form_is_posted(mocked):
    """With the headers that are asked for, and nothing that nobody has configured."""
    mocked.post(URI, body=b"a.b.c", content_type="Application/JWT; charset=utf-8")
    posted = HttpClient().post(URI, FORM, {"Accept": "application/jwt"})
    assert posted == Posted(200, "application/jwt", b"a.b.c")
    request = mocked.calls[0].request
    assert request.body == "token=%C3%BC+%26%3D%2B&client_id=api"
    assert request.headers["Accept"] == "application/jwt"
    assert request.headers["Accept-Encoding"] == "gzip, deflate"
    assert request.headers["Connection"] == "close"
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 308, 401, 403, 404, 500])
def test_any_status_is_an_answer_to_a_form(mocked, status):
    """What it means is the asker's affair. A redirect is not followed, and a body that came with an error not read."""
    mocked.post(URI, body=b" " * 600_000, status=status, headers={"Location": "https://evil.example.com/"})
    assert HttpClient().post(URI, FORM, {}) == Posted(status, "text/plain", b"")
    assert len(mocked.calls) == 1


def test_an_oauth_error_is_read(mocked):
    """RFC 6749 section 5.2: it may say that we are not known there."""
    mocked.post(URI, json={"error": "invalid_client"}, status=400)
    assert HttpClient().post(URI, FORM, {}) == Posted(400, "application/json", b'{"error": "invalid_client"}')


@pytest.mark.parametrize(("status", "seconds"), [(429, 90), (503, 90), (500, 0), (200, 0)])
def test_a_busy_server_is_heard_when_a_form_is_posted(mocked, status, seconds):
    """As when a document is fetched."""
    mocked.post(URI, status=status, headers={"Retry-After": "90"})
    assert HttpClient().post(URI, FORM, {}).retry_after == seconds


@pytest.mark.parametrize(
    ("body", "headers"),
    [(b" " * (MAXIMUM_BYTES + 1), {}), (b"{}", {"Content_Encoding": "gzip"}), (b"{}", {"Content_Encoding": "br"})],
)
def test_a_body_that_is_of_no_use_is_no_outage(auth_server, body, headers):
    """The server is well, and what is asked next may be answered as it should."""
    auth_server.fault = respond_with(body=body, **headers)
    for request in (
        lambda client: client.post(auth_server.uri, FORM, {}),
        lambda client: client.fetch(auth_server.uri),
    ):
        with pytest.raises(NoAnswer):
            request(HttpClient())


def test_a_form_is_sent_over_https_alone(mocked):
    """It holds a token."""
    with pytest.raises(FetchFailed, match=r"^the URL is not https$"):
        HttpClient().post("http://as.example.com/introspect", FORM, {})


def test_a_form_that_cannot_be_posted_is_a_failure(mocked):
    """Named by its kind: the text of an error may hold a password."""
    mocked.post(URI, body=requests.exceptions.ProxyError("http://user:password@proxy.example.com"))
    with pytest.raises(FetchFailed) as caught:
        HttpClient().post(URI, FORM, {})
    assert not isinstance(caught.value, NoAnswer)
    assert str(caught.value) == "request failed (ProxyError)"
