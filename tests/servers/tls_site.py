"""A site with TLS: nginx, which asks clients for their certificates and tells gunicorn of them."""

import hashlib
import http.client
import socket
import ssl
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from .faulty_server import FOREVER, FaultyServer
from .nginx import running_nginx
from .real_servers import Fleet, fleet, free_port

HOST = "localhost"
#: Whatever the client sends under these names is replaced, by nothing where it has shown no certificate.
NGINX = """
js_import client_cert.js;
js_set $client_cert client_cert.byte_sequence;
server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {certificate};
    ssl_verify_client optional_no_ca;
    location / {{
        proxy_pass {upstream};
        proxy_set_header Host $host;
        proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
        proxy_set_header Client-Cert $client_cert;
    }}
}}
"""
#: RFC 9440 wants the DER form, as a byte sequence; nginx has PEM.
JS = """
export default { byte_sequence };
function byte_sequence(r) {
    const pem = r.variables.ssl_client_raw_cert;
    return pem ? ':' + pem.replace(/-----[^-]+-----|\\s/g, '') + ':' : '';
}
"""


def der_of(certificate: Path) -> bytes:
    """Return the certificate in a file that has a key as well."""
    _, begin, rest = certificate.read_text().partition("-----BEGIN CERTIFICATE-----")
    return ssl.PEM_cert_to_DER_cert(begin + rest)


def thumbprint_of(certificate: Path) -> str:
    """Return the ``x5t#S256`` of the certificate in a file (RFC 8705 section 3.1)."""
    return urlsafe_b64encode(hashlib.sha256(der_of(certificate)).digest()).rstrip(b"=").decode()


class Site:
    """The site, seen from its clients, and its authorization server. ``proxy`` is where nginx comes from."""

    def __init__(self, folder: Path, certificate: Path, source: str, proxy: str) -> None:
        self.source = source
        self.proxy = proxy
        self.issuer = FaultyServer()
        self._folder = folder
        self._certificate = certificate
        self._port = free_port()
        self._unix_socket = folder / "gunicorn.sock"

    @contextmanager
    def running(self) -> Iterator["Site"]:
        trust = {"ISSUER": self.issuer.origin, "JWKS_URI": self.issuer.uri}
        trust["CLIENT_CERTIFICATE"] = {"SOURCE": self.source, "TRUSTED_PROXIES": [self.proxy]}
        with ExitStack() as stack:
            self.issuer.start()
            stack.callback(self.issuer.stop)
            self._gunicorn: Fleet = stack.enter_context(
                fleet("gunicorn", self._folder, f"--bind=unix:{self._unix_socket}", workers=1, **trust)
            )
            over_tcp = f"http://127.0.0.1:{self._gunicorn.port}; proxy_bind {self.proxy}"
            upstream = f"http://unix:{self._unix_socket}" if self.proxy == "unix" else over_tcp
            configuration = NGINX.format(port=self._port, certificate=self._certificate, upstream=upstream)
            stack.enter_context(running_nginx(self._folder, configuration, client_cert=JS))
            self._wait_until_up()
            yield self

    def bound_token(self, certificate: Path) -> str:
        return self.issuer.issuer.token(cnf={"x5t#S256": thumbprint_of(certificate)})

    def header_about(self, certificate: Path) -> dict[str, str]:
        """Return the header that tells of a certificate, which is no secret."""
        der = der_of(certificate)
        if self.source == "rfc9440":
            return {"Client-Cert": f":{b64encode(der).decode()}:"}
        return {"X-SSL-Client-Cert": quote(ssl.DER_cert_to_PEM_cert(der), safe="")}

    def get(self, token: str, certificate: Path | None = None, headers: dict[str, str] | None = None) -> tuple:
        """Ask over TLS, as a client that has this certificate and its key."""
        context = ssl.create_default_context(cafile=self._certificate)
        if certificate is not None:
            context.load_cert_chain(certificate)
        return _ask(http.client.HTTPSConnection(HOST, self._port, timeout=FOREVER, context=context), token, headers)

    def get_from(self, address: str, token: str, headers: dict[str, str]) -> tuple:
        """Ask gunicorn itself, from an address of loopback or through its socket ("unix")."""
        source = None if address == "unix" else (address, 0)
        connection = http.client.HTTPConnection("127.0.0.1", self._gunicorn.port, FOREVER, source)
        if address == "unix":
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(str(self._unix_socket))
        return _ask(connection, token, headers)

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + FOREVER
        while True:
            try:
                self.get("")
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, "nginx does not answer"
                time.sleep(0.02)
            else:
                return


def _ask(connection: http.client.HTTPConnection, token: str, headers: dict[str, str] | None) -> tuple[int, str | None]:
    """Return status and challenge of the answer."""
    with closing(connection):
        connection.request("GET", "/secured", headers={"Authorization": f"Bearer {token}", **(headers or {})})
        response = connection.getresponse()
        response.read()
        return response.status, response.headers["WWW-Authenticate"]
