"""Where the keys are: sources, plain http, conflicts, services of the project's own."""

import pytest
import requests
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from django_oauth_jwt.conf import get_settings
from django_oauth_jwt.jwks import get_jwks_service

from .samples import ISSUER, PUBLIC_JWK, SERVICE, VALID, Service, resolver

OTHER = "https://b.example.com"
INSECURE = "http://as.example.com"
JWKS = {"keys": [PUBLIC_JWK]}


@pytest.mark.parametrize(
    "raw", [None, {}, {"AUDIENCE": "api"}, {"ISSUERS": {}}, {"JWKS_URI": None, "ISSUER": None, "JWKS_SERVICE": None}]
)
def test_settings_without_a_source_of_keys_are_refused(problem_of, raw):
    """E004 names the keys that are a source."""
    message = problem_of(raw)
    assert message.id == "oauth_jwt.E004"
    assert "JWKS_URI" in message.hint
    assert "ISSUER" in message.hint


def test_no_setting_at_all_is_no_source_of_keys(settings):
    """The same where OAUTH_JWT was never written."""
    del settings.OAUTH_JWT
    assert [message.id for message in run_checks(tags=["oauth_jwt"])] == ["oauth_jwt.E004"]


@pytest.mark.parametrize(
    "raw",
    [
        {"JWKS_URI": VALID["JWKS_URI"]},
        {"ISSUER": ISSUER},
        {"ISSUERS": {ISSUER: {}}},
        {"JWKS_SERVICE": SERVICE},
        {"JWKS": JWKS},
        {"ISSUER": "a name that is no URL", "JWKS": JWKS},
        {"ISSUERS": {"urn:as": {"JWKS": JWKS}, OTHER: {}}},
        {"ISSUER_RESOLVER": resolver},
        {"ISSUER_RESOLVER": resolver, "ISSUER": ISSUER, "JWKS_URI": VALID["JWKS_URI"]},
        {"ISSUER_RESOLVER": resolver, "ISSUERS": {ISSUER: {}}},
        {"ISSUER": "a name that is no URL", "JWKS_SERVICE": SERVICE},
        {"ISSUER": "a name that is no URL", "JWKS_URI": VALID["JWKS_URI"]},
        {"ISSUERS": {"urn:as": {"JWKS_SERVICE": Service}, OTHER: {}}},
        {"ISSUER": ISSUER, "JWKS_URI": VALID["JWKS_URI"], "ISSUERS": {OTHER: {}}},
        {"ISSUER": ISSUER, "JWKS_SERVICE": SERVICE, "ISSUERS": {OTHER: {}}},
    ],
)
def test_each_source_of_keys_will_do(settings, raw):
    """A JWKS URI, an issuer to discover it from, a service: one of them is enough, for each issuer."""
    settings.OAUTH_JWT = raw
    assert run_checks(tags=["oauth_jwt"]) == []
    assert all(get_jwks_service(issuer) is not None for issuer in get_settings().issuers)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ({"JWKS_URI": f"{INSECURE}/jwks"}, "['JWKS_URI']"),
        ({"JWKS_URI": f"{INSECURE}/jwks", "ISSUER": ISSUER}, "['JWKS_URI']"),
        ({"JWKS_URI": "http://127.0.0.1.example.com/jwks"}, "['JWKS_URI']"),
        ({"JWKS_URI": "http://localhost.example.com/jwks"}, "['JWKS_URI']"),
        ({"JWKS_URI": "http://192.168.0.1/jwks"}, "['JWKS_URI']"),
        ({"ISSUER": INSECURE}, "['ISSUER']"),
        ({"ISSUERS": {INSECURE: {}}}, f"['ISSUERS'][{INSECURE!r}]"),
        ({"ISSUERS": {ISSUER: {"JWKS_URI": INSECURE}}}, f"['ISSUERS'][{ISSUER!r}]['JWKS_URI']"),
    ],
)
def test_keys_fetched_without_tls_are_refused(problem_of, raw, name):
    """E005 names the key whose URL it is, since whoever can change the keys can make tokens."""
    message = problem_of(raw)
    assert message.id == "oauth_jwt.E005"
    assert message.msg == f"OAUTH_JWT{name} would have the keys fetched without TLS."


@pytest.mark.parametrize(
    "raw",
    [
        {"JWKS_URI": "http://localhost:8000/jwks"},
        {"JWKS_URI": "http://127.0.0.1/jwks"},
        {"JWKS_URI": "http://127.8.8.8:80/jwks"},
        {"JWKS_URI": "http://[::1]:8000/jwks"},
        {"ISSUER": "http://localhost:8000"},
        {"JWKS_URI": INSECURE, "ALLOW_INSECURE_HTTP": True},
        {"ISSUERS": {INSECURE: {}}, "ALLOW_INSECURE_HTTP": True},
        {"ISSUER": INSECURE, "JWKS_URI": VALID["JWKS_URI"]},
        {"ISSUER": INSECURE, "JWKS_SERVICE": SERVICE},
    ],
)
def test_http_is_good_enough_where_nobody_listens_or_it_is_wanted(settings, raw):
    """This machine, an explicit permission, and an issuer that is only a name."""
    settings.OAUTH_JWT = raw
    assert run_checks(tags=["oauth_jwt"]) == []


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ({"ISSUER": "issuer"}, "['ISSUER']"),
        ({"ISSUER": "https://"}, "['ISSUER']"),
        ({"ISSUER": "ftp://localhost"}, "['ISSUER']"),
        ({"ISSUER": "issuer", "ALLOW_INSECURE_HTTP": True}, "['ISSUER']"),
        ({"ISSUERS": {"issuer": {}}}, "['ISSUERS']['issuer']"),
    ],
)
def test_an_issuer_that_is_no_url_cannot_be_discovered_from(problem_of, raw, name):
    """It could only fail later, at each fetch."""
    message = problem_of(raw)
    assert message.id == "oauth_jwt.E003"
    assert message.msg.startswith(f"OAUTH_JWT{name} must be an https URL such as 'https://as.example.com',")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({**VALID, "ISSUERS": {ISSUER: {}}}, "the same issuer in ISSUER and in ISSUERS"),
        ({"JWKS_URI": VALID["JWKS_URI"], "ISSUERS": {OTHER: {}}}, "a JWKS_URI of no issuer"),
        ({"JWKS_SERVICE": SERVICE, "ISSUERS": {OTHER: {}}}, "a JWKS_SERVICE of no issuer"),
        ({"JWKS": JWKS, "ISSUERS": {OTHER: {}}}, "has ISSUERS and a JWKS of no issuer"),
        ({"JWKS": JWKS, "ISSUER_RESOLVER": resolver}, "has ISSUER_RESOLVER and a JWKS of no issuer"),
        (
            {"JWKS_URI": VALID["JWKS_URI"], "ISSUER_RESOLVER": resolver},
            "ISSUER_RESOLVER and a JWKS_URI of no issuer",
        ),
        ({"JWKS_SERVICE": SERVICE, "ISSUER_RESOLVER": resolver}, "has ISSUER_RESOLVER and a JWKS_SERVICE of no issuer"),
        ({**VALID, "JWKS": JWKS}, "OAUTH_JWT has JWKS_URI and JWKS for one issuer"),
        (
            {"ISSUER": ISSUER, "JWKS_SERVICE": SERVICE, "JWKS": JWKS},
            "has JWKS and JWKS_SERVICE for one issuer",
        ),
        (
            {"ISSUERS": {ISSUER: {"JWKS_URI": VALID["JWKS_URI"], "JWKS": JWKS}}},
            f"OAUTH_JWT['ISSUERS'][{ISSUER!r}] has JWKS_URI and JWKS for one issuer",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(problem_of, raw, words):
    """E006: nobody should have to guess which of two wins."""
    message = problem_of(raw)
    assert message.id == "oauth_jwt.E006"
    assert words in message.msg


@pytest.mark.parametrize("form", ["instance", "callable"])
def test_a_session_of_the_projects_own_fetches_the_keys(settings, jwks_server, rsa_issuer, form):
    """It has the proxy, the CA or the client's certificate, however it is handed over."""
    sent = []
    session = requests.Session()
    session.hooks["response"].append(lambda response, **kwargs: sent.append(response.url))
    jwks_server.document = rsa_issuer.jwks()
    jwks_uri = f"{jwks_server.origin}/jwks"
    settings.OAUTH_JWT = {"JWKS_URI": jwks_uri, "HTTP_SESSION": session if form == "instance" else lambda: session}
    assert len(get_jwks_service().refresh()) == 1
    assert sent == [jwks_uri]


@pytest.mark.parametrize("factory", ["django_oauth_jwt.jwks.JwksService", lambda: 1 / 0, lambda: 1])
def test_a_factory_that_makes_no_service_shows_at_first_use(settings, factory):
    """What only a call can tell is told at the first one, by the setting's name."""
    settings.OAUTH_JWT = {"JWKS_SERVICE": factory}
    with pytest.raises(ImproperlyConfigured, match="JWKS_SERVICE"):
        get_jwks_service()


@pytest.mark.parametrize("target", [SERVICE, Service, "tests.conf.samples.Service", lambda: SERVICE])
def test_a_service_of_the_projects_own_is_used(settings, target):
    """An instance is taken as it is; a class or another callable is called, once."""
    settings.OAUTH_JWT = {"JWKS_SERVICE": target}
    assert isinstance(get_jwks_service(), Service)
    assert get_jwks_service() is get_jwks_service()


@pytest.mark.parametrize("body", ["import nowhere", "1 / 0", "def", "raise KeyError"])
@pytest.mark.parametrize("key", ["JWKS_SERVICE", "USER_RESOLVER", "HTTP_SESSION"])
def test_a_module_that_cannot_be_imported_is_told_of_by_the_settings_name(problem_of, tmp_path, monkeypatch, key, body):
    """Whatever goes wrong in it, the message leads to the setting, and says what it was."""
    (tmp_path / "broken.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    message = problem_of({**VALID, key: "broken.target"})
    assert message.id == "oauth_jwt.E003"
    assert message.msg.startswith(f"OAUTH_JWT[{key!r}] must be a dotted path that can be imported")
    assert "Error" in message.msg
