"""Bound tokens on real servers: one memory of used proofs for all workers, in Valkey (RFC 9449 section 11.1)."""

from functools import partial
from itertools import chain

import pytest

from django_oauth_jwt.testing import ProofKey

from .clients import Load, statuses, until, until_all_workers
from .real_servers import WORKERS

pytestmark = pytest.mark.real_servers

#: Connections that have the same proof: more than all workers together have threads.
CONNECTIONS = 24
ROUNDS = 10
REPLAYED = 'error="invalid_dpop_proof", error_description="DPoP proof was used before"'


@pytest.fixture
def bound(auth_server):
    """Return what makes the headers of a request to a server, with a bound token and a new proof."""
    proof_key = ProofKey.generate()
    token = auth_server.issuer.token(bound_to=proof_key)
    return lambda running: proof_key.headers(token, "GET", running.url)


def answers_of(load):
    return list(chain(*load.answers.values()))


@pytest.mark.parametrize("kind", ["gunicorn", "gunicorn-sync", "uvicorn"])
def test_a_proof_that_all_workers_get_at_once_opens_once(kind, start, auth_server, bound):
    """Of all requests with one proof at the same instant one is answered, the others are replays, round after round."""
    workers_of_rounds = []
    with start(kind) as running:
        until_all_workers(running, auth_server.issuer.token(), 200)

        def send_one_proof():
            answers = running.get_at_once(bound(running), CONNECTIONS)
            assert statuses(answers) == {200: 1, 401: CONNECTIONS - 1}
            refusals = [answer.headers["WWW-Authenticate"] for answer in answers if answer.status == 401]
            assert [refusal for refusal in refusals if REPLAYED not in refusal] == []
            workers_of_rounds.append({answer.pid for answer in answers})
            return len(workers_of_rounds) >= ROUNDS and max(map(len, workers_of_rounds)) == WORKERS

        until(send_one_proof)


@pytest.mark.parametrize(("kind", "fault"), [("gunicorn", "killed"), ("gunicorn", "paused"), ("uvicorn", "killed")])
def test_while_the_cache_is_down_bound_tokens_wait_and_others_do_not(kind, fault, start, auth_server, valkey, bound):
    """503 that says when to come again where a replay cannot be told; all is well again when the cache is back."""
    unbound = auth_server.issuer.token()
    with start(kind) as running:
        until_all_workers(running, unbound, 200)
        until_all_workers(running, partial(bound, running), 200)
        with Load(running, unbound) as others:
            (valkey.kill if fault == "killed" else valkey.pause)()
            # Several clients, since one alone may wait a second for each answer.
            with Load(running, *(partial(bound, running) for _ in range(8))) as waiting:
                until(lambda: len({answer.pid for answer in answers_of(waiting)}) == WORKERS)
                others.until_more(10)
            (valkey.start if fault == "killed" else valkey.resume)()
            until_all_workers(running, partial(bound, running), 200)
    assert set(statuses(others.answers[unbound])) == {200}
    assert {(answer.status, answer.headers["Retry-After"]) for answer in answers_of(waiting)} == {(503, "1")}
