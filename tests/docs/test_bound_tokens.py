"""The page on bound tokens: what is good by default, its settings, its test, and nginx with certificates."""

import time

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from django.http import JsonResponse
from django.urls import path

from django_oauth_jwt.decorators import secure
from django_oauth_jwt.jws import encode_segment
from django_oauth_jwt.testing import ProofKey
from testproject.demo.servers import ApiServer, direct_session

from ..proofs.certificates import ESCAPED, OTHER_ESCAPED, PEM
from ..proofs.rfc_vectors import X5T
from ..servers.faulty_server import FOREVER
from ..servers.nginx import IS_INSTALLED, NOT_INSTALLED, certificate_of, running_nginx
from ..servers.real_servers import free_port
from .gateway import SNIPPETS, UPSTREAMS
from .manual_text import table

URL = "http://testserver/whoami/"
LOCAL = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}


@pytest.fixture
def proof_key(signing_key):
    """The key of a client."""
    return ProofKey(signing_key("ES256", "client"))


@pytest.fixture
def whoami(project):
    """The manual's first view, behind the middleware."""
    project.configure("settings", "middleware")
    project.route(whoami=project.module("books.views", "views").whoami)


@pytest.mark.usefixtures("whoami")
def test_what_is_good_without_any_setting(as_issuer, client, proof_key):
    """Each row of the table, with the scheme, the proof and the certificate that it names, and without one of them."""
    jkt, x5t = {"jkt": proof_key.thumbprint}, {"x5t#S256": X5T}
    rows = {"`jkt`": jkt, "`x5t#S256`": x5t, "both": {**jkt, **x5t}, "neither": {"jwk": {}}, "no `cnf` at all": None}
    good = {
        **{("`jkt`", "dpop", certificate): True for certificate in (True, False)},
        ("`x5t#S256`", "bearer", True): True,
        ("both", "dpop", True): True,
        **{("no `cnf` at all", "bearer", certificate): True for certificate in (True, False)},
    }
    assert [row[0] for row in table("docs/guides/bound-tokens.md")] == list(rows)
    with as_issuer.installed(CLIENT_CERTIFICATE={"SOURCE": "wsgi"}):
        for name, cnf in rows.items():
            token = as_issuer.token("books.read", aud="https://books.example.com", cnf=cnf)
            for scheme in ("dpop", "bearer"):
                headers = proof_key.headers(token, "GET", URL)
                if scheme == "bearer":
                    headers = {"Authorization": f"Bearer {token}"}
                for certificate in (False, True):
                    sent = proof_key.headers(token, "GET", URL) if scheme == "dpop" else headers
                    extra = {"SSL_CLIENT_CERT": PEM} if certificate else {}
                    status = client.get(URL, headers=sent, **extra).status_code
                    assert status == (200 if good.get((name, scheme, certificate)) else 401), (
                        name,
                        scheme,
                        certificate,
                    )


def test_the_settings_require_a_proof_and_say_so(project, as_issuer, client, proof_key):
    """Unbound tokens are refused, the challenge offers DPoP, and the used proofs are in the cache that is named."""
    project.defined("CACHES")["jwks"] = LOCAL
    project.configure("settings", "middleware", "dpop")
    project.route(whoami=project.module("books.views", "views").whoami)
    with as_issuer.installed():
        assert client.get(URL).headers["WWW-Authenticate"].startswith('DPoP algs="RS256 ')
        unbound = as_issuer.headers("books.read", aud="https://books.example.com")
        assert client.get(URL, headers=unbound).status_code == 401
        token = as_issuer.token("books.read", aud="https://books.example.com", bound_to=proof_key)
        headers = proof_key.headers(token, "GET", URL)
        assert [client.get(URL, headers=headers).status_code for _ in range(2)] == [200, 401]


def test_the_pytest_function_passes(project, client, request):
    """With the plugin's fixture, and the manual's first view."""
    project.configure("settings", "middleware")
    project.route(whoami=project.module("books.views", "views").whoami)
    tests = project.module("books.test_stolen", "bound-tokens")
    tests.test_a_stolen_token_is_of_no_use(client, request.getfixturevalue("token_issuer"))


@pytest.mark.parametrize(
    ("address", "certificate", "status"),
    [
        ("10.1.2.3", ESCAPED, 200),
        ("10.1.2.3", PEM.replace("\n", " "), 200),  # Apache's mod_headers makes one line of it
        ("10.1.2.3", OTHER_ESCAPED, 401),
        ("10.1.2.3", "(null)", 401),  # Apache's word for no certificate
        ("10.1.2.3", None, 401),
        ("192.0.2.1", ESCAPED, 401),
    ],
)
def test_a_certificate_is_believed_from_the_proxy(project, as_issuer, client, address, certificate, status):
    """From its address alone, in the forms that nginx and Apache have."""
    project.configure("settings", "middleware", "client-certificate")
    project.route(whoami=project.module("books.views", "views").whoami)
    sent = {} if certificate is None else {"X-SSL-Client-Cert": certificate}
    with as_issuer.installed():
        token = as_issuer.headers("books.read", aud="https://books.example.com", cnf={"x5t#S256": X5T})
        assert client.get(URL, headers={**token, **sent}, REMOTE_ADDR=address).status_code == status


urlpatterns = [
    path("whoami/", secure()(lambda request: JsonResponse({"cnf": dict(request.access_token.confirmation)})))
]


@pytest.fixture
def through_nginx(tmp_path, rsa_issuer, settings):
    """The manual's nginx with TLS before Django: return its origin, and how requests trust it."""
    if not IS_INSTALLED:
        pytest.skip(NOT_INSTALLED)
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    server, port = certificate_of("localhost", tmp_path), free_port()
    listening = f"listen 127.0.0.1:{port} ssl;\n    ssl_certificate {server};\n    ssl_certificate_key {server};"
    snippet = SNIPPETS["client-certificate"].replace("listen 443 ssl;", listening)
    assert listening in snippet
    certificate = {"SOURCE": "nginx", "TRUSTED_PROXIES": ["127.0.0.1"]}
    with rsa_issuer.installed(CLIENT_CERTIFICATE=certificate), ApiServer() as api:
        ports = {"django_port": api.server_port, "introspection_port": api.server_port}
        with running_nginx(tmp_path, UPSTREAMS.format(**ports) + snippet):
            yield f"https://localhost:{port}/whoami/", server


def get(address, trusted, headers, certificate=None):
    """Send a request, as soon as nginx is up, and return the status."""
    deadline = time.monotonic() + FOREVER
    with direct_session() as session:
        session.verify, session.cert = str(trusted), None if certificate is None else str(certificate)
        while True:
            try:
                return session.get(address, headers=headers, timeout=FOREVER).status_code
            except requests.ConnectionError:
                assert time.monotonic() < deadline, "nginx does not answer"
                time.sleep(0.05)


@pytest.mark.real_servers
@pytest.mark.gateway
@pytest.mark.urls(__name__)
def test_nginx_passes_the_certificate_on(through_nginx, tmp_path, rsa_issuer, proof_key):
    """A client with its own certificate is let in; one with another's, or with a header of its own making, is not."""
    own, others = certificate_of("client", tmp_path), certificate_of("thief", tmp_path)
    parsed = x509.load_pem_x509_certificate(own.read_bytes()[own.read_bytes().index(b"-----BEGIN CERT") :])
    headers = rsa_issuer.headers(cnf={"x5t#S256": encode_segment(parsed.fingerprint(hashes.SHA256()))})
    stolen = rsa_issuer.headers(cnf={"x5t#S256": X5T}) | {"X-SSL-Client-Cert": PEM.replace("\n", " ")}
    assert get(*through_nginx, headers, own) == 200
    assert [get(*through_nginx, headers, other) for other in (others, None)] == [401, 401]
    assert [get(*through_nginx, stolen, certificate) for certificate in (None, own)] == [401, 401]
    bound = rsa_issuer.token(bound_to=proof_key)
    # nginx's $host has no port; where it is the usual one that is no difference.
    for scheme, status in (("https", 200), ("http", 401)):
        proven = proof_key.headers(bound, "GET", f"{scheme}://localhost/whoami/")
        assert get(*through_nginx, proven) == status
