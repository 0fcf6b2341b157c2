"""Whatever the introspection endpoint does, an opaque token is a 503 or what was said of it before, and JWTs go on."""

import queue

import pytest
from django.test import Client

from django_oauth_jwt import signals

from .faulty_server import FOREVER, INTROSPECTION_FAULTS, about_tokens

pytestmark = pytest.mark.urls("tests.servers.fleet_urls")

every_fault = pytest.mark.parametrize(("fault", "reason"), INTROSPECTION_FAULTS.values(), ids=INTROSPECTION_FAULTS)


def ask(token):
    return Client().get("/secured", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def status_of(frozen_time):
    """Ask until there is an answer, each time when the last one said to come again; return its status."""

    def status_of(token):
        for _ in range(10):
            answer = ask(token)
            if answer.status_code != 503:
                break
            frozen_time.now += int(answer["Retry-After"])
        return answer.status_code

    return status_of


@pytest.fixture
def trust(auth_server, settings):
    def trust(**more):
        where = {"ISSUER": auth_server.origin, "JWKS_URI": auth_server.uri}
        asking = auth_server.introspection(CACHE_SECONDS=3600)
        settings.OAUTH_JWT = {**where, "INTROSPECTION": asking, "HTTP_TIMEOUT": FOREVER, **more}

    return trust


@pytest.fixture
def failures():
    """What the signal says of questions that brought no answer."""
    heard = queue.SimpleQueue()

    def listen(*, reason, **kwargs):
        heard.put(reason)

    signals.introspection_failed.connect(listen)
    yield heard
    signals.introspection_failed.disconnect(listen)


@pytest.fixture
def log(caplog):
    """Return what the package said of questions that failed."""
    return lambda: [record.getMessage() for record in caplog.records if "Introspection at" in record.getMessage()]


@every_fault
def test_a_fault_refuses_no_token_for_good(fault, reason, auth_server, trust, status_of, failures, log):
    """A new token is a 503 that is logged and signalled once, and good as soon as there is an answer."""
    trust()
    known, new, jwt = auth_server.issuer.opaque_token(), auth_server.issuer.opaque_token(), auth_server.issuer.token()
    assert [status_of(known), status_of(jwt)] == [200, 200]
    if reason.startswith("no whole answer"):
        trust(HTTP_TIMEOUT=0.3)
    with auth_server.behaving(about_tokens(fault)):
        asked = len(auth_server.questions)
        answers = [ask(new) for _ in range(3)]
        assert [(answer.status_code, answer["Retry-After"]) for answer in answers] == [(503, "1")] * 3
        assert reason in failures.get(timeout=FOREVER)
        assert len(auth_server.questions) <= asked + 1  # on a busy machine the time may be over before it is asked
        assert [ask(known).status_code, ask(jwt).status_code] == [200, 200]
    (line,) = log()
    assert reason in line
    assert line.endswith("next try in 1 seconds")
    assert [status_of(new), status_of(known), status_of(jwt)] == [200, 200, 200]
