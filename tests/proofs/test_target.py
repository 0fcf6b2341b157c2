"""The URL of a proof and that of a request: what is one and the same, and what is not."""

from urllib.parse import quote, unquote

import pytest
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from django_oauth_jwt.proofs.target import is_for_url, normalized, request_url

#: Pairs that are one URL (RFC 3986 sections 6.2.2 and 6.2.3).
SAME = [
    ("https://api.example.com/a", "https://api.example.com/a"),
    ("HTTPS://api.example.com/a", "https://api.example.com/a"),
    ("https://API.Example.COM/a", "https://api.example.com/a"),
    ("https://api.example.com:443/a", "https://api.example.com/a"),
    ("https://api.example.com:0443/a", "https://api.example.com/a"),
    ("https://api.example.com:/a", "https://api.example.com/a"),
    ("http://api.example.com:80/a", "http://api.example.com/a"),
    ("https://api.example.com:08443/a", "https://api.example.com:8443/a"),
    ("https://api.example.com", "https://api.example.com/"),
    ("https://api.example.com?page=2", "https://api.example.com/"),
    ("https://api.example.com#top", "https://api.example.com/"),
    ("https://api.example.com/a?page=2&x=/../b", "https://api.example.com/a"),
    ("https://api.example.com/a?", "https://api.example.com/a#"),
    ("https://api.example.com/a#top?x", "https://api.example.com/a?top#x"),
    ("https://api.example.com/%61", "https://api.example.com/a"),
    ("https://api.example.com/%7Eann/%2d%2E%5f", "https://api.example.com/~ann/-._"),
    ("https://api.example.com/%c3%a9", "https://api.example.com/%C3%A9"),
    ("https://api.example.com/a%2fb", "https://api.example.com/a%2Fb"),
    ("https://api.example.com/a%3bb", "https://api.example.com/a%3Bb"),
    ("https://api.example.com/./a", "https://api.example.com/a"),
    ("https://api.example.com/a/.", "https://api.example.com/a/"),
    ("https://api.example.com/x/../a", "https://api.example.com/a"),
    ("https://api.example.com/x/y/../../a", "https://api.example.com/a"),
    ("https://api.example.com/a/..", "https://api.example.com/"),
    ("https://api.example.com/..", "https://api.example.com/"),
    ("https://api.example.com/../../a", "https://api.example.com/a"),
    ("https://api.example.com/x/%2e%2E/a", "https://api.example.com/a"),
    ("https://api.example.com/x/.%2e/a", "https://api.example.com/a"),
    ("https://api.example.com/a//../b", "https://api.example.com/a/b"),
    ("https://api.example.com/[1]|^", "https://api.example.com/%5B1%5d%7C%5E"),
    ("https://[2001:DB8::1]/a", "https://[2001:db8::1]/a"),
    ("https://[::1]:443/a", "https://[::1]/a"),
    ("https://192.0.2.1:443/a", "https://192.0.2.1/a"),
]
#: Pairs that are two URLs.
OTHER = [
    ("http://api.example.com:0/a", "http://api.example.com/a"),
    ("https://api.example.com/a", "http://api.example.com/a"),
    ("https://api.example.com:80/a", "https://api.example.com/a"),
    ("http://api.example.com:443/a", "http://api.example.com/a"),
    ("https://api.example.com:8443/a", "https://api.example.com:8444/a"),
    ("https://api.example.com./a", "https://api.example.com/a"),
    ("https://api.example.com/A", "https://api.example.com/a"),
    ("https://api.example.com/a/", "https://api.example.com/a"),
    ("https://api.example.com//a", "https://api.example.com/a"),
    ("https://api.example.com/a//b", "https://api.example.com/a/b"),
    ("https://api.example.com/a%2Fb", "https://api.example.com/a/b"),
    ("https://api.example.com/a%5Cb", "https://api.example.com/a/b"),
    ("https://api.example.com/a%3Bb", "https://api.example.com/a;b"),
    ("https://api.example.com/a;b", "https://api.example.com/a"),
    ("https://api.example.com/a%3Fb", "https://api.example.com/a?b"),
    ("https://api.example.com/a%23b", "https://api.example.com/a#b"),
    ("https://api.example.com/a%252Fb", "https://api.example.com/a%2Fb"),
    ("https://api.example.com/a+b", "https://api.example.com/a%20b"),
    ("https://api.example.com/a/...", "https://api.example.com/a/"),
    ("https://api.example.com/.a", "https://api.example.com/a"),
    ("https://api.example.com/a..", "https://api.example.com/a"),
    ("https://api.example.com/..a/b", "https://api.example.com/b"),
    ("https://api.example.com/%2F..%2Fa", "https://api.example.com/a"),
    ("https://[::1]/a", "https://[::2]/a"),
    ("https://[::1]/a", "https://localhost/a"),
]
NO_URL = [
    *("", "/", "/a", "//api.example.com/a", "a", "*", "https", "https:", "https:/", "https://", "https:///a"),
    *("ftp://api.example.com/a", "file:///a", "urn:a", "https:api.example.com", "httpss://api.example.com"),
    *(
        "https://user@api.example.com",
        "https://user:secret@api.example.com/a",
        "https://@api.example.com",
        "https://a@b@c/",
    ),
    *(
        "https://api.example.com/a b",
        "https://api.example.com/a\n",
        "\thttps://api.example.com",
        "https://api.example.com/\0",
    ),
    *(
        "https://api.example.com\\a",
        "https://api.example.com/a\\b",
        'https://api.example.com/"',
        "https://api.example.com/<a>",
    ),
    *(
        "https://api.example.com/{a}",
        "https://api.example.com/`",
        "https://api.example.com/\u00e9",
        "https://b\u00fccher.example.com",
    ),
    *(
        "https://api.example.com/%",
        "https://api.example.com/%2",
        "https://api.example.com/%2g",
        "https://api.example.com/%u0061",
    ),
    *(
        "https://api.example.com:x/",
        "https://api.example.com:-1/",
        "https://api.example.com:123456/",
        "https://api.example.com:\u0661/",
    ),
    *(
        "https://[::1/a",
        "https://::1/a",
        "https://[::1]a/",
        "https://[fe80::1%25eth0]/",
        "https://[v1.a]/",
        "https://[]/",
    ),
    *(
        "https://api%2eexample.com/",
        "https://api.example.com,api.example.org/",
        "https://api example.com/",
        "https://a!b/",
    ),
    *(
        "http\u017f://api.example.com/",
        "https://\u212a.example.com/",
        "https://api.example.com?\u00e9",
        "https://api.example.com#\n",
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_url_in_two_spellings_is_one(one, other):
    """Whichever of the two is the request's; and the normal form is one already."""
    assert is_for_url(one, other)
    assert is_for_url(other, one)
    assert normalized(normalized(one)) == normalized(one) == normalized(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_may_be_two_resources_are_two_urls(one, other):
    """No proof for the one is good for the other, though both are URLs."""
    assert normalized(one)
    assert normalized(other)
    assert not is_for_url(one, other)
    assert not is_for_url(other, one)


@pytest.mark.parametrize("url", NO_URL)
def test_what_is_no_url_is_no_requests(url):
    """Not even one whose own is none, as with a port that Django lets pass."""
    assert normalized(url) is None
    assert not is_for_url(url, "https://api.example.com/")
    assert not is_for_url(url, "https://api.example.com:1234567/")


@given(st.text("ab/.%25;~?", max_size=30))
def test_a_normal_form_is_one_for_good(path):
    """To normalize it again changes nothing, and it has no dot segment and no query left."""
    form = normalized(f"https://api.example.com/{path}")
    if form is not None:
        assert normalized(form) == form
        assert "?" not in form
        assert not {".", ".."} & set(form.split("/"))


def _url(path="/books/17?page=2", **extra):
    return request_url(RequestFactory().get(path, **extra))


@pytest.fixture(autouse=True)
def _any_host(settings):
    settings.ALLOWED_HOSTS = ["testserver", "api.example.com", "[::1]"]


def test_the_url_of_a_request_is_the_one_that_django_knows():
    """Scheme, host and path, without the query."""
    assert _url() == "http://testserver/books/17"
    assert _url(secure=True) == "https://testserver/books/17"
    assert _url(headers={"Host": "api.example.com:8000"}) == "http://api.example.com:8000/books/17"
    assert _url(headers={"Host": "[::1]:8000"}) == "http://[::1]:8000/books/17"


def test_a_host_that_the_project_does_not_serve_is_none():
    """Else whoever sends the request would choose what the proof has to be for."""
    with pytest.raises(DisallowedHost):
        _url(headers={"Host": "evil.test"})


def test_a_proxy_is_believed_as_far_as_the_project_says(settings):
    """Without the settings a forwarded header means nothing, with them it is the client's URL."""
    forwarded = {"Host": "testserver", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "api.example.com"}
    assert _url(headers=forwarded) == "http://testserver/books/17"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert _url(headers=forwarded) == "https://testserver/books/17"
    settings.USE_X_FORWARDED_HOST = True
    assert _url(headers=forwarded) == "https://api.example.com/books/17"
    with pytest.raises(DisallowedHost):
        _url(headers={**forwarded, "X-Forwarded-Host": "evil.test, api.example.com"})


def test_the_prefix_of_a_mounted_project_is_part_of_the_url():
    """SCRIPT_NAME is what the server took off the path."""
    assert _url(SCRIPT_NAME="/shop") == "http://testserver/shop/books/17"
    assert _url(SCRIPT_NAME="/shop", RAW_URI="/shop/books/17?page=2") == "http://testserver/shop/books/17"


def test_the_prefix_that_the_project_itself_names_is_part_of_the_url(settings):
    """FORCE_SCRIPT_NAME: a proxy took it off, so the target as the server got it lacks it."""
    settings.FORCE_SCRIPT_NAME = "/shop"
    assert _url(RAW_URI="/books/17?page=2") == "http://testserver/shop/books/17"


#: The path as it is sent, and as it is known where the server does not tell.
SENT = [
    ("/books/a%2Fb", "/books/a/b"),
    ("/a%3Bb;c", "/a;b;c"),
    ("/a%3Db=c", "/a=b=c"),
    ("/a%5Cb", "/a%5Cb"),
    ("/a%20b", "/a%20b"),
    ("/a%25b", "/a%25b"),
    ("/%C3%A9", "/%C3%A9"),
    ("/a%3Fb", "/a%3Fb"),
    ("/a%23b", "/a%23b"),
    ("/(a)'!*,$&+:@", "/(a)'!*,$&+:@"),
    ("//a", "//a"),
    ("/a//b/", "/a//b/"),
    ("/a/../b", "/a/../b"),
    ("/%7Ea", "/~a"),
]


@pytest.mark.parametrize("variable", ["RAW_URI", "REQUEST_URI"])
@pytest.mark.parametrize(("sent", "without"), SENT)
def test_the_path_is_spelled_as_it_was_sent_where_the_server_tells(sent, without, variable):
    """gunicorn says RAW_URI, uWSGI and mod_wsgi REQUEST_URI; else it is what Django made of it."""
    assert _url(f"http://testserver{sent}?page=2") == f"http://testserver{without}"
    known = {variable: f"{sent}?page=2"}
    assert _url(f"http://testserver{sent}?page=2", **known) == f"http://testserver{sent}"
    assert normalized(f"http://testserver{without}")


@pytest.mark.parametrize(("sent", "without"), SENT)
@pytest.mark.parametrize("is_told", [True, False])
def test_a_server_of_asgi_tells_too(sent, without, is_told):
    """raw_path has the bytes as they were sent."""
    request = RequestFactory().get(f"http://testserver{sent}")
    scope = {"type": "http", "method": "GET", "path": request.path, "headers": [(b"host", b"testserver")]}
    if is_told:
        scope |= {"raw_path": sent.encode(), "query_string": b"page=2"}
    assert request_url(ASGIRequest(scope, None)) == f"http://testserver{sent if is_told else without}"


@pytest.mark.parametrize("scope", [{"raw_path": None}, "tenant-1", None, {}])
def test_a_scope_that_does_not_tell_is_no_error(scope):
    """The specification of ASGI lets raw_path be None, and a project may call something of its own so."""
    request = RequestFactory().get("http://testserver/a")
    request.scope = scope
    assert request_url(request) == "http://testserver/a"


@pytest.mark.parametrize(
    "target",
    ["/other", "", "*", "http://testserver/books/17", "/books/17%", "/books/%31%37 ", "books/17", "/books/17\u00e9"],
)
def test_a_target_that_is_not_what_django_serves_is_not_believed(target):
    """A proxy may have changed the path, or the server may tell something else."""
    assert _url(RAW_URI=target) == "http://testserver/books/17"


@pytest.mark.parametrize("target", ["/a b", '/a%20b"', "/a\tb", "/a%20b\u00e9"])
def test_a_target_that_is_no_path_is_spelled_anew(target):
    """A server may let pass what no URL has in it, and Django serves it."""
    path = unquote(target)
    assert normalized(_url(f"http://testserver{quote(path)}", RAW_URI=target)) == f"http://testserver{quote(path)}"


def test_a_proof_for_an_encoded_slash_is_for_that_alone():
    """The same path to Django; whether it is the same to what stands before it nobody knows."""
    encoded, plain = "http://testserver/a%2Fb", "http://testserver/a/b"
    sent = _url(encoded, RAW_URI="/a%2Fb")
    assert is_for_url(encoded, sent)
    assert not is_for_url(plain, sent)
    assert is_for_url(plain, _url(plain, RAW_URI="/a/b"))
    assert not is_for_url(encoded, _url(plain, RAW_URI="/a/b"))
