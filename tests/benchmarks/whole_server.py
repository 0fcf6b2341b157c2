"""Whole-server throughput: gunicorn with one worker of four threads, and a client of four open connections.

Here all counts, sockets and HTTP parsing too, so what a token costs is diluted as it is in production. The
clock is the wall's, hence these figures are the ones that suffer most from a busy machine.
"""

import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path

from .issuer import Issuer
from .request_costs import MIDDLEWARE, OPEN

CONNECTIONS = 4


def run(server, rounds, seconds, *, peers=False):
    """Return each project's requests per second, and their share of the open one's just before or after."""
    issuer = Issuer(server, name="server")
    requests = [_request(token) for token in issuer.tokens()]
    projects = _projects(issuer, peers=peers)
    with ExitStack() as stack:
        loads = {name: stack.enter_context(_loaded(project, requests)) for name, project in projects.items()}
        names = [name for name in projects if name != OPEN]
        rates = {name: [] for name in names}
        shuffle = random.Random(1).shuffle
        for _ in range(rounds):
            shuffle(names)
            for name in names:
                pair = [OPEN, name]
                shuffle(pair)
                rates[name].append({which: loads[which](seconds) for which in pair})
    return {name: _result(name, rates[name]) for name in projects if name in rates}


def _projects(issuer, *, peers):
    projects = {
        OPEN: {"middleware": [], "oauth_jwt": issuer.settings()},
        "middleware, remembered": {"middleware": MIDDLEWARE, "oauth_jwt": issuer.settings()},
        "middleware, verified anew": {"middleware": MIDDLEWARE, "oauth_jwt": issuer.settings(TOKEN_CACHE_SIZE=0)},
    }
    if peers:
        projects["hand-written PyJWT middleware"] = {
            "middleware": [f"{__package__}.peer_requests.handwritten_middleware"],
            "oauth_jwt": {},
            "handwritten": [issuer.jwks_uri, issuer.url],
        }
    return projects


def _result(name, pairs):
    return {
        "share": round(statistics.median(pair[name] / pair[OPEN] for pair in pairs), 3),
        "requests_per_second": round(statistics.median(pair[name] for pair in pairs)),
        "open_requests_per_second": round(statistics.median(pair[OPEN] for pair in pairs)),
    }


@contextmanager
def _loaded(project, requests):
    """Start gunicorn; give what loads it for some seconds and returns the requests per second."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        # Taken over by what it accepts: a small answer in two parts is not to wait for the client's acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bind = f"fd://{listening.fileno()}"
        with subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                f"{__package__}.app:application",
                "--config",
                f"python:{__package__}.gunicorn_conf",
                "--bind",
                bind,
            ],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "BENCHMARK_PROJECT": json.dumps(project)},
            pass_fds=[listening.fileno()],
        ) as gunicorn:
            try:
                with ExitStack() as stack:
                    connections = [
                        stack.enter_context(socket.create_connection(listening.getsockname(), timeout=10))
                        for _ in range(CONNECTIONS)
                    ]
                    yield lambda seconds: _load(connections, requests, seconds)
            finally:
                gunicorn.terminate()


def _load(connections, requests, seconds):
    """Send requests on each connection, each as soon as the one before is answered."""
    for connection in connections:
        for request in requests:
            _ask(connection, request)

    def client(connection):
        upcoming, answered = cycle(requests), 0
        while time.perf_counter() < end:
            _ask(connection, next(upcoming))
            answered += 1
        return answered

    begin = time.perf_counter()
    end = begin + seconds
    with ThreadPoolExecutor(len(connections)) as pool:
        answered = sum(pool.map(client, connections))
    return answered / (time.perf_counter() - begin)


def _ask(connection, request):
    connection.sendall(request)
    answer = b""
    while not answer.endswith(b"\r\n\r\nhello"):
        received = connection.recv(65536)
        answer += received
        if not received or not answer.startswith(b"HTTP/1.1 200 "[: len(answer)]):
            raise AssertionError(f"the server answered {answer[:200]!r}")


def _request(token):
    lines = ("GET /view HTTP/1.1", "Host: 127.0.0.1", "Accept: */*", f"Authorization: Bearer {token}", "", "")
    return "\r\n".join(lines).encode()
