"""How it stands with keys, in figures: what is said of them, and that saying it starts nothing."""

import json

import pytest

from django_oauth_jwt.jwks import FileKeys, KeyStatus, StaticKeys, status_of, warm_up
from django_oauth_jwt.jwks.snapshot import Failure, JwksDocument, Timing, snapshot_of
from django_oauth_jwt.jwks.state import Job, Join, Refuse, Start, State, Task, decide_warm_up
from django_oauth_jwt.testing import TokenIssuer

from .inside import inside, keys_job

NOW = 1_800_000_000.0
TIMING = Timing(fresh=300, stale=14400, cooldown=30)
ISSUER = TokenIssuer(alg="ES256")


def keys(fetched_at=NOW):
    """Return keys as fetched at that time."""
    return snapshot_of(JwksDocument(ISSUER.jwks(), fetched_at, 300), TIMING, source=ISSUER.issuer)


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (0, KeyStatus("fresh", 0, 1)),
        (299.5, KeyStatus("fresh", 299.5, 1)),
        (300, KeyStatus("old", 300, 1)),
        (14399, KeyStatus("old", 14399, 1)),
        (14400, KeyStatus("stale", 14400, 0)),
        (-60, KeyStatus("old", 0, 1)),
    ],
)
def test_fetched_keys_are_fresh_then_old_then_stale(age, status):
    """As requests use them; a clock that was set back makes no age below zero."""
    assert keys().status(NOW + age) == status


def test_the_status_of_a_service_starts_nothing(service, clock, auth_server):
    """Neither without keys nor with old ones: of thousands of issuers only the few in use are to be asked."""
    assert status_of(service) == KeyStatus("none", None, 0)
    service.refresh()
    assert status_of(service) == KeyStatus("fresh", 0, 1)
    clock.advance(1000)
    assert status_of(service) == KeyStatus("old", 1000, 1)
    assert keys_job(service) is None
    assert auth_server.fetches == 1


FAILED = Failure("status 500", 3, NOW + 4)
REFRESH = Job(Task(), 100.0, None)
FULL = Job(Task(), 100.0, None, waiting=64)


@pytest.mark.parametrize(
    ("state", "decision"),
    [
        (State(keys()), None),
        (State(keys(NOW - 14399), failure=FAILED), None),
        (State(), Start(Task())),
        (State(keys(NOW - 14400)), Start(Task())),
        (State(job=REFRESH), Join(REFRESH, 0.75)),
        (State(job=FULL), Refuse(1)),
        (State(failure=FAILED), Start(Task(may_fetch=False))),
        (State(failure=FAILED, next_cache_read=NOW + 1), Refuse(4)),
    ],
)
def test_a_warm_up_does_what_a_request_would(state, decision):
    """It holds to the back-off, and joins what is under way."""
    assert decide_warm_up(state, NOW, 100.25, TIMING) == decision


def test_a_warm_up_takes_no_place_of_a_request(service, auth_server):
    """However often it is asked for, those who may wait for a fetch are requests."""
    with auth_server.held():
        attempts = {service.warm_up() for _ in range(100)}
        assert len(attempts) == 1
        assert keys_job(service).waiting == 0
    (attempt,) = attempts
    attempt.result()
    assert service.warm_up() is None
    assert auth_server.fetches == 1


def test_few_fetches_are_begun_at_a_time(make_service, auth_server):
    """A thread each: of a project that lists hundreds of issuers the first are warm before the next are asked."""
    services = [make_service(f"{auth_server.uri}?{number}") for number in range(40)]
    with auth_server.held():
        for _ in range(3):
            warm_up(services, 0)
        assert [keys_job(service) is not None for service in services] == [True] * 16 + [False] * 24


def test_few_refreshes_are_begun_at_a_time(make_service, auth_server, clock):
    """Of keys that have grown old at the same time, as those of a process do that was warmed by one probe."""
    services = [make_service() for _ in range(20)]
    for service in services:
        service.refresh()
    clock.advance(1000)
    with auth_server.held():
        for _ in range(3):
            warm_up(services, 0)
        assert [keys_job(service) is not None for service in services] == [True] * 16 + [False] * 4


def test_where_no_thread_can_be_had_there_is_nothing_to_wait_for(service, monkeypatch):
    """The next probe tries again."""

    def execute(work):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(inside(service).source, "_execute", execute)
    assert service.warm_up() is None
    warm_up([service], 0)
    assert status_of(service) == KeyStatus("none")


def test_keys_that_nobody_confirms_have_no_age(tmp_path):
    """Those of a file are old while it is broken, and none once they are stale."""
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(ISSUER.jwks()))
    times = {"now": NOW}
    service = FileKeys(path, stale_seconds=60, clock=lambda: 0.0, monotonic=lambda: times["now"])
    assert status_of(service) == status_of(StaticKeys(ISSUER.current())) == KeyStatus("fresh", None, 1)
    path.write_text("broken")
    assert status_of(service) == KeyStatus("old", None, 1)
    times["now"] += 60
    assert status_of(service) == KeyStatus("none", None, 0)
