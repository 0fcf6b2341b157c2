"""The settings as a whole: unknown keys, sources of keys, conflicts, and when they are read again."""

import asyncio
import gc
from types import MappingProxyType

import pytest
from conf_samples import HUGE, ISSUER, SERVICE, VALID, Service, Unprintable
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_oauth_jwt.conf import get_settings, read
from django_oauth_jwt.conf_rules import RULES
from django_oauth_jwt.jwks import JwksService, get_jwks_service

OTHER = "https://b.example.com"
INSECURE = "http://as.example.com"


def _problem(raw):
    """Return the one problem of a value of OAUTH_JWT, and see that the system check tells of the same."""
    with override_settings(OAUTH_JWT=raw):
        (message,) = run_checks(tags=["oauth_jwt"])
        with pytest.raises(ImproperlyConfigured):
            get_jwks_service()
    return message


@pytest.mark.parametrize("raw", [[], (), "", "JWKS_URI", b"x", 0, 1, True, False, object(), [("JWKS_URI", "x")]])
def test_settings_that_are_no_dict_are_refused(raw):
    """E001 says what the setting must be and what it is."""
    message = _problem(raw)
    assert message.id == "oauth_jwt.E001"
    assert message.msg == f"OAUTH_JWT must be a dict, not {type(raw).__name__}."


def test_any_mapping_will_do(settings):
    """A project may build its settings as a read-only mapping."""
    settings.OAUTH_JWT = MappingProxyType(VALID)
    assert get_settings().issuers[ISSUER].jwks_uri == VALID["JWKS_URI"]


@pytest.mark.parametrize(
    ("typo", "near"),
    [
        ("jwks_uri", "JWKS_URI"),
        ("JWKS_URL", "JWKS_URI"),
        ("JWKSURI", "JWKS_URI"),
        ("AUDIENCES", "AUDIENCE"),
        ("ALGORITHM", "ALGORITHMS"),
        ("issuer", "ISSUER"),
        ("REQUIRED_CLAIM", "REQUIRED_CLAIMS"),
        ("INVALID_TOKEN_STATUS_CODE", "INVALID_TOKEN_STATUS"),
        (b"LEEWAY", "LEEWAY"),
    ],
)
def test_an_unknown_key_suggests_the_near_one(typo, near):
    """E002 names the key as it was written, and the one that was meant."""
    message = _problem({**VALID, typo: 1})
    assert message.id == "oauth_jwt.E002"
    assert message.msg == f"OAUTH_JWT has an unknown key {typo!r}."
    assert message.hint == f"Did you mean {near!r}?"


@pytest.mark.parametrize(
    "key",
    ["XYZZY", "", 1, None, True, 2.5, (1, 2), "\u00fc", HUGE, Unprintable()],
    ids=lambda key: type(key).__name__,
)
def test_an_unknown_key_near_none_lists_them_all(key):
    """E002 for whatever can be a key of a dict, also what is no string or cannot be printed."""
    message = _problem({**VALID, key: 1})
    assert message.id == "oauth_jwt.E002"
    assert message.hint == f"The keys are {', '.join(RULES)}."


def test_an_unknown_key_of_a_listed_issuer_suggests_a_key_of_issuers(settings):
    """What an issuer cannot set for itself is unknown in its entry."""
    message = _problem({"ISSUERS": {OTHER: {"REALM": "x"}}})
    assert message.id == "oauth_jwt.E002"
    assert message.msg == f"OAUTH_JWT['ISSUERS'][{OTHER!r}] has an unknown key 'REALM'."
    assert "JWKS_URI" in message.hint
    assert "HTTP_TIMEOUT" not in message.hint


@pytest.mark.parametrize(
    "raw", [None, {}, {"AUDIENCE": "api"}, {"ISSUERS": {}}, {"JWKS_URI": None, "ISSUER": None, "JWKS_SERVICE": None}]
)
def test_settings_without_a_source_of_keys_are_refused(raw):
    """E004 names the keys that are a source."""
    message = _problem(raw)
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
def test_keys_fetched_without_tls_are_refused(raw, name):
    """E005 names the key whose URL it is, since whoever can change the keys can make tokens."""
    message = _problem(raw)
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
def test_an_issuer_that_is_no_url_cannot_be_discovered_from(raw, name):
    """It could only fail later, at each fetch."""
    message = _problem(raw)
    assert message.id == "oauth_jwt.E003"
    assert message.msg.startswith(f"OAUTH_JWT{name} must be an https URL")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({**VALID, "ISSUERS": {ISSUER: {}}}, "the same issuer in ISSUER and in ISSUERS"),
        ({"JWKS_URI": VALID["JWKS_URI"], "ISSUERS": {OTHER: {}}}, "a JWKS_URI of no issuer"),
        ({"JWKS_SERVICE": SERVICE, "ISSUERS": {OTHER: {}}}, "a JWKS_SERVICE of no issuer"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(raw, words):
    """E006: nobody should have to guess which of two wins."""
    message = _problem(raw)
    assert message.id == "oauth_jwt.E006"
    assert words in message.msg


def test_all_problems_are_told_at_once(settings):
    """One round of mending is enough: check and exception hold every problem, in each place."""
    settings.OAUTH_JWT = {"LEEWAY": -1, "REALMS": "", "ISSUERS": {OTHER: {"AUDIENCE": 1}, INSECURE: {}}}
    ids = [message.id for message in run_checks(tags=["oauth_jwt"])]
    assert sorted(ids) == [f"oauth_jwt.{number}" for number in ("E002", "E003", "E003", "E005")]
    with pytest.raises(ImproperlyConfigured, match=r"LEEWAY.*REALM.*AUDIENCE.*without TLS"):
        get_settings()


def test_a_long_value_is_told_in_brief():
    """A message stays readable, whatever was pasted into the settings."""
    message = _problem({**VALID, "LEEWAY": "x" * 10_000})
    assert len(message.msg + message.hint) < 300


@pytest.mark.parametrize("factory", ["django_oauth_jwt.jwks.JwksService", lambda: 1 / 0, lambda: 1])
def test_a_factory_that_makes_no_service_shows_at_first_use(settings, factory):
    """What only a call can tell is told at the first one, by the setting's name."""
    settings.OAUTH_JWT = {"JWKS_SERVICE": factory}
    with pytest.raises(ImproperlyConfigured, match="JWKS_SERVICE"):
        get_jwks_service()


@pytest.mark.parametrize("target", [SERVICE, Service, "conf_samples.Service", lambda: SERVICE])
def test_a_service_of_the_projects_own_is_used(settings, target):
    """An instance is taken as it is; a class or another callable is called, once."""
    settings.OAUTH_JWT = {"JWKS_SERVICE": target}
    assert isinstance(get_jwks_service(), Service)
    assert get_jwks_service() is get_jwks_service()


def test_a_listed_issuer_inherits_what_it_does_not_set(settings):
    """Where its keys are is its own affair; the rest holds for it too, unless it says otherwise."""
    settings.OAUTH_JWT = {
        **VALID,
        "AUDIENCE": "api",
        "LEEWAY": 3,
        "ISSUERS": {OTHER: {"LEEWAY": 0, "ALGORITHMS": ["ES256"]}},
    }
    main, listed = (get_settings().issuers[issuer] for issuer in (ISSUER, OTHER))
    assert (main.leeway, main.jwks_uri) == (3, VALID["JWKS_URI"])
    assert (listed.leeway, listed.jwks_uri, listed.audience) == (0, None, {"api"})
    assert listed.algorithms == {"ES256"}
    assert get_settings().all_algorithms == main.algorithms | listed.algorithms


def test_settings_are_read_once(settings):
    """As long as the setting stays, its users share one object, and with it services and remembered tokens."""
    settings.OAUTH_JWT = VALID
    assert get_settings() is get_settings()


def test_an_override_holds_at_once_and_only_inside(settings):
    """Nested overrides come and go, each with settings and services of its own."""
    settings.OAUTH_JWT = VALID
    outer = get_jwks_service()
    with override_settings(OAUTH_JWT={**VALID, "LEEWAY": 1}):
        assert get_settings().issuers[ISSUER].leeway == 1
        assert get_jwks_service() is not outer
        with override_settings(OAUTH_JWT={**VALID, "LEEWAY": 2}):
            assert get_settings().issuers[ISSUER].leeway == 2
        assert get_settings().issuers[ISSUER].leeway == 1
    assert get_settings().issuers[ISSUER].leeway == 10
    assert isinstance(outer, JwksService)


def test_an_override_holds_at_once_on_an_event_loop(settings):
    """The same for coroutines, also across what they await."""

    async def leeways():
        found = []
        for leeway in (1, 2):
            with override_settings(OAUTH_JWT={**VALID, "LEEWAY": leeway}):
                await asyncio.sleep(0)
                found.append(get_settings().issuers[ISSUER].leeway)
        return [*found, get_settings().issuers[ISSUER].leeway]

    settings.OAUTH_JWT = VALID
    assert asyncio.run(leeways()) == [1, 2, 10]


def test_a_dict_at_the_place_of_a_former_one_is_not_taken_for_it(settings):
    """Settings are told apart by identity, so the former dict must not be let go while it is remembered."""
    for leeway in range(50):
        settings.OAUTH_JWT = {**VALID, "LEEWAY": leeway}
        gc.collect(0)
        assert get_settings().issuers[ISSUER].leeway == leeway


def test_assignment_without_a_signal_is_seen(monkeypatch):
    """Also a project that sets `settings.OAUTH_JWT` by hand is heard at once."""
    from django.conf import settings  # noqa: PLC0415  # the fixture of this name sends the signal

    get_settings()
    monkeypatch.setattr(settings, "OAUTH_JWT", {**VALID, "LEEWAY": 7})
    assert get_settings().issuers[ISSUER].leeway == 7


def test_a_cache_that_comes_or_goes_is_noticed(settings):
    """CACHE is checked against CACHES, so a change of CACHES means reading the settings again."""
    memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    settings.CACHES = {"default": memory, "keys": memory}
    settings.OAUTH_JWT = {**VALID, "CACHE": "keys"}
    assert get_settings().cache == "keys"
    settings.CACHES = {"default": memory}
    with pytest.raises(ImproperlyConfigured, match="CACHE"):
        get_settings()


def test_other_settings_leave_these_alone(settings):
    """A change elsewhere costs no service and no remembered token."""
    before = get_settings()
    settings.DEBUG = not settings.DEBUG
    assert get_settings() is before


def test_the_settings_cannot_be_changed():
    """They are shared by all threads."""
    settings, _ = read(VALID)
    with pytest.raises(AttributeError):
        settings.realm = "x"
    with pytest.raises(TypeError):
        settings.issuers[None] = None


@pytest.mark.parametrize(
    ("resource", "uri"),
    [
        ("https://api.example.com", "https://api.example.com/.well-known/oauth-protected-resource"),
        ("https://api.example.com/v1/", "https://api.example.com/.well-known/oauth-protected-resource/v1"),
        ("https://api.example.com/v1?a=b", "https://api.example.com/.well-known/oauth-protected-resource/v1?a=b"),
    ],
)
def test_the_metadata_uri_is_made_of_the_resource(resource, uri):
    """RFC 9728 section 3.1: the well-known part goes between host and path."""
    settings, _ = read({**VALID, "RESOURCE_METADATA": {"resource": resource}})
    assert settings.resource_metadata_uri == uri


def test_without_metadata_there_is_no_uri():
    """The challenge then says nothing of it."""
    settings, _ = read(VALID)
    assert settings.resource_metadata_uri == ""
