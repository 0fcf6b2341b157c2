"""HTTP servers on this machine's loopback address, each in a thread of its own."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

logger = logging.getLogger("testproject")

HOST = "127.0.0.1"
Server = TypeVar("Server", bound="LoopbackServer")


class LoopbackServer(ThreadingHTTPServer):
    """Serves while its context lasts; port 0 is any free one. A subclass says with what handler."""

    handler: type[BaseHTTPRequestHandler]

    def __init__(self, port: int = 0) -> None:
        super().__init__((HOST, port), self.handler)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def origin(self) -> str:
        """The URL of the server's root, without a slash at the end."""
        return f"http://{HOST}:{self.server_port}"

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop, and free the port."""
        self.shutdown()
        self._thread.join()
        self.server_close()


class LoggingHandler(BaseHTTPRequestHandler):
    """Writes its requests to the log instead of to stderr, so that they can be turned off."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
        """Log a request."""
        logger.info(format, *args)


def bound(make: Callable[[int], Server], port: int, note: Callable[[str], object]) -> Server:
    """Return a server on this port, or on a free one, and a note, where this one is not to be had."""
    try:
        return make(port)
    except OSError as error:
        server = make(0)
        note(f"Port {port} is not to be had ({error.strerror}), so {server.server_port} is taken instead.")
        return server


def interrupt_when_stopped() -> None:
    """Let SIGTERM raise KeyboardInterrupt as Ctrl-C does."""
    # SIGINT as well: shells start a script's background jobs with it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def wait_until_interrupted() -> NoReturn:
    """Wait until KeyboardInterrupt is raised."""
    while True:
        time.sleep(3600)
