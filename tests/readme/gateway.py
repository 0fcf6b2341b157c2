"""What stands around README's gateway in its test: an authorization server with TLS, and nginx itself."""

import datetime as dt
import shutil
import ssl
import subprocess
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from testproject.loopback import LoggingHandler, LoopbackServer

from ..servers.real_servers import free_port
from .readme_text import marked_blocks

SNIPPETS = marked_blocks("gateway")
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
NJS = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
IS_INSTALLED = bool(NGINX) and NJS.exists()

HOST_NAME = "idsvr.example.com"
#: What a project has around the snippet: the module, files of its own, and where the two servers are.
CONFIGURATION = """
load_module {njs};
daemon off;
master_process off;
error_log stderr;
pid nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    upstream django {{ server 127.0.0.1:{django_port}; }}
    upstream idsvr.example.com {{ server 127.0.0.1:{introspection_port}; }}
    {snippet}
}}
"""


class _IntrospectionHandler(LoggingHandler):
    def do_POST(self):  # noqa: N802  # the base class calls it so
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append((self.path, dict(self.headers), form))
        answer = self.server.answers.get(form["token"][0], HTTPStatus.NO_CONTENT)
        body = answer.encode() if isinstance(answer, str) else b""
        self.send_response(HTTPStatus.OK if body else answer)
        if answer != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class IntrospectionServer(LoopbackServer):
    """Answers with a JWT or a status by opaque token, and with 204 about all others; keeps what it was asked."""

    handler = _IntrospectionHandler

    def __init__(self, certificate):
        super().__init__()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.answers, self.asked = {}, []


def certificate_of(host, folder):
    """Return a file with a key and a certificate for it, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    alternative = x509.SubjectAlternativeName([x509.DNSName(host)])
    certificate = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file = folder / f"{host}.pem"
    file.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def running_nginx(folder, authorities, **ports):
    """Run nginx with README's two files; the port is all that is put into them, and the path of the authorities."""
    port = free_port()
    snippet = SNIPPETS["nginx"].replace("server {", f"server {{ listen 127.0.0.1:{port};", 1)
    snippet = snippet.replace("/etc/ssl/certs/ca-certificates.crt", str(authorities))
    (folder / "phantom.js").write_text(SNIPPETS["js"])
    with nginx_with(folder, CONFIGURATION.format(njs=NJS, snippet=snippet, **ports)):
        yield port


@contextmanager
def nginx_with(folder, configuration):
    """Run nginx with a configuration, in a folder."""
    (folder / "nginx.conf").write_text(configuration)
    log = folder / "nginx.log"
    with log.open("wb") as output:
        command = [NGINX, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.kill()
        process.wait()
        print(f"--- {log}\n{log.read_text()}")  # noqa: T201  # pytest shows it where the test failed
