"""Tokens that are bound to the client's certificate, over real TLS: nginx, and gunicorn behind it (RFC 8705)."""

from types import SimpleNamespace

import pytest

from .nginx import IS_INSTALLED, NOT_INSTALLED, certificate_of
from .tls_site import HOST, Site

pytestmark = [pytest.mark.real_servers, pytest.mark.gateway]

OPENED = (200, None)
UNPROVEN = 'error="invalid_token", error_description="Token is not proven to be the sender\'s own"'


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Files with key and certificate: of nginx, of the client, and of another client."""
    folder = tmp_path_factory.mktemp("certificates")
    names = {"server": HOST, "client": "client.example.com", "other": "other.example.com"}
    return SimpleNamespace(**{name: certificate_of(host, folder) for name, host in names.items()})


@pytest.fixture(scope="module", params=[("nginx", "127.0.0.2"), ("nginx", "unix"), ("rfc9440", "127.0.0.2")])
def site(request, certificates, tmp_path_factory):
    """The site, by the header that nginx sets, and by what is trusted: its address, or the socket."""
    if not IS_INSTALLED:
        pytest.skip(NOT_INSTALLED)
    with Site(tmp_path_factory.mktemp("site"), certificates.server, *request.param).running() as site:
        yield site


@pytest.fixture(scope="module")
def token(site, certificates):
    """A token that is bound to the client's certificate."""
    return site.bound_token(certificates.client)


def is_unproven(answer):
    status, challenge = answer
    return status == 401 and UNPROVEN in challenge


def test_a_bound_token_opens_with_its_certificate_alone(site, certificates, token):
    """The key of that certificate ended TLS: with another's key, or none, the same token is refused; remembered too."""
    for _ in range(2):
        assert site.get(token, certificates.client) == OPENED
        assert is_unproven(site.get(token, certificates.other))
        assert is_unproven(site.get(token))
    assert site.get(site.bound_token(certificates.other), certificates.other) == OPENED


def test_a_token_of_nobody_in_particular_needs_no_certificate(site, certificates):
    """It is as good with one as without."""
    token = site.issuer.issuer.token()
    assert [site.get(token), site.get(token, certificates.client)] == [OPENED, OPENED]


def test_a_thief_cannot_tell_of_the_certificate_in_a_header(site, certificates, token):
    """Whoever has the token may have the certificate, which is no secret: nginx puts its own word in that place."""
    stolen = site.header_about(certificates.client)
    assert is_unproven(site.get(token, None, stolen))
    assert is_unproven(site.get(token, certificates.other, stolen))


def test_the_header_is_believed_from_the_proxy_alone(site, certificates, token):
    """Who reaches gunicorn past nginx is refused with the header that would do from the proxy."""
    header = site.header_about(certificates.client)
    assert site.get_from(site.proxy, token, header) == OPENED
    for address in {"127.0.0.1", "127.0.0.2", "127.0.0.3", "unix"} - {site.proxy}:
        assert is_unproven(site.get_from(address, token, header)), address
