"""What stands around the manual's gateway in its test: an authorization server with TLS, and nginx itself."""

import ssl
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import parse_qs

from testproject.loopback import LoggingHandler, LoopbackServer

from ..servers.nginx import running_nginx
from ..servers.real_servers import free_port
from .manual_text import marked_blocks

SNIPPETS = marked_blocks("gateway")
HOST_NAME = "idsvr.example.com"
UPSTREAMS = """
upstream django {{ server 127.0.0.1:{django_port}; }}
upstream idsvr.example.com {{ server 127.0.0.1:{introspection_port}; }}
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


@contextmanager
def running_gateway(folder, authorities, **ports):
    """Run nginx with the manual's two files; the port is all that is put into them, and the path of the authorities."""
    port = free_port()
    snippet = SNIPPETS["nginx"].replace("server {", f"server {{ listen 127.0.0.1:{port};", 1)
    snippet = snippet.replace("/etc/ssl/certs/ca-certificates.crt", str(authorities))
    with running_nginx(folder, UPSTREAMS.format(**ports) + snippet, phantom=SNIPPETS["js"]):
        yield port
