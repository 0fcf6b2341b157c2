"""When the settings are read again, and what is made of them."""

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_oauth_jwt.conf import get_settings, runtime
from django_oauth_jwt.conf.reading import read
from django_oauth_jwt.jwks import JwksService, get_jwks_service

from .samples import ISSUER, VALID

OTHER = "https://b.example.com"


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


def test_settings_are_read_once(settings):
    """As long as the setting stays, its users share one object, and with it services and remembered tokens."""
    settings.OAUTH_JWT = VALID
    assert get_settings() is get_settings()


def test_threads_that_read_together_share_one_object(settings, monkeypatch):
    """At a cold start each thread may validate the settings; what the first one made is everybody's."""
    settings.OAUTH_JWT = VALID
    together, validated = threading.Barrier(4), runtime.read

    def validate(raw):
        together.wait(60)
        return validated(raw)

    monkeypatch.setattr(runtime, "read", validate)
    with ThreadPoolExecutor(4) as pool:
        read_settings = [thread.result() for thread in [pool.submit(get_settings) for _ in range(4)]]
    assert len(set(map(id, read_settings))) == 1


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
    assert get_settings().issuers[ISSUER].leeway == 30
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
    assert asyncio.run(leeways()) == [1, 2, 30]


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
        ("https://api.example.com/v1/", "https://api.example.com/.well-known/oauth-protected-resource/v1/"),
        ("https://api.example.com/", "https://api.example.com/.well-known/oauth-protected-resource"),
        ("https://api.example.com/v1?a=b", "https://api.example.com/.well-known/oauth-protected-resource/v1?a=b"),
    ],
)
def test_the_metadata_uri_is_made_of_the_resource(resource, uri):
    """RFC 9728 section 3.1: the well-known part goes between host and path."""
    settings, _ = read({**VALID, "RESOURCE_METADATA": {"resource": resource}})
    assert settings.resource_metadata[0].metadata_uri == uri
