"""Tenants on real servers: gunicorn and uvicorn with several workers, whose resolver asks a table in a file."""

import json
import sqlite3
import time
from contextlib import closing, contextmanager
from functools import partial
from itertools import count

import pytest

from django_oauth_jwt.testing import TokenIssuer

from ..servers.clients import Load, ask_at_once, statuses, until_all_workers
from ..servers.real_servers import fleet

pytestmark = pytest.mark.real_servers

both_servers = pytest.mark.parametrize("kind", ["gunicorn", "uvicorn"])
YES, NO = 300, 30
ATTACKERS = 6


class Project:
    """The table, the clock of all workers, and what makes the resolver hang."""

    def __init__(self, folder):
        self._folder = folder
        self._database, self._clock, self._hanging = (folder / name for name in ("database", "clock", "hanging"))
        self._clock.write_text("0")
        self._do("CREATE TABLE tests_tenants_tenant (id INTEGER PRIMARY KEY, issuer TEXT UNIQUE, entry TEXT)")
        self.environment = {"HANGING": str(self._hanging)}

    def _do(self, statement, *values):
        with closing(sqlite3.connect(self._database)) as connection:
            connection.execute(statement, values)
            connection.commit()

    def add(self, issuer, **entry):
        self._do("INSERT INTO tests_tenants_tenant (issuer, entry) VALUES (?, ?)", issuer, json.dumps(entry))

    def remove(self, issuer):
        self._do("DELETE FROM tests_tenants_tenant WHERE issuer = ?", issuer)

    def pass_seconds(self, seconds):
        """Move the clock of all workers on, at once: no worker reads half of a number."""
        new = self._clock.with_suffix(".new")
        new.write_text(str(float(self._clock.read_text()) + seconds))
        new.replace(self._clock)

    @contextmanager
    def hanging(self):
        """Have the resolver answer nobody until the end of the context."""
        self._hanging.touch()
        try:
            yield
        finally:
            self._hanging.unlink()

    def start(self, kind, **more):
        where = {"database": str(self._database), "clock": str(self._clock)}
        return fleet(kind, self._folder, **where, ISSUER_RESOLVER="tests.tenants.table.resolve_or_hang", **more)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project that has no tenants yet."""
    project = Project(tmp_path)
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    return project


@pytest.fixture
def token(auth_server):
    """A token that is good for as long as the test lasts by the workers' clock."""
    return auth_server.issuer.token(exp=int(time.time()) + 7200)


@both_servers
def test_every_worker_accepts_a_new_tenant_and_refuses_one_that_is_gone(kind, project, auth_server, token):
    """When what each of them remembers is over: 30 s for a no, 300 s for a yes; the token is remembered, too."""
    with project.start(kind) as running:
        until_all_workers(running, token, 403)
        assert auth_server.requests == []
        project.add(auth_server.origin, JWKS_URI=auth_server.uri)
        project.pass_seconds(NO)
        assert 403 not in statuses(ask_at_once(running, [token] * 40))
        until_all_workers(running, token, 200)
        assert statuses(ask_at_once(running, [token] * 40)) == {200: 40}
        project.remove(auth_server.origin)
        assert statuses(ask_at_once(running, [token] * 40)) == {200: 40}
        project.pass_seconds(YES)
        assert statuses(ask_at_once(running, [token] * 40)) == {403: 40}
        until_all_workers(running, token, 403)
        assert "ERROR" not in running.log()


@both_servers
def test_a_resolver_that_hangs_holds_no_threads(kind, project, auth_server, token):
    """Made-up issuers of six clients wait a second in all, then they are 503 at once; a listed issuer never notices."""
    numbers = count()

    def made_up():
        return TokenIssuer(f"https://{next(numbers)}.example.com", key=auth_server.issuer.keys[0]).token()

    attacks = [partial(made_up) for _ in range(ATTACKERS)]
    listed = {"ISSUER": auth_server.origin, "JWKS_URI": auth_server.uri}
    with project.start(kind, workers=1, **listed) as running:
        assert running.get(token).status == 200
        with Load(running, *attacks) as load, project.hanging():
            while not any(answer.status == 503 for answers in load.answers.values() for answer in answers):
                time.sleep(0.01)
            began = time.monotonic()
            others = [running.get(*ask) for ask in [(token,), (None, "/open")] * 20]
            assert time.monotonic() - began < 20  # half a second each, if they had to wait for a thread
            refused = [running.get(made_up()) for _ in range(20)]
        assert statuses(others) == {200: len(others)}
        assert statuses(refused) == {503: len(refused)}
        assert all(answer.headers["Retry-After"] for answer in refused)
