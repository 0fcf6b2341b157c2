"""Fetches of keys, their age, and questions about tokens, with a real authorization server on this machine."""

import pytest

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.contrib.opentelemetry.instruments import key_ages
from django_oauth_jwt.contrib.opentelemetry.names import ERRORS, ISSUERS, OTHER, REASONS
from django_oauth_jwt.jwks import get_jwks_service, services_in_use

from ..servers.faulty_server import respond_with

FETCHES, AGE, QUESTIONS = "oauth_jwt.jwks.fetch.duration", "oauth_jwt.jwks.age", "oauth_jwt.introspection.duration"
FRESH = 300


@pytest.fixture
def api(figures, told, settings, client, auth_server):
    """A project that trusts the authorization server; ask it with ``api(token)``, which returns the status."""
    settings.OAUTH_JWT = {"ISSUER": auth_server.origin, "JWKS_URI": auth_server.uri}

    def api(token=None):
        token = token or auth_server.issuer.token("read")
        return client.get("/view/", headers={"Authorization": f"Bearer {token}"}).status_code

    return api


def attributes(server, *more):
    return tuple(sorted([*more, ("oauth.issuer", server.origin)]))


def test_a_fetch_is_measured_in_seconds(api, figures, told, auth_server):
    """One point for each, of the issuer, without an error; in buckets made for seconds."""
    assert api() == 200
    assert told() == "jwks_refreshed"
    ((found, point),) = figures.of(FETCHES).items()
    assert found == attributes(auth_server)
    assert point.count == 1
    assert 0 < point.sum < 10
    assert point.explicit_bounds[0] == 0.005
    assert point.explicit_bounds[-1] == 10
    assert api() == 200
    assert figures.of(FETCHES) == {}


def test_discovery_is_part_of_the_fetch(api, figures, told, auth_server, settings):
    """Where the metadata cannot be had, the type is what came from the last place that was tried."""
    settings.OAUTH_JWT = {"ISSUER": auth_server.origin}
    assert api() == 503
    assert told() == "jwks_refresh_failed"
    assert list(figures.of(FETCHES)) == [attributes(auth_server, ("error.type", "404"))]


@pytest.mark.parametrize(
    ("fault", "error_type"),
    [(respond_with("503 Service Unavailable"), "503"), (respond_with(body=b"<html>"), "unusable")],
)
def test_a_fetch_that_fails_is_measured_with_the_type_of_its_error(api, figures, told, auth_server, fault, error_type):
    """By the conventions a success has none."""
    with auth_server.behaving(fault):
        assert api() == 503
        assert told() == "jwks_refresh_failed"
    ((found, point),) = figures.of(FETCHES).items()
    assert found == attributes(auth_server, ("error.type", error_type))
    assert (point.count, point.sum > 0) == (1, True)


def test_an_error_that_is_kept_no_more_is_one_figure(opaque, figures, told, auth_server, client, monkeypatch):
    """A server may answer with hundreds of statuses, fetches and questions alike."""
    monkeypatch.setattr(ERRORS, "_known", set(map(str, range(1000, 1000 + ERRORS._most))))
    with auth_server.behaving(respond_with("599 Whatever")):
        headers = {"Authorization": f"Bearer {auth_server.issuer.token('read')}"}
        assert client.get("/view/", headers=headers).status_code == 503
        told()
        assert opaque(auth_server.issuer.opaque_token("read")) == 503
        told()
    other = attributes(auth_server, ("error.type", OTHER))
    assert set(figures.read()) == {(FETCHES, other), (QUESTIONS, other)}


def test_an_outage_shows_in_the_failures_and_in_the_age(api, figures, told, auth_server, frozen_time):
    """Requests are answered with the keys in memory, which grow older than they ever are in good times."""
    assert api() == 200
    assert told() == "jwks_refreshed"
    assert figures.of(AGE) == {}  # an age of 0 is no point here
    with auth_server.down():
        frozen_time.now += FRESH + 60
        assert api() == 200
        assert told() == "jwks_refresh_failed"
    read = figures.read()
    assert read[AGE, attributes(auth_server)] == FRESH + 60
    assert (FETCHES, attributes(auth_server, ("error.type", "ConnectionError"))) in read
    frozen_time.now += 60
    assert api() == 200
    assert told() == "jwks_refreshed"
    assert figures.of(AGE) == {}


def test_the_age_of_keys_causes_no_fetch(api, figures, told, auth_server, frozen_time):
    """Neither before a service is used, nor when its keys are old, nor when they are stale: it only tells."""
    assert figures.of(AGE) == {}
    get_jwks_service()
    assert figures.of(AGE) == {}
    assert auth_server.fetches == 0
    assert api() == 200
    told()
    for age in (FRESH, 100_000):
        frozen_time.now += age
        assert figures.of(AGE)[attributes(auth_server)] >= age
    assert auth_server.fetches == 1


def test_keys_from_the_shared_cache_are_no_fetch_and_keep_their_age(
    api, figures, told, auth_server, settings, frozen_time
):
    """Another process has fetched them, and told of it; how old they are is the same everywhere."""
    assert api() == 200
    told()
    figures.read()
    settings.OAUTH_JWT = {**settings.OAUTH_JWT}  # as another process begins: with nothing but the cache
    frozen_time.now += 10
    assert api() == 200
    read = figures.read()
    assert read[AGE, attributes(auth_server)] == 10
    assert not [name for name, _ in read if name == FETCHES]


def test_services_of_the_projects_own_have_no_age(figures, client, issuer):
    """Nobody but they themselves knows it."""
    assert client.get("/view/", headers=issuer.headers("read")).status_code == 200
    assert services_in_use(get_runtime())
    assert figures.of(AGE) == {}


def test_of_issuers_beyond_those_that_are_kept_the_oldest_keys_count(settings, auth_server, frozen_time, monkeypatch):
    """They are one figure, and the worst of them is what an alert must see."""
    monkeypatch.setattr(ISSUERS, "_known", {str(number) for number in range(1000)})
    names = ("https://a.example.com", "https://b.example.com")
    settings.OAUTH_JWT = {"ISSUERS": {name: {"JWKS_URI": f"{auth_server.origin}/jwks?{name}"} for name in names}}
    auth_server.jwks_path = f"/jwks?{names[0]}"
    get_jwks_service(names[0]).refresh()
    frozen_time.now += 10
    auth_server.jwks_path = f"/jwks?{names[1]}"
    get_jwks_service(names[1]).refresh()
    assert [(each.value, each.attributes) for each in key_ages(None)] == [(10, {"oauth.issuer": OTHER})]


@pytest.fixture
def opaque(api, settings, auth_server):
    """The project asks about opaque tokens."""
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "INTROSPECTION": auth_server.introspection()}
    return api


@pytest.mark.parametrize(("active", "status"), [(True, 200), (False, 403)])
def test_a_question_is_measured_with_what_was_answered(opaque, figures, told, auth_server, active, status):
    """Once: what is remembered is not asked for."""
    token = auth_server.issuer.opaque_token("read", active=active)
    assert [opaque(token), opaque(token)] == [status, status]
    assert told() == "introspected"
    ((found, point),) = figures.of(QUESTIONS).items()
    assert found == attributes(auth_server, ("oauth_jwt.introspection.active", active))
    assert point.count == 1
    assert 0 < point.sum < 10


def test_a_question_without_an_answer_is_measured_with_the_type_of_its_error(opaque, figures, told, auth_server):
    """The token is not refused: nobody knows, and the request is answered with 503."""
    with auth_server.behaving(respond_with("500 Internal Server Error")):
        assert opaque("opaque") == 503
        assert told() == "introspection_failed"
    read = figures.read()
    assert list(read) == [(QUESTIONS, attributes(auth_server, ("error.type", "500")))]


def test_what_is_kept_no_more_is_one_figure_everywhere(opaque, figures, told, auth_server, client, monkeypatch):
    """Whichever signal it comes from: tokens, fetches and questions."""
    for names in (ISSUERS, REASONS):
        monkeypatch.setattr(names, "_known", set(map(str, range(names._most))))
    headers = {"Authorization": f"Bearer {auth_server.issuer.token('read')}"}
    assert client.get("/view/?raise=unpaid_bill", headers=headers).status_code == 403
    told()
    assert opaque(auth_server.issuer.opaque_token("read")) == 200
    told()
    other, read = ("oauth.issuer", OTHER), figures.read()
    assert set(read) - {(AGE, (other,))} == {
        ("oauth_jwt.tokens.verified", (other,)),
        ("oauth_jwt.tokens.refused", (other, ("oauth_jwt.reason", OTHER))),
        (FETCHES, (other,)),
        (QUESTIONS, (other, ("oauth_jwt.introspection.active", True))),
    }
