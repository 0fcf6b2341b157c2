"""The services that the settings describe: one for each issuer, built once, rebuilt when the settings change."""

import contextlib
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_oauth_jwt.conf import get_runtime, get_settings
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.jwks import JwksService, KeyServices, get_jwks_service, registry
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.verification import verify_token

from .inside import inside

ONE, OTHER = "https://one.example.com", "https://other.example.com"
SETTINGS = {"ISSUER": ONE, "JWKS_URI": f"{ONE}/jwks"}
own_issuer = TokenIssuer(ONE, alg="ES256")


class OwnService:
    """A service of a project's own, which needs nothing to be made."""

    def current(self):
        return own_issuer.current()

    def key_set_for(self, kid, alg):
        return own_issuer.current()

    async def akey_set_for(self, kid, alg):
        return own_issuer.current()


def own_factory():
    return own_issuer


class NoService:
    current = key_set_for = None


def makes_nothing():
    """Forgets to return what it makes."""


class NeedsArguments(OwnService):
    def __init__(self, address):
        self.address = address


def test_the_service_is_the_same_until_the_settings_change(settings):
    """It is built once, is shared by everything, and another one takes its place under other settings."""
    settings.OAUTH_JWT = SETTINGS
    first = get_jwks_service()
    assert isinstance(first, JwksService)
    assert get_jwks_service() is first
    assert get_jwks_service(ONE) is first
    with override_settings(OAUTH_JWT={**SETTINGS, "JWKS_FRESH_SECONDS": 10}):
        assert get_jwks_service() is not first
        assert get_jwks_service() is get_jwks_service()


def test_the_settings_reach_the_service(settings, auth_server):
    """Times, limits, cache and session are those of the settings."""
    settings.OAUTH_JWT = {
        **SETTINGS,
        "JWKS_FRESH_SECONDS": 1,
        "JWKS_STALE_SECONDS": 2,
        "JWKS_COOLDOWN_SECONDS": 3,
        "HTTP_TIMEOUT": 4,
        "ALLOW_INSECURE_HTTP": True,
        "HTTP_SESSION": "requests.Session",
    }
    service = get_jwks_service()
    parts = inside(service)
    assert parts.source._timing[:3] == (1, 2, 3)
    assert parts.client.timeout == 4
    assert parts.client.allow_insecure_http is True


def test_the_cache_and_the_session_of_the_settings_are_used(settings, auth_server):
    """CACHE holds the keys, and HTTP_SESSION fetches them."""
    made = []

    def session():
        made.append(requests.Session())
        return made[-1]

    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {name: {"BACKEND": backend, "LOCATION": f"services-{name}"} for name in ("default", "keys")}
    settings.OAUTH_JWT = {
        "ISSUER": auth_server.origin,
        "JWKS_URI": auth_server.uri,
        "CACHE": "keys",
        "HTTP_SESSION": session,
    }
    assert get_jwks_service().refresh().knows("key-1", "ES256")
    assert len(made) == 1
    assert JwksService(auth_server.uri, cache="keys").refresh().knows("key-1", "ES256")
    assert auth_server.fetches == 1
    assert JwksService(auth_server.uri, cache="default").refresh().knows("key-1", "ES256")
    assert auth_server.fetches == 2


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("timeout", 0),
        ("timeout", -1),
        ("fresh_seconds", -1),
        ("stale_seconds", 0),
        ("stale_seconds", float("nan")),
        ("cooldown_seconds", -0.5),
        ("cooldown_seconds", "30"),
    ],
)
def test_a_time_out_of_its_range_is_a_mistake_in_the_code(option, value):
    """The error names the option."""
    with pytest.raises(ValueError, match=f"^{option} must be a number of seconds, "):
        JwksService(f"{ONE}/jwks", **{option: value})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"jwks_uri": 5}, "jwks_uri must be an https URL such as"),
        ({"jwks_uri": b"https://as.example.com/jwks"}, "jwks_uri must be an https URL such as"),
        ({"session": 5}, "session must be a requests.Session, or a callable that returns one"),
    ],
)
def test_an_argument_of_no_use_is_a_mistake_in_the_code(arguments, words):
    """It would be 503 for ever, as for a server that is down."""
    with pytest.raises(ValueError, match=f"^{words}"):
        JwksService(**{"jwks_uri": f"{ONE}/jwks", **arguments})


def test_a_factory_may_ask_for_the_service_of_another_issuer(settings):
    """It is called while services are built, by a thread that may build another one."""
    settings.OAUTH_JWT = {
        "ISSUERS": {
            ONE: {"JWKS_URI": f"{ONE}/jwks"},
            OTHER: {"JWKS_SERVICE": lambda: get_jwks_service(ONE)},
        }
    }
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(get_jwks_service, OTHER).result(60) is get_jwks_service(ONE)


def test_a_change_of_settings_changes_the_keys(settings, auth_server):
    """Nothing of the service before outlives it: neither its keys nor the tokens that it accepted."""
    settings.OAUTH_JWT = {"ISSUER": auth_server.origin, "JWKS_URI": auth_server.uri}
    token = auth_server.issuer.token()
    assert verify_token(token).encoded == token
    own_issuer_token = own_issuer.token()
    settings.OAUTH_JWT = {"ISSUER": ONE, "JWKS_SERVICE": own_issuer}
    assert verify_token(own_issuer_token).encoded == own_issuer_token
    settings.OAUTH_JWT = {"ISSUER": auth_server.origin, "JWKS_URI": auth_server.uri}
    assert verify_token(token).encoded == token
    assert auth_server.fetches == 1  # the new service found the keys in the cache


def test_each_listed_issuer_has_a_service_of_its_own(settings):
    """Where several are listed one has to say which."""
    settings.OAUTH_JWT = {"ISSUERS": {ONE: {}, OTHER: {"JWKS_URI": f"{OTHER}/jwks"}}}
    assert get_jwks_service(ONE) is get_jwks_service(ONE)
    assert get_jwks_service(ONE) is not get_jwks_service(OTHER)
    for unknown in (None, "https://unlisted.example.com"):
        with pytest.raises(LookupError, match="no service for the issuer"):
            get_jwks_service(unknown)


def test_without_a_source_there_is_no_service(settings):
    """The settings have to say where the keys are."""
    settings.OAUTH_JWT = {}
    with pytest.raises(ImproperlyConfigured, match="JWKS_URI"):
        get_jwks_service()


@pytest.mark.parametrize(
    "own",
    [
        own_issuer,
        OwnService,
        OwnService(),
        own_factory,
        *(f"{__name__}.{name}" for name in ("OwnService", "own_factory")),
    ],
    ids=["instance", "class", "own instance", "factory", "path of a class", "path of a factory"],
)
def test_a_service_of_the_projects_own_is_used(own, settings):
    """JWKS_SERVICE is a service, or what makes one, or the dotted path of either."""
    settings.OAUTH_JWT = {"ISSUER": ONE, "JWKS_SERVICE": own}
    assert verify_token(own_issuer.token()).subject == "user-1"
    assert get_jwks_service() is get_jwks_service()


@pytest.mark.parametrize("own", [NoService, NoService(), makes_nothing, NeedsArguments, f"{__name__}.NoService"])
def test_a_service_that_is_none_is_a_configuration_error(own, settings):
    """The error names the setting."""
    settings.OAUTH_JWT = {"ISSUER": ONE, "JWKS_SERVICE": own}
    with pytest.raises(ImproperlyConfigured, match="JWKS_SERVICE"):
        verify_token(own_issuer.token())


class TestOneJwksUri:
    """Several issuers whose keys are in one place, as those of Entra's tenants."""

    @pytest.fixture
    def services(self, settings, jwks_server):
        jwks_server.document = own_issuer.jwks()
        uri = {"JWKS_URI": f"{jwks_server.origin}/jwks"}
        own = {"JWKS_SERVICE": own_issuer, **uri}
        settings.OAUTH_JWT = {"ISSUERS": {ONE: uri, OTHER: uri, "own": own, ONE + "/": {**uri, "JWKS_URI": ONE}}}
        return get_jwks_service

    def test_they_share_keys_and_fetches(self, services, jwks_server):
        """A thousand tenants need no more memory than one, and are no more load for the authorization server."""
        assert services(ONE).refresh() is services(OTHER).current()
        assert jwks_server.count == 1

    def test_each_has_a_service_of_its_own_issuer(self, services):
        """Given by hand, it stands for the tokens of that one alone."""
        services(ONE).refresh()
        assert [services(issuer).issuer for issuer in (ONE, OTHER)] == [ONE, OTHER]
        token = TokenIssuer(ONE, key=own_issuer.keys[0]).token()
        assert verify_token(token, jwks_service=services(ONE)).issuer == ONE
        with pytest.raises(InvalidToken, match="issuer"):
            verify_token(token, jwks_service=services(OTHER))

    def test_others_share_nothing(self, services):
        """Nor does one with a key service of its own, which comes first."""
        services(ONE).refresh()
        assert services(ONE + "/").current() is None
        assert services("own") is own_issuer

    def test_the_keys_go_with_the_last_of_them(self, services):
        """Nothing else holds them: of tenants that come and go none stays."""
        made = get_runtime().part(KeyServices)
        first, other = (replace(get_settings().issuers[issuer], parts={}) for issuer in (ONE, OTHER))
        of_first, of_other = map(made.service_of, (first, other))
        source = weakref.ref(inside(of_first).source)
        del of_first
        first.parts.clear()
        gc.collect()
        assert source() is inside(of_other).source
        del of_other
        other.parts.clear()
        gc.collect()
        assert source() is None


def test_many_issuers_share_the_way_to_the_cache(settings, jwks_server):
    """A thread and a connection for each of a thousand would be more than a server of a cache takes."""
    jwks_server.document = own_issuer.jwks()
    issuers = [f"{ONE}/{number}" for number in range(20)]
    settings.OAUTH_JWT = {"ISSUERS": {each: {"JWKS_URI": f"{jwks_server.origin}/{each}"} for each in issuers}}
    before = threading.active_count()
    for issuer in issuers:
        get_jwks_service(issuer).refresh()
    assert jwks_server.count == len(issuers)
    assert threading.active_count() < before + len(issuers)
    assert len({inside(get_jwks_service(issuer)).cache for issuer in issuers}) == 1
    assert inside(JwksService(ONE)).cache is not inside(get_jwks_service(issuers[0])).cache


def test_a_thread_that_waited_for_another_ones_service_builds_none(settings):
    """It takes the one that is there by then."""
    settings.OAUTH_JWT = SETTINGS
    services = get_runtime().part(KeyServices)
    trusted = get_settings().issuers[ONE]

    class Overtaken(contextlib.nullcontext):
        def __enter__(self):
            trusted.parts[KeyServices] = own_issuer

    services._building = SimpleNamespace(get=Overtaken)
    assert services.service_of(trusted) is own_issuer


def test_threads_that_ask_together_get_the_same_service(settings, monkeypatch):
    """The service is built once, also when the first requests of all come at the same moment."""
    settings.OAUTH_JWT = SETTINGS
    together, built = threading.Barrier(4), []

    def build(*args):
        built.append(args)
        return own_issuer

    monkeypatch.setattr(registry, "_build", build)

    def ask():
        together.wait(60)
        return get_jwks_service()

    with ThreadPoolExecutor(4) as pool:
        assert {answer.result() for answer in [pool.submit(ask) for _ in range(4)]} == {own_issuer}
    assert len(built) == 1
