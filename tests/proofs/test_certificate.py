"""The client's certificate: from wherever the settings say, and from nobody else."""

import time
from contextlib import nullcontext, suppress
from ipaddress import ip_address, ip_network

import pytest
from django.test import RequestFactory

from django_oauth_jwt.conf import get_settings
from django_oauth_jwt.errors import BearerError, InvalidToken
from django_oauth_jwt.proofs.certificate import certificate_thumbprint
from django_oauth_jwt.proofs.xfcc import last_element

from .certificates import (
    ANOTHER,
    ANOTHER_OR_NONE,
    BAD,
    CHAIN,
    DER,
    ESCAPED,
    GOOD,
    OTHER_CHAIN,
    OTHER_DER,
    OTHER_X5T,
    PEM,
    SEQUENCE,
    VARIABLES,
    XFCC,
)
from .rfc_vectors import CLIENT_CERT, X5T

PROXY = "10.0.0.7"


@pytest.fixture
def thumbprint(settings):
    """Return the thumbprint of a request's certificate where the settings name this source."""

    def thumbprint(source, proxies=None, **variables):
        trusted = {} if proxies is None else {"TRUSTED_PROXIES": proxies}
        settings.OAUTH_JWT = {"CLIENT_CERTIFICATE": {"SOURCE": source, **trusted}}
        request = RequestFactory().get("/", **{"REMOTE_ADDR": PROXY, **variables})
        return certificate_thumbprint(request, get_settings().client_certificate)

    return thumbprint


def _proxies(source):
    return None if source == "wsgi" else [f"{PROXY}/32"]


def detail_of(thumbprint, *args, **kwargs):
    """Return why a certificate is refused: always as unproven, with 401."""
    with pytest.raises(InvalidToken) as caught:
        thumbprint(*args, **kwargs)
    assert (caught.value.reason, caught.value.status) == ("unproven", 401)
    return caught.value.detail


@pytest.mark.parametrize(("source", "text"), GOOD.values(), ids=GOOD)
def test_a_certificate_has_the_thumbprint_of_the_rfc(thumbprint, source, text):
    """RFC 8705 appendix A, from each source, and of a chain the first."""
    assert thumbprint(source, _proxies(source), **{VARIABLES[source]: text}) == X5T


def test_the_example_of_rfc_9440_is_read(thumbprint):
    """Appendix A, to the letter."""
    assert thumbprint("rfc9440", [PROXY], HTTP_CLIENT_CERT=CLIENT_CERT) == OTHER_X5T


@pytest.mark.parametrize(("source", "text", "detail"), BAD.values(), ids=BAD)
def test_a_certificate_that_is_another_or_none_is_not_that_one(thumbprint, source, text, detail):
    """Whatever the text is, the answer is a refusal and never an error of ours; the log says what is wrong."""
    variables = {VARIABLES[source]: text}
    if detail in (ANOTHER, ANOTHER_OR_NONE):
        with suppress(InvalidToken) if detail == ANOTHER_OR_NONE else nullcontext():
            assert thumbprint(source, _proxies(source), **variables) not in (None, X5T)
    else:
        assert detail in detail_of(thumbprint, source, _proxies(source), **variables)


@pytest.mark.parametrize("text", [None, ""])
@pytest.mark.parametrize("source", VARIABLES)
def test_a_client_without_a_certificate_has_none(thumbprint, source, text):
    """nginx sends an empty header then, others none."""
    variables = {} if text is None else {VARIABLES[source]: text}
    assert thumbprint(source, _proxies(source), **variables) is None


HEADERS = {"rfc9440": SEQUENCE, "nginx": ESCAPED, "envoy": XFCC}
#: TRUSTED_PROXIES, the address that a request comes from, and whether it is one of them.
ADDRESSES = [
    (["10.0.0.7"], "10.0.0.7", True),
    (["10.0.0.7"], "10.0.0.8", False),
    (["10.0.0.0/24"], "10.0.0.255", True),
    (["10.0.0.0/24"], "10.0.1.0", False),
    (["192.0.2.1", "10.0.0.0/8"], "10.200.0.1", True),
    (["10.0.0.0/8"], "::ffff:10.0.0.7", True),
    (["10.0.0.0/8"], "::ffff:11.0.0.7", False),
    (["10.0.0.0/8"], "::1", False),
    (["::ffff:10.0.0.0/104"], "::ffff:10.200.0.1", True),
    (["::ffff:10.0.0.0/104"], "10.200.0.1", True),
    (["::ffff:10.0.0.0/104"], "::ffff:11.0.0.1", False),
    (["::ffff:10.0.0.7"], "::ffff:10.0.0.7", True),
    (["::ffff:10.0.0.7"], "10.0.0.8", False),
    (["::ffff:0:0/96"], "::ffff:192.0.2.1", True),
    (["::ffff:0:0/96"], "::1", False),
    (["::fffe:0:0/95"], "::ffff:192.0.2.1", False),
    (["::/0"], "10.0.0.7", False),
    ([ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")], "10.0.0.7", True),
    ([ip_address("10.0.0.7"), ip_address("::ffff:10.0.0.8")], "10.0.0.8", True),
    (["::1"], "::1", True),
    (["2001:db8::/32"], "2001:DB8::7", True),
    (["2001:db8::/32"], "2001:db9::7", False),
    (["2001:db8::/32"], "10.0.0.7", False),
    (["10.0.0.0/8"], "", False),
    (["10.0.0.0/8"], None, False),
    (["10.0.0.0/8"], "proxy", False),
    (["10.0.0.0/8"], "10.0.0.7, 10.0.0.8", False),
    (["10.0.0.0/8"], "10.0.0.7:5000", False),
    (["10.0.0.0/8"], "unix", False),
    (["unix"], "", True),
    (["unix"], None, True),
    (["unix"], "127.0.0.1", False),
    (["unix"], "unix", False),
    (["unix", "10.0.0.7"], "", True),
    (["unix", "10.0.0.7"], "10.0.0.7", True),
]


@pytest.mark.parametrize("source", HEADERS)
@pytest.mark.parametrize(("proxies", "address", "is_trusted"), ADDRESSES)
def test_a_header_is_believed_only_from_a_trusted_proxy(thumbprint, source, proxies, address, is_trusted):
    """Anybody can send one: all that counts is who the connection comes from, and not what a header says of that."""
    variables = {VARIABLES[source]: HEADERS[source], "REMOTE_ADDR": address, "HTTP_X_FORWARDED_FOR": PROXY}
    if is_trusted:
        assert thumbprint(source, proxies, **variables) == X5T
    else:
        assert "TRUSTED_PROXIES" in detail_of(thumbprint, source, proxies, **variables)


@pytest.mark.parametrize("source", ["rfc9440", "nginx", "envoy"])
def test_another_spelling_of_the_header_makes_it_doubtful(thumbprint, settings, source):
    """Under ASGI Django before 5.2.13 takes a header with underscores for the proxy's own, which it may have passed."""
    text = next(text for kind, text in GOOD.values() if kind == source)
    name = VARIABLES[source].removeprefix("HTTP_").lower().encode()
    for spelling, is_refused in (
        (name, True),
        (name.replace(b"_", b"-", 1), name.count(b"_") > 1),
        (b"other_header", False),
    ):
        request = RequestFactory().get("/", **{"REMOTE_ADDR": PROXY, VARIABLES[source]: text})
        request.scope = {"headers": [(name.replace(b"_", b"-"), text.encode()), (spelling, b"x")]}
        settings.OAUTH_JWT = {"CLIENT_CERTIFICATE": {"SOURCE": source, "TRUSTED_PROXIES": [PROXY]}}
        if is_refused:
            with pytest.raises(InvalidToken):
                certificate_thumbprint(request, get_settings().client_certificate)
        else:
            assert certificate_thumbprint(request, get_settings().client_certificate)


def test_a_variable_of_the_server_is_believed_as_no_header_can_set_it(thumbprint):
    """SSL_CLIENT_CERT is mod_wsgi's and uWSGI's own; the header of that name is another variable."""
    assert thumbprint("wsgi", SSL_CLIENT_CERT=PEM, REMOTE_ADDR="203.0.113.9") == X5T
    assert thumbprint("wsgi", HTTP_SSL_CLIENT_CERT=PEM) is None


@pytest.mark.parametrize("source", HEADERS)
def test_the_header_of_another_source_does_not_count(thumbprint, source):
    """A proxy that overwrites one header passes on the others."""
    others = {VARIABLES[other]: text for other, text in HEADERS.items() if other != source}
    assert thumbprint(source, [PROXY], SSL_CLIENT_CERT=PEM, **others) is None


def test_without_the_setting_no_certificate_is_looked_for():
    """And the log says which setting it is."""
    request = RequestFactory().get("/", HTTP_CLIENT_CERT=SEQUENCE, SSL_CLIENT_CERT=PEM)
    assert "CLIENT_CERTIFICATE" in detail_of(certificate_thumbprint, request, None)


def own_source(request):
    """Return what a test put into the request, as a project's own source of certificates."""
    return request.META["own"]


@pytest.mark.parametrize("source", [own_source, f"{__name__}.own_source"])
@pytest.mark.parametrize(
    ("certificate", "expected"),
    [
        *[(PEM, X5T), (CHAIN, X5T), (DER, X5T), (None, None), (OTHER_DER, OTHER_X5T), (OTHER_CHAIN, OTHER_X5T)],
        *[(PEM.encode(), X5T), (OTHER_CHAIN.encode(), OTHER_X5T)],
        *[(f"\r\n {PEM}".encode(), X5T), (PEM.encode("utf-8-sig"), X5T), (f"\n{PEM}".encode("utf-8-sig"), X5T)],
    ],
)
def test_a_source_of_the_projects_own_gives_pem_or_der(thumbprint, source, certificate, expected):
    """A callable that takes the request, or its dotted path. PEM may be bytes, as cryptography or a file has it."""
    assert thumbprint(source, own=certificate) == expected


@pytest.mark.parametrize("certificate", ["", "certificate", PEM[:-30], PEM[:-30].encode(), ESCAPED])
def test_what_a_source_of_the_projects_own_cannot_decode_is_refused(thumbprint, certificate):
    """It may have passed on what the client sent."""
    assert "cannot be read" in detail_of(thumbprint, own_source, own=certificate)


@pytest.mark.parametrize("certificate", [1, True, object(), ["x"], bytearray(b"x")])
def test_a_source_of_the_projects_own_that_gives_something_else_is_a_mistake(thumbprint, certificate):
    """Of the project's code, so it is told to its developers."""
    with pytest.raises(TypeError, match="must return PEM"):
        thumbprint(own_source, own=certificate)


def test_a_source_of_the_projects_own_may_refuse(thumbprint):
    """With words of its own."""

    def refuse(request):
        raise BearerError("revoked", "The certificate is revoked")

    with pytest.raises(BearerError, match="revoked"):
        thumbprint(refuse)


def test_an_element_of_envoy_is_read_key_by_key():
    """Quotes and backslashes are undone, keys do not depend on their letters, the names in the certificate are none."""
    assert last_element(XFCC) == {
        "by": "spiffe://api",
        "hash": XFCC.split("Hash=")[1][:64],
        "cert": ESCAPED,
        "subject": 'CN=a, O="b;c"',
    }
    assert last_element("a=b=c;a=d") == {"a": "b=c"}
    assert last_element('A="",b= x') == {"b": " x"}


@pytest.mark.parametrize(
    "text", ['a="' + "\\" * 60_000, 'a="' + '\\"' * 30_000, "a=" * 30_000, ";" * 60_000, "a" * 60_000, 'a=";"' * 12_000]
)
def test_a_long_header_takes_no_long_time(text):
    """Each character is looked at a few times at most."""
    begin = time.process_time()
    with suppress(ValueError):
        last_element(text)
    assert time.process_time() - begin < 1
