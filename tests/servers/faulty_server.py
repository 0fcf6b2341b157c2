"""An authorization server on loopback that misbehaves on demand, over real HTTP.

It signs tokens and serves its JWKS, and makes opaque tokens and is asked about them.
"""

import json
import socket
import socketserver
import struct
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from django_oauth_jwt.testing import TokenIssuer

#: Far more seconds than any test takes: what waits so long waits for an event that never came.
FOREVER = 60


@dataclass
class Exchange:
    """One request, as a fault sees it."""

    server: "FaultyServer"
    connection: socket.socket
    path: str
    headers: dict[str, str]
    released: threading.Event  # set when the server is to misbehave no longer
    status: str = ""
    form: dict[str, str] = field(default_factory=dict)  # what was posted

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def respond(self, status: str = "200 OK", body: bytes = b"", **headers: Any) -> None:
        self.status = status
        lines = {"Content-Type": "application/json", "Content-Length": len(body), "Connection": "close"}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.send(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)

    def drip(self, data: bytes) -> None:
        """Send this over and over, one byte at a time, each well before a socket's time limit."""
        while not self.released.is_set():
            for byte in data:
                self.send(bytes([byte]))
                self.released.wait(0.02)

    def reset(self) -> None:
        """Close the connection with a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answer_as_it_should(exchange: Exchange) -> None:
    """Serve the metadata or the JWKS; 304 where the client has it already. Say what is known of a token."""
    server = exchange.server
    if exchange.path == server.introspection_path:
        exchange.respond(body=json.dumps(server.issuer.introspect(exchange.form["token"])).encode())
        return
    if exchange.path != server.jwks_path:
        document = server.metadata.get(exchange.path)
        if document is None:
            exchange.respond("404 Not Found", b"{}")
        else:
            exchange.respond(body=json.dumps(document).encode())
        return
    body = json.dumps(server.jwks()).encode()
    headers = dict(server.headers)
    if server.has_etags:
        headers["ETag"] = f'"{hash(body)}"'
        if exchange.headers.get("if-none-match") == headers["ETag"]:
            exchange.respond("304 Not Modified", **headers)
            return
    exchange.respond(body=body, **headers)


def hang(exchange: Exchange) -> None:
    exchange.released.wait(FOREVER)


def hang_in_body(exchange: Exchange) -> None:
    exchange.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"keys": [')
    exchange.released.wait(FOREVER)


def drip_header(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    exchange.drip(b"a")


def drip_body(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n")
    exchange.drip(b" ")


def drip_chunks(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    exchange.drip(b"1\r\n \r\n")


def drip_chunk_size(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
    exchange.drip(b"0")


def drip_trailer(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n")
    exchange.drip(b"X: 1\r\n")


def continue_for_ever(exchange: Exchange) -> None:
    """Send interim answers without an end (RFC 9110 section 15.2)."""
    exchange.drip(b"HTTP/1.1 100 Continue\r\n\r\n")


def cut_in_body(exchange: Exchange) -> None:
    exchange.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"keys": []}')


def respond_with(status: str = "200 OK", body: bytes = b"", **headers: Any) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.respond(status, body, **headers)


def redirect(exchange: Exchange) -> None:
    """Lead to a JWKS that would be good, if redirects were followed."""
    exchange.respond("302 Found", Location=exchange.server.uri)


_HTML = b"<html><body>Down for maintenance</body></html>"
_UNUSABLE = [
    {"kty": "oct", "k": "c2VjcmV0", "kid": "key-1"},
    {"kty": "XYZ", "kid": "key-2"},
    {"kty": "RSA", "n": "!", "e": "AQAB", "kid": "key-3"},
]

#: Faults and the reason that the log gives for each.
FAULTS: dict[str, tuple[Callable[[Exchange], None], str]] = {
    "hangs before the header": (hang, "no whole answer within"),
    "hangs in the body": (hang_in_body, "no whole answer within"),
    "drips its header": (drip_header, "no whole answer within"),
    "drips its body": (drip_body, "no whole answer within"),
    "drips chunks": (drip_chunks, "no whole answer within"),
    "cuts the body": (cut_in_body, "request failed"),
    "closes at once": (lambda exchange: None, "request failed"),
    "resets": (Exchange.reset, "request failed"),
    "talks no HTTP": (lambda exchange: exchange.send(b"SSH-2.0-OpenSSH_9.2\r\n"), "request failed"),
    "answers 500": (respond_with("500 Internal Server Error", _HTML), "status 500"),
    "answers 404": (respond_with("404 Not Found", _HTML), "status 404"),
    "answers 429": (respond_with("429 Too Many Requests", Retry_After=1), "status 429"),
    "answers 304 to nobody's question": (respond_with("304 Not Modified"), "status 304"),
    "redirects": (redirect, "status 302"),
    "answers HTML": (respond_with(body=_HTML, Content_Type="text/html"), "not a JSON object"),
    "answers nothing": (respond_with(), "not a JSON object"),
    "answers a huge body": (respond_with(body=b'{"keys": [' + b" " * 600_000 + b"]}"), "longer than 524288 bytes"),
    "answers a JSON array": (respond_with(body=b"[]"), "not a JSON object"),
    "answers half a JSON object": (respond_with(body=b'{"keys": ['), "not a JSON object"),
    "answers UTF-16": (respond_with(body='{"keys": []}'.encode("utf-16")), "not a JSON object"),
    "answers a nested bomb": (respond_with(body=b'{"keys": ' + b"[" * 100_000), "not a JSON object"),
    "answers an object without keys": (respond_with(body=b'{"error": "oops"}'), "list 'keys'"),
    "answers keys that are no list": (respond_with(body=b'{"keys": {}}'), "list 'keys'"),
    "answers no keys": (respond_with(body=b'{"keys": []}'), "no usable key"),
    "answers only unusable keys": (respond_with(body=json.dumps({"keys": _UNUSABLE}).encode()), "no usable key"),
    "claims gzip": (respond_with(body=b'{"keys": []}', Content_Encoding="gzip"), "cannot be decompressed"),
}


#: The same for an introspection endpoint, which may also refuse our credentials.
INTROSPECTION_FAULTS: dict[str, tuple[Callable[[Exchange], None], str]] = {
    **{name: (fault, reason) for name, (fault, reason) in FAULTS.items() if not name.endswith(("keys", "list"))},
    "refuses our credentials": (
        respond_with("401 Unauthorized", b'{"error": "invalid_client"}'),
        "status 401: the cred",
    ),
    "refuses those in the form": (
        respond_with("400 Bad Request", b'{"error": "invalid_client"}'),
        "status 400: the cred",
    ),
}


def about_tokens(fault: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    """Return what misbehaves where it is asked about a token, and serves keys as it should."""

    def fault_there(exchange: Exchange) -> None:
        is_there = exchange.path == exchange.server.introspection_path
        (fault if is_there else answer_as_it_should)(exchange)

    return fault_there


def made_up(token: str) -> Callable[[], str]:
    """Return what makes tokens of keys that nobody has, each of another one."""
    _, payload, signature = token.split(".")
    numbers = count()

    def make() -> str:
        header = json.dumps({"typ": "at+jwt", "alg": "ES256", "kid": f"made-up-{next(numbers)}"}).encode()
        return f"{urlsafe_b64encode(header).decode().rstrip('=')}.{payload}.{signature}"

    return make


class _Handler(socketserver.BaseRequestHandler):
    server: "FaultyServer"

    def handle(self) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            more = self.request.recv(65536)
            if not more:
                return
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        request_line, *header_lines = head.decode("latin-1").split("\r\n")
        pairs = [line.split(":", 1) for line in header_lines]
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        while len(body) < int(headers.get("content-length", 0)):
            body += self.request.recv(65536)
        exchange = Exchange(self.server, self.request, request_line.split(" ")[1], headers, self.server.released)
        exchange.form = dict(parse_qsl(body.decode(), strict_parsing=bool(body)))
        self.server.receive(exchange)


@dataclass
class _Count:
    """What has been asked of the server."""

    requests: list[Exchange] = field(default_factory=list)
    pending: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)


class FaultyServer(socketserver.ThreadingTCPServer):
    """Serves the JWKS of its `issuer` (a `TokenIssuer`) and says what that knows of a token; counts who asks.

    ``fault`` is what it does with each request; what waits in a fault goes on when it is set anew.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, alg: str = "ES256") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.jwks_path = "/jwks"
        self.uri = self.origin + self.jwks_path
        self.introspection_path = "/introspect"
        self.introspection_uri = self.origin + self.introspection_path
        self.issuer = TokenIssuer(self.origin, alg=alg)
        self.metadata: dict[str, Any] = {}
        self.headers: dict[str, Any] = {}
        self.has_etags = False
        self.more_keys: list[Any] = []
        self.released = threading.Event()
        self._fault: Callable[[Exchange], None] = answer_as_it_should
        self._count = _Count()
        self._thread: threading.Thread | None = None

    def jwks(self) -> dict[str, Any]:
        return {"keys": [*self.issuer.jwks()["keys"], *self.more_keys]}

    @property
    def fault(self) -> Callable[[Exchange], None]:
        return self._fault

    @fault.setter
    def fault(self, fault: Callable[[Exchange], None]) -> None:
        self._fault = fault
        self.released.set()  # whoever waited for the old event goes on
        self.released = threading.Event()

    @contextmanager
    def behaving(self, fault: Callable[[Exchange], None]) -> Iterator[None]:
        before, self.fault = self._fault, fault
        try:
            yield
        finally:
            self.fault = before

    @contextmanager
    def held(self) -> Iterator[None]:
        """Answer no request until the end of the context, then all, as they should be answered."""

        def wait(exchange: Exchange) -> None:
            release.wait(FOREVER)
            answer_as_it_should(exchange)

        release = threading.Event()
        with self.behaving(wait):
            try:
                yield
            finally:
                release.set()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections until the end of the context."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @property
    def requests(self) -> list[Exchange]:
        return list(self._count.requests)

    @property
    def fetches(self) -> int:
        """How often the JWKS was asked for."""
        return sum(exchange.path == self.jwks_path for exchange in self._count.requests)

    @property
    def questions(self) -> list[Exchange]:
        """What was asked about tokens."""
        return [exchange for exchange in self._count.requests if exchange.path == self.introspection_path]

    def introspection(self, **more: Any) -> dict[str, Any]:
        """Return the setting INTROSPECTION of an API that asks this server."""
        return {"ENDPOINT": self.introspection_uri, "CLIENT_ID": "books", "CLIENT_SECRET": "secret", **more}

    @property
    def pending(self) -> int:
        """How many requests wait for their answer's end."""
        return self._count.pending

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition on this server's counts holds."""
        with self._count.changed:
            assert self._count.changed.wait_for(condition, FOREVER), "nobody asked"

    def receive(self, exchange: Exchange) -> None:
        fault = self._fault
        with self._count.changed:
            self._count.requests.append(exchange)
            self._count.pending += 1
            self._count.changed.notify_all()
        try:
            fault(exchange)
        finally:
            with self._count.changed:
                self._count.pending -= 1
                self._count.changed.notify_all()

    def start(self) -> None:
        """Serve, at the same port as before."""
        if self.socket.fileno() == -1:
            self.socket = socket.socket(self.address_family, self.socket_type)
            self.server_bind()
            self.server_activate()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.005,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port: from now on connections are refused."""
        self.fault = self._fault  # lets go whoever waits
        self.shutdown()
        self.server_close()
        if self._thread is not None:
            self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away in the middle are what most faults are about."""
