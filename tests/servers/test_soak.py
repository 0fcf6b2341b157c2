"""Keys that rotate every second, tokens that are revoked, faults at random, requests all the while.

Nothing wrong is accepted or refused.

Takes SOAK_SECONDS, from the environment; a release is worth 60 and more.
"""

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from .clients import until_all_workers
from .faulty_server import FAULTS, FOREVER
from .real_servers import fleet

SECONDS = float(os.environ.get("SOAK_SECONDS", "14"))
pytestmark = [pytest.mark.real_servers, pytest.mark.timeout(SECONDS + 120)]
SEED = 20260101
#: How many keys the JWKS holds: with one rotation a second, how many seconds a key is in it.
KEYS = 6
#: Short times, that much may happen; together with HTTP_TIMEOUT they make the windows below.
SETTINGS = {
    "JWKS_FRESH_SECONDS": 0.5,
    "JWKS_STALE_SECONDS": 600,
    "JWKS_COOLDOWN_SECONDS": 0.5,
    "HTTP_TIMEOUT": 0.5,
    "TOKEN_CACHE_SIZE": 256,
}
#: For how long what is said of an opaque token is remembered: it is revoked when its key leaves the JWKS.
CACHE_SECONDS = 1
#: After so many seconds of good health every worker has what the JWKS holds: a fetch that hung to its end, a
#: back-off, a cooldown and the freshness of the keys are over by then, on a machine that is busy too.
WINDOW = 4.0
MEGABYTE = 1024 * 1024


@dataclass
class Key:
    """The tokens of a signing key, and when it was in the JWKS."""

    tokens: dict[str, str]
    published_at: float
    dropped_at: float = float("inf")


@dataclass
class History:
    """What happened when, as the judge needs it."""

    keys: list[Key] = field(default_factory=list)
    healthy_since: list[float] = field(default_factory=list)
    healthy_until: list[float] = field(default_factory=list)

    def is_settled(self, begin: float, end: float) -> bool:
        """Tell whether every worker has refreshed its keys in good health between the two moments."""
        untils = [*self.healthy_until, float("inf")]
        return any(
            min(until, end) - max(since, begin) >= WINDOW
            for since, until in zip(self.healthy_since, untils, strict=False)
        )

    def expected(self, key: Key, asked_at: float, answered_at: float) -> int | None:
        """Return the status that a key's token must get, None within the windows."""
        if self.is_settled(key.dropped_at, asked_at):
            return 403
        if answered_at < key.dropped_at and self.is_settled(key.published_at, asked_at):
            return 200
        return None


class Asked(NamedTuple):
    """A request and its answer."""

    key: Key
    kind: str
    status: int
    asked_at: float
    answered_at: float


def rotate(auth_server, history):
    issuer = auth_server.issuer
    issuer.rotate()
    tokens = {
        "good": issuer.token(),
        "forged": issuer.token(forged=True),
        "expired": issuer.token(expired=True),
        "made up": issuer.token(header={"kid": f"made-up-{len(history.keys)}"}),
        "opaque": issuer.opaque_token(),
    }
    history.keys.append(Key(tokens, published_at=time.monotonic()))
    if len(history.keys) > KEYS:
        dropped = history.keys[-KEYS - 1]
        issuer.revoke(dropped.tokens["opaque"])
        dropped.dropped_at = time.monotonic()
    issuer.keys = issuer.keys[-KEYS:]


def ask(running, history, over, seed):
    """Ask until it is over; return what was asked and answered."""
    chance, log = random.Random(seed), []
    # The pause leaves processors to the workers: the windows are for refreshes, not for a busy machine.
    while not over.wait(0.02):
        key = chance.choice(history.keys[-2 * KEYS :])
        (kind,) = chance.choices(["good", "forged", "expired", "made up", "opaque"], [6, 1, 1, 1, 3])
        asked_at = time.monotonic()
        log.append(Asked(key, kind, running.get(key.tokens[kind]).status, asked_at, time.monotonic()))
    return log


def misbehave(stack, chance, auth_server, valkey):
    """Begin a fault, which ends with the stack."""
    if chance.random() < 0.2:
        valkey.kill()
        stack.callback(valkey.start)
    else:
        fault, _ = FAULTS[chance.choice(sorted(FAULTS))]
        stack.enter_context(auth_server.behaving(fault))


def go_on(auth_server, valkey, history):
    """Rotate every second, and let phases of good health and of faults take turns."""
    chance, end = random.Random(SEED), time.monotonic() + SECONDS
    while time.monotonic() < end:
        history.healthy_since.append(time.monotonic())
        for _ in range(chance.randint(6, 9)):
            rotate(auth_server, history)
            time.sleep(1)
        history.healthy_until.append(time.monotonic())
        for _ in range(chance.randint(1, 3)):
            with ExitStack() as stack:
                misbehave(stack, chance, auth_server, valkey)
                rotate(auth_server, history)
                time.sleep(1)


class Size(NamedTuple):
    """What a worker holds of the machine."""

    memory: int
    threads: int
    files: int


def size_of(pid):
    process = Path(f"/proc/{pid}")
    pages = int((process / "statm").read_text().split()[1])
    return Size(
        pages * os.sysconf("SC_PAGE_SIZE"), len([*(process / "task").iterdir()]), len([*(process / "fd").iterdir()])
    )


def test_the_soak(auth_server, valkey, tmp_path):
    """0 wrong accepts, 0 wrong refusals beyond the documented windows, and no worker grows."""
    history, over = History(), threading.Event()
    auth_server.issuer.keys = []
    rotate(auth_server, history)
    asking = auth_server.introspection(CACHE_SECONDS=CACHE_SECONDS, NEGATIVE_CACHE_SECONDS=CACHE_SECONDS)
    settings = {"ISSUER": auth_server.origin, "JWKS_URI": auth_server.uri, "INTROSPECTION": asking, **SETTINGS}
    with fleet("gunicorn", tmp_path, cache_uri=valkey.uri, **settings) as running, ThreadPoolExecutor(8) as pool:
        pids = until_all_workers(running, history.keys[0].tokens["good"], 200)
        clients = [pool.submit(ask, running, history, over, seed) for seed in range(8)]
        try:
            before = {pid: size_of(pid) for pid in pids}
            go_on(auth_server, valkey, history)
            after = {pid: size_of(pid) for pid in pids}
        finally:
            over.set()
        answers = [asked for client in clients for asked in client.result(FOREVER)]
    judge(history, answers)
    for pid in pids:
        assert after[pid].memory - before[pid].memory < 12 * MEGABYTE, (before[pid], after[pid])
        assert after[pid].threads < before[pid].threads + 20  # eight of them ask the cache about opaque tokens
        assert after[pid].files < before[pid].files + 24


def possible_for_opaque(asked):
    """Return the statuses that an opaque token may get; 503 in any phase, since an answer may come late."""
    if asked.answered_at < asked.key.dropped_at:
        return {200, 503}
    return {403, 503} if asked.asked_at >= asked.key.dropped_at + CACHE_SECONDS else {200, 403, 503}


def judge(history, answers):
    verdicts = {"accepted": 0, "refused": 0, "within the windows": 0, "bad tokens refused": 0}
    verdicts |= {"opaque tokens accepted": 0, "opaque tokens refused": 0}
    for asked in answers:
        if asked.kind == "opaque":
            assert asked.status in possible_for_opaque(asked), asked
            verdicts["opaque tokens accepted"] += asked.status == 200
            verdicts["opaque tokens refused"] += asked.status == 403
            continue
        if asked.kind != "good":
            assert asked.status == 403, asked
            verdicts["bad tokens refused"] += 1
            continue
        expected = history.expected(asked.key, asked.asked_at, asked.answered_at)
        assert asked.status in ({expected} if expected else {200, 403}), asked
        verdicts[{200: "accepted", 403: "refused", None: "within the windows"}[expected]] += 1
    assert all(verdicts.values()), verdicts
    print(f"{len(answers)} answers: {verdicts}")  # noqa: T201  # pytest -s shows what the soak was worth
