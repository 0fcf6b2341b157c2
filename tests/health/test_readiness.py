"""The probe of readiness: what it says, what it starts, and how long it takes."""

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import path

from django_oauth_jwt.errors import InvalidToken, KeysUnavailable
from django_oauth_jwt.health import readiness
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.verification import verify_token

from ..servers.clients import until
from ..servers.faulty_server import FOREVER, hang, respond_with

OURS = "django_oauth_jwt.middleware.JwtBearerMiddleware"
OTHERS = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
]
BROKEN, OTHER, TENANT = "https://broken.test", "https://other.test", "https://tenant.test"

urlpatterns = [path("ready", readiness)]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture(autouse=True)
def _bare_project(bare_project):
    """Every test here begins so."""


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Wait as long as it takes: a busy machine is no server that hangs."""
    monkeypatch.setattr("django_oauth_jwt.health._PATIENCE_SECONDS", FOREVER)


@pytest.fixture
def impatient(monkeypatch):
    """Wait for a moment only, where nothing is to come."""
    monkeypatch.setattr("django_oauth_jwt.health._PATIENCE_SECONDS", 0.05)


@pytest.fixture
def trusting(auth_server, settings):
    """The project trusts the authorization server, and has no keys of it yet."""
    settings.OAUTH_JWT = {"ISSUER": auth_server.origin, "JWKS_URI": auth_server.uri, "HTTP_TIMEOUT": FOREVER}
    return auth_server


def probe():
    """Return status and body of the probe."""
    response = Client().get("/ready")
    return response.status_code, response.json()


def row(issuer, state, age=None, keys=0):
    return {"issuer": issuer, "state": state, "age": age, "keys": keys}


@pytest.mark.usefixtures("frozen_time")
def test_a_probe_warms_a_process(trusting):
    """The first one has the keys fetched, waits for them, and is answered 200; the next ones fetch nothing."""
    expected = (200, {"state": "ready", "issuers": [row(trusting.origin, "fresh", 0, 1)]})
    assert [probe() for _ in range(3)] == [expected] * 3
    assert trusting.fetches == 1
    verify_token(trusting.issuer.token())
    assert trusting.fetches == 1


def test_no_database_is_asked(trusting, monkeypatch):
    """Where each request is a transaction (ATOMIC_REQUESTS) as elsewhere: one that is down would be a 500 here."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert probe()[0] == 200  # without the fixture `db` any query is an error


def test_the_age_of_the_keys_is_shown(trusting, frozen_time):
    """In whole seconds since the authorization server confirmed them."""
    probe()
    frozen_time.now += 20.9
    assert probe() == (200, {"state": "ready", "issuers": [row(trusting.origin, "fresh", 20, 1)]})


def test_old_keys_are_good_and_are_refreshed_behind(trusting, frozen_time):
    """A process without requests keeps its keys, though the authorization server hangs."""
    probe()
    frozen_time.now += 300
    with trusting.held():
        assert {probe()[0] for _ in range(3)} == {200}
        trusting.wait_for(lambda: trusting.pending == 1)
        assert probe()[1]["issuers"] == [row(trusting.origin, "old", 300, 1)]
    until(lambda: probe()[1]["issuers"] == [row(trusting.origin, "fresh", 0, 1)])
    assert trusting.fetches == 2


def test_stale_keys_are_none(trusting, frozen_time):
    """Beyond JWKS_STALE_SECONDS no token is accepted either."""
    probe()
    frozen_time.now += 14400
    with trusting.down():
        status, body = probe()
        assert (status, body) == (503, {"state": "no_keys", "issuers": [row(trusting.origin, "stale", 14400)]})


@pytest.mark.usefixtures("impatient")
def test_a_server_that_hangs_costs_one_fetch_and_hangs_no_probe(trusting):
    """Each is answered 503 in the end of its patience, whoever waits already; once the keys are there it is 200."""
    with trusting.held():
        started = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: Client().get("/ready"), range(100)))
        assert time.monotonic() - started < FOREVER / 2
        assert {(answer.status_code, answer["Retry-After"]) for answer in answers} == {(503, "1")}
        assert answers[0].json() == {"state": "no_keys", "issuers": [row(trusting.origin, "none")]}
        assert trusting.fetches == 1
    until(lambda: probe()[0] == 200)
    assert trusting.fetches == 1


def test_a_failing_server_is_left_alone(trusting, frozen_time):
    """Probes hold to the back-off of the keys: 1 s, 2 s, 4 s ...; and see at once that the server is back."""
    with trusting.behaving(respond_with("500 Internal Server Error")):
        assert {probe()[0] for _ in range(50)} == {503}
        assert trusting.fetches == 1
        frozen_time.now += 1.1
        assert {probe()[0] for _ in range(50)} == {503}
        assert trusting.fetches == 2
    assert probe()[0] == 503
    frozen_time.now += 2.1
    assert probe()[0] == 200
    assert trusting.fetches == 3


@pytest.mark.usefixtures("frozen_time")
def test_one_issuer_with_keys_is_enough_and_each_is_shown(trusting, settings, tmp_path):
    """Whether they are fetched, in the settings, in a file, or the project's own service has them."""
    other = TokenIssuer(OTHER, alg="ES256")
    (tmp_path / "keys.json").write_text(json.dumps(other.jwks()))
    keys = {"fetched": {"JWKS_URI": trusting.uri}, "inline": {"JWKS": other.jwks()}, "own": {"JWKS_SERVICE": other}}
    keys["file"] = {"JWKS": str(tmp_path / "keys.json")}
    for name, key in keys.items():
        settings.OAUTH_JWT = {"ISSUERS": {BROKEN: {"JWKS_URI": f"{trusting.origin}/nothing"}, name: key}}
        age = 0 if name == "fetched" else None
        assert probe() == (200, {"state": "ready", "issuers": [row(BROKEN, "none"), row(name, "fresh", age, 1)]})


def test_nobody_waits_where_one_has_keys(trusting, settings):
    """The others are fetched behind."""
    issuers = {BROKEN: {"JWKS_URI": trusting.uri}, OTHER: {"JWKS": TokenIssuer(alg="ES256").jwks()}}
    settings.OAUTH_JWT = {"ISSUERS": issuers, "HTTP_TIMEOUT": FOREVER}
    started = time.monotonic()
    with trusting.held():
        assert probe() == (200, {"state": "ready", "issuers": [row(BROKEN, "none"), row(OTHER, "fresh", None, 1)]})
        assert time.monotonic() - started < FOREVER / 2
        trusting.wait_for(lambda: trusting.pending == 1)
    until(lambda: probe()[1]["issuers"][0]["keys"] == 1)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_it_is_for_get_and_head_alone(trusting, settings, method, send):
    """Others are told so, whatever CsrfViewMiddleware would say of them, and start nothing."""
    settings.MIDDLEWARE = [OURS, *OTHERS]
    response = send(method, "/ready")
    assert (response.status_code, response["Allow"], response["Cache-Control"]) == (405, "GET, HEAD", "no-store")
    assert trusting.fetches == 0


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer rubbish"}, {"Authorization": "Basic eDp5"}])
def test_it_needs_no_token_and_no_log_in_and_is_never_cached(trusting, settings, send, method, headers):
    """Below our middleware and Django's, under WSGI and ASGI. A redirect to a log-in would pass for ready."""
    settings.MIDDLEWARE = [OURS, *OTHERS]
    response = send(method, "/ready", headers=headers)
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
    assert "Retry-After" not in response
    assert bool(response.content) == (method == "get")


SECRET = "hunter2"


def failing_session():
    raise RuntimeError(f"no proxy https://user:{SECRET}@proxy.test")


def test_no_secret_is_shown(trusting, settings):
    """Neither those of URLs nor what an error says."""
    settings.OAUTH_JWT = {
        "ISSUER": f"https://user:{SECRET}@as.test/a?key={SECRET}",
        "JWKS_URI": f"https://as.test/jwks?key={SECRET}",
        "HTTP_SESSION": failing_session,
    }
    status, body = probe()
    assert (status, body["issuers"]) == (503, [row("https://...@as.test/a", "none")])
    assert SECRET not in json.dumps(body)


class Moody:
    """A key service of the project's own that does with its keys what the test says."""

    def __init__(self, current):
        self.current = current

    def key_set_for(self, kid, alg): ...

    async def akey_set_for(self, kid, alg): ...


def raises():
    raise RuntimeError(SECRET)


@pytest.mark.parametrize("current", [lambda: None, lambda: "keys", raises])
def test_a_service_of_the_projects_own_without_keys_is_not_ready(settings, current, caplog):
    """Whatever it does; what it raises is in the log alone."""
    settings.OAUTH_JWT = {"ISSUER": OTHER, "JWKS_SERVICE": Moody(current)}
    assert probe() == (503, {"state": "no_keys", "issuers": [row(OTHER, "none")]})
    assert (SECRET in caplog.text) == (current is raises)


@pytest.mark.parametrize("error", [KeysUnavailable(77), InvalidToken("frozen", "Tenant is frozen")], ids=type)
def test_what_a_key_service_says_to_requests_is_no_failure(settings, error, caplog):
    """A BearerError of its own is passed on by requests; a probe has no keys then, and nothing is wrong."""

    def refuses():
        raise error

    for service in (Moody(refuses), refuses):  # the second one is a factory
        settings.OAUTH_JWT = {"ISSUER": OTHER, "JWKS_SERVICE": service}
        assert probe() == (503, {"state": "no_keys", "issuers": [row(OTHER, "none")]})
    assert [record for record in caplog.records if record.name == "django_oauth_jwt"] == []


@pytest.mark.parametrize(
    "raw",
    [
        {"ISSUER": "https://as.test", "AUDIENCES": SECRET},
        {},
        {"ISSUER": "https://as.test", "JWKS_SERVICE": lambda: SECRET},
        SECRET,
    ],
)
def test_invalid_settings_are_not_ready(settings, raw, caplog):
    """The log says why; a stranger is told no more than that it is so."""
    settings.OAUTH_JWT = raw
    response = Client().get("/ready")
    assert (response.status_code, response["Retry-After"], response["Cache-Control"]) == (503, "1", "no-store")
    assert response.json() == {"state": "misconfigured", "issuers": []}
    (record,) = [record for record in caplog.records if record.name == "django_oauth_jwt"]
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith("Not ready: ")


class TestWithResolver:
    """Where ISSUER_RESOLVER knows tenants."""

    @pytest.fixture
    def table(self):
        """What the resolver knows, by issuer."""
        return {}

    @pytest.fixture
    def tenants(self, table, settings):
        """The project trusts the tenants in the table; returns the issuers that the resolver was asked about."""
        asked = []

        def resolve(iss):
            asked.append(iss)
            return table.get(iss)

        settings.OAUTH_JWT = {"ISSUER_RESOLVER": resolve}
        return asked

    def test_a_process_that_nobody_has_asked_is_ready(self, tenants):
        """It can know no tenant, so there is nothing to warm; the resolver is not asked."""
        assert probe() == (200, {"state": "ready", "issuers": [], "resolved": {"issuers": 0, "with_keys": 0}})
        assert tenants == []

    def test_tenants_are_counted_and_not_named(self, tenants, table, trusting_tenant):
        """However many there are the answer is short, and tells a stranger of nobody."""
        for number in range(300):
            issuer = TokenIssuer(f"https://{number}.test", key=trusting_tenant)
            table[issuer.issuer] = {"JWKS": issuer.jwks()}
            verify_token(issuer.token())
        assert probe() == (200, {"state": "ready", "issuers": [], "resolved": {"issuers": 300, "with_keys": 300}})

    def test_one_tenant_without_keys_takes_nothing_from_the_others(self, tenants, table, auth_server):
        """Not even where it is the first that this process was asked about."""
        table[auth_server.origin] = {"JWKS_URI": auth_server.uri}
        with auth_server.behaving(respond_with("500 Internal Server Error")):
            with pytest.raises(Exception, match="unavailable"):
                verify_token(auth_server.issuer.token())
            assert probe() == (200, {"state": "ready", "issuers": [], "resolved": {"issuers": 1, "with_keys": 0}})

    def test_probes_do_not_keep_the_keys_of_tenants_warm(self, tenants, table, auth_server, frozen_time):
        """A probe in each process every few seconds would fetch the keys of thousands, who may not come back."""
        table[auth_server.origin] = {"JWKS_URI": auth_server.uri}
        verify_token(auth_server.issuer.token())
        frozen_time.now += 1000
        with auth_server.behaving(hang):
            assert {probe()[1]["resolved"]["with_keys"] for _ in range(5)} == {1}
            assert auth_server.pending == 0
        frozen_time.now += 14400
        assert probe() == (200, {"state": "ready", "issuers": [], "resolved": {"issuers": 1, "with_keys": 0}})
        assert auth_server.fetches == 1

    def test_beside_issuers_of_the_settings_a_tenant_counts(self, tenants, table, settings, auth_server):
        """503 only while neither they nor any tenant have keys."""
        settings.OAUTH_JWT = {**settings.OAUTH_JWT, "ISSUER": auth_server.origin, "JWKS_URI": auth_server.uri}
        tenant = TokenIssuer(TENANT, alg="ES256")
        table[TENANT] = {"JWKS": tenant.jwks()}
        with auth_server.behaving(respond_with("500 Internal Server Error")):
            status, body = probe()
            assert (status, body["resolved"]) == (503, {"issuers": 0, "with_keys": 0})
            verify_token(tenant.token())
            status, body = probe()
        assert (status, body["resolved"]) == (200, {"issuers": 1, "with_keys": 1})
        assert body["issuers"] == [row(auth_server.origin, "none")]


@pytest.fixture
def trusting_tenant(signing_key):
    """One key for all tenants: to make one takes longer than the rest of a test."""
    return signing_key()
