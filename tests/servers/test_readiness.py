"""The probe of readiness on real servers, while the authorization server hangs, fails and recovers."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .clients import ask_at_once, statuses, until
from .faulty_server import hang, respond_with
from .real_servers import WORKERS

pytestmark = pytest.mark.real_servers

many_servers = pytest.mark.parametrize("kind", ["gunicorn", "uvicorn"])
#: Seconds that a probe may take on a busy machine; on an idle one half a second, while the fetch hangs for a minute.
LONGEST = 10
#: Probes side by side: one after the other, the same worker answers most.
AT_ONCE = 2 * WORKERS


def probe_all(running, status):
    """Probe until all workers have answered so, and return the longest time that an answer took."""
    pids, longest = set(), 0.0

    def probe(_):
        started = time.monotonic()
        return running.get(path="/ready"), time.monotonic() - started

    def have_all_answered():
        nonlocal longest
        for answer, seconds in pool.map(probe, range(AT_ONCE)):
            longest = max(longest, seconds)
            if answer.status == status:
                pids.add(answer.pid)
        return len(pids) == WORKERS

    with ThreadPoolExecutor(AT_ONCE) as pool:
        until(have_all_answered)
    return longest


@many_servers
def test_probes_warm_every_worker_with_one_fetch(kind, start, auth_server):
    """Workers that share a cache: once all are ready no request fetches anything, nor waits for it."""
    with start(kind) as running:
        probe_all(running, 200)
        assert statuses(ask_at_once(running, [auth_server.issuer.token()] * 40)) == {200: 40}
    assert auth_server.fetches == 1


@many_servers
def test_while_the_authorization_server_hangs_probes_are_answered(kind, start, auth_server):
    """503, each in time, and no more than a fetch for each worker; 200 in every worker when it is back."""
    with start(kind) as running:
        with auth_server.behaving(hang):
            assert probe_all(running, 503) < LONGEST
            assert auth_server.fetches <= WORKERS
        probe_all(running, 200)
        assert statuses(ask_at_once(running, [auth_server.issuer.token()] * 40)) == {200: 40}


def test_a_failing_authorization_server_is_not_hammered(start, auth_server):
    """Two hundred probes of several workers make a fetch or two, as the back-off has it; 200 when it is back."""
    with start("gunicorn-sync", JWKS_COOLDOWN_SECONDS=4) as running:
        started = time.monotonic()
        with auth_server.behaving(respond_with("503 Service Unavailable")), ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: running.get(path="/ready"), range(200)))
            seconds = time.monotonic() - started
            assert statuses(answers) == {503: 200}
            assert {answer.headers["Retry-After"] for answer in answers} == {"1"}
            assert 1 <= auth_server.fetches <= 2 + seconds
        probe_all(running, 200)
