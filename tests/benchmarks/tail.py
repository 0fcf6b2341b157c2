"""The slowest of a hundred: how long requests with a known key take while others ask for keys that nobody has.

Four gunicorn workers of four threads share a Valkey server. Valid requests go on all the time, and beside
them a second load: tokens that have expired, whose key is known; then tokens of made-up keys; then these
again, while the authorization server hangs and the keys are no longer fresh. The first is the measure,
since any load slows the rest on a machine whose processors are busy. Wall time, hence for a quiet machine.
"""

import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from ..servers.faulty_server import FaultyServer, answer_as_it_should, hang, made_up
from ..servers.real_servers import Valkey, fleet

CALM, FLOOD, OUTAGE = "expired tokens beside", "made-up keys beside", "made-up keys, the server hangs"
CLIENTS = 2


def run(rounds, seconds):
    """Return the 50th and 99th percentile in milliseconds by load, the rounds of all loads interleaved."""
    with ExitStack() as stack:
        server, valkey = FaultyServer(), Valkey()
        for part in (server, valkey):
            part.start()
        stack.callback(server.stop)
        stack.callback(valkey.kill)
        settings = {"ISSUER": server.origin, "JWKS_URI": server.uri, "JWKS_FRESH_SECONDS": 1}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = stack.enter_context(fleet("gunicorn", folder, cache_uri=valkey.uri, **settings))
        token, expired = server.issuer.token(), server.issuer.token(expired=True)
        loads = {
            CALM: (answer_as_it_should, lambda: expired),
            FLOOD: (answer_as_it_should, made_up(token)),
            OUTAGE: (hang, made_up(token)),
        }
        taken = {load: [] for load in loads}
        for _ in range(rounds):
            for load, (server.fault, other) in loads.items():
                taken[load] += _beside(running, token, other, seconds)
    return {load: _percentiles(times) for load, times in taken.items()}


def _beside(running, token, other, seconds):
    """Return the seconds that each valid request took while others were sent."""
    over = threading.Event()

    def send_others():
        while not over.is_set():
            if running.get(other()).status != 403:
                raise AssertionError("a bad token was not refused")

    def send_valid():
        times = []
        while not over.is_set():
            begin = time.perf_counter()
            if running.get(token).status != 200:
                raise AssertionError("a good token was refused")
            times.append(time.perf_counter() - begin)
        return times

    with ThreadPoolExecutor(2 * CLIENTS) as pool:
        others = [pool.submit(send_others) for _ in range(CLIENTS)]
        valid = [pool.submit(send_valid) for _ in range(CLIENTS)]
        over.wait(seconds)
        over.set()
        for sending in others:
            sending.result()
        return [seconds for sending in valid for seconds in sending.result()]


def _percentiles(times):
    hundredths = statistics.quantiles(times, n=100)
    return {"p50": round(hundredths[49] * 1e3, 2), "p99": round(hundredths[98] * 1e3, 2), "requests": len(times)}
