"""The warnings of ``check --deploy``: each where it should be, and nowhere else."""

import django
import pytest
from django.contrib.auth.middleware import AuthenticationMiddleware, LoginRequiredMiddleware
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import Warning as CheckWarning
from django.core.checks import run_checks
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from django.utils.module_loading import import_string
from django.views.decorators.cache import cache_page
from rest_framework.authentication import TokenAuthentication

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.middleware import JwtBearerMiddleware

from ..conf.samples import SERVICE, VALID, resolver

CSRF = "django.middleware.csrf.CsrfViewMiddleware"
AUTH = "django.contrib.auth.middleware.AuthenticationMiddleware"
LOGIN = "django.contrib.auth.middleware.LoginRequiredMiddleware"
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
OURS = "django_oauth_jwt.middleware.JwtBearerMiddleware"
CORS = "corsheaders.middleware.CorsMiddleware"
BEARER = "django_oauth_jwt.authentication.BearerJwtAuthentication"
TOKEN = "rest_framework.authentication.TokenAuthentication"
FETCH = "django.middleware.cache.FetchFromCacheMiddleware"
WHOLE = "django.middleware.cache.CacheMiddleware"

urlpatterns = [
    path("", lambda request: HttpResponse()),
    path("cached/", secure()(cache_page(60)(lambda request: HttpResponse(request.claims["sub"])))),
]

#: With these, nothing is to be warned of.
RESOURCE = {"resource": "https://api.example.com"}
PRUDENT = {**VALID, "AUDIENCE": "api"}
SHARED = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://localhost"}}


def _warnings():
    messages = run_checks(tags=["oauth_jwt"], include_deployment_checks=True)
    assert all(isinstance(message, CheckWarning) and message.hint for message in messages)
    return [message.id.removeprefix("oauth_jwt.") for message in messages]


@pytest.fixture
def recent_django(monkeypatch):
    """A Django that nothing is to be said of, whichever the tests run with."""
    monkeypatch.setattr("django.VERSION", max(django.VERSION, (6, 0, 6, "final", 0)))


@pytest.fixture
def prudent(settings, recent_django):
    """Settings that give no warning."""
    settings.OAUTH_JWT = PRUDENT
    settings.CACHES = SHARED
    settings.MIDDLEWARE = [OURS]
    return settings


def test_a_prudent_project_is_warned_of_nothing(prudent):
    """The warnings are worth reading only while they can be silenced by doing what they say."""
    assert _warnings() == []


BOTH = {"https://a.example.com": {}, "https://b.example.com": {"LEEWAY": 600, "REQUIRED_CLAIMS": ["sub"]}}


@pytest.mark.parametrize(
    ("oauth_jwt", "warnings"),
    [
        ({**PRUDENT, "REQUIRED_CLAIMS": []}, ["W010"]),
        ({**PRUDENT, "REQUIRED_CLAIMS": ["sub", "iat"]}, ["W010"]),
        ({**PRUDENT, "REQUIRED_CLAIMS": ["sub", "exp"]}, []),
        ({**PRUDENT, "LEEWAY": 300}, []),
        ({**PRUDENT, "LEEWAY": 300.5}, ["W011"]),
        ({**PRUDENT, "LEEWAY": 31536000}, ["W011"]),
        ({"ISSUERS": BOTH, "AUDIENCE": "a"}, ["W010", "W011"]),
        ({"ISSUERS": BOTH, "AUDIENCE": "a", "LEEWAY": 301, "REQUIRED_CLAIMS": []}, ["W010", "W011", "W010", "W011"]),
    ],
)
def test_tokens_that_live_too_long_are_warned_of(prudent, oauth_jwt, warnings):
    """W010 for each issuer whose tokens need no `exp`, W011 for a LEEWAY beyond five minutes."""
    prudent.OAUTH_JWT = oauth_jwt
    assert _warnings() == warnings


class BearerChild(BearerJwtAuthentication):
    """A project's subclass of the authenticator."""


class OurChild(JwtBearerMiddleware):
    """A project's subclass of the middleware."""


class LoginChild(LoginRequiredMiddleware):
    """A project's subclass of Django's."""


class AuthChild(AuthenticationMiddleware):
    """Another one."""


OUR_CHILD, LOGIN_CHILD, AUTH_CHILD = (f"{__name__}.{name}" for name in ("OurChild", "LoginChild", "AuthChild"))


@pytest.mark.parametrize("middleware", [[], [CSRF], ["nowhere.at.all"]])
@pytest.mark.parametrize(
    ("oauth_jwt", "keys"),
    [
        ({"SCOPE": "read"}, "SCOPE"),
        ({"CLAIMS": ["role"]}, "CLAIMS"),
        ({"PROTECTED_PATHS": ["/api/"]}, "PROTECTED_PATHS"),
        ({"EXEMPT_PATHS": ["/health/"]}, "EXEMPT_PATHS"),
        ({"EXEMPT_PATHS": ["/health/"], "SCOPE": ["read"]}, "SCOPE, EXEMPT_PATHS"),
    ],
)
def test_settings_of_a_middleware_that_is_not_there_are_warned_of(prudent, middleware, oauth_jwt, keys):
    """W008: without the middleware they require nothing, and nobody would notice."""
    prudent.OAUTH_JWT, prudent.MIDDLEWARE = {**PRUDENT, **oauth_jwt}, middleware
    (message,) = run_checks(tags=["oauth_jwt"], include_deployment_checks=True)
    assert message.id == "oauth_jwt.W008"
    assert message.msg.startswith(f"{keys}: ")
    for listed in (OURS, OUR_CHILD):
        prudent.MIDDLEWARE = [*middleware, listed]
        assert "W008" not in _warnings()


@pytest.mark.parametrize("empty", [{"SCOPE": []}, {"CLAIMS": []}, {"PROTECTED_PATHS": []}, {"EXEMPT_PATHS": None}])
def test_settings_that_ask_for_nothing_need_no_middleware(prudent, empty):
    """Written out or not, they are as they are by default."""
    prudent.OAUTH_JWT, prudent.MIDDLEWARE = {**PRUDENT, **empty}, []
    assert _warnings() == []


@pytest.mark.parametrize(
    ("listed", "warnings"),
    [
        (None, ["W012"]),
        ([], ["W012"]),
        ([BEARER], ["W012"]),
        ([TOKEN, BEARER], ["W012"]),
        ([TOKEN, f"{__name__}.BearerChild"], ["W012"]),
        ([TOKEN], []),
        ([BEARER, TOKEN], []),
        ([BearerJwtAuthentication, TokenAuthentication], []),
        ([f"{__name__}.BearerChild", TOKEN], []),
        ([TOKEN, BEARER, f"{__name__}.BearerChild"], []),
        (("nowhere.at.all", BEARER), ["W012"]),
    ],
)
def test_foreign_tokens_that_nobody_takes_are_warned_of(prudent, listed, warnings):
    """W012: PASS_FOREIGN_TOKENS needs an authenticator below ours, and without the setting nothing is said.

    Where DRF's default classes are all of others, ours stands in lists of views, with what is below it there.
    """
    prudent.REST_FRAMEWORK = {} if listed is None else {"DEFAULT_AUTHENTICATION_CLASSES": listed}
    assert _warnings() == []
    prudent.OAUTH_JWT = {**PRUDENT, "PASS_FOREIGN_TOKENS": True}
    assert _warnings() == warnings


@pytest.mark.parametrize("rest_framework", [None, {"DEFAULT_AUTHENTICATION_CLASSES": None}])
def test_rest_framework_without_default_authenticators_is_read(prudent, rest_framework):
    """Where each view has a list of its own, None says so as well as an empty list."""
    prudent.REST_FRAMEWORK = rest_framework
    assert _warnings() == []
    prudent.OAUTH_JWT = {**PRUDENT, "PASS_FOREIGN_TOKENS": True}
    assert _warnings() == ["W012"]


def test_foreign_tokens_in_a_project_without_rest_framework_are_warned_of(prudent):
    """The setting does nothing there, unless it has django-ninja."""
    del prudent.REST_FRAMEWORK
    prudent.OAUTH_JWT = {**PRUDENT, "PASS_FOREIGN_TOKENS": True}
    assert _warnings() == ["W012"]


def test_warnings_are_for_deployment(settings, recent_django):
    """In development nobody wants to hear of them."""
    settings.OAUTH_JWT = {"JWKS_URI": VALID["JWKS_URI"]}
    assert run_checks(tags=["oauth_jwt"]) == []
    assert _warnings() == ["W001", "W002", "W003"]


@pytest.mark.parametrize(
    ("oauth_jwt", "warnings"),
    [
        ({**PRUDENT, "AUDIENCE": None}, ["W001"]),
        ({**PRUDENT, "ISSUER": None}, ["W002"]),
        ({**PRUDENT, "ALLOW_INSECURE_HTTP": True}, ["W004"]),
        ({**PRUDENT, "ALLOW_INSECURE_HTTP": False}, []),
        ({"ISSUERS": {"https://a.example.com": {"AUDIENCE": "a"}, "https://b.example.com": {}}}, ["W001"]),
        ({"ISSUERS": {"https://a.example.com": {}, "https://b.example.com": {}}}, ["W001", "W001"]),
        ({"ISSUERS": {"https://a.example.com": {}, "https://b.example.com": {}}, "AUDIENCE": "a"}, []),
        ({**PRUDENT, "AUDIENCE": None, "RESOURCE_METADATA": RESOURCE}, []),
        ({**PRUDENT, "RESOURCE_METADATA": RESOURCE, "INVALID_TOKEN_STATUS": 403}, ["W013"]),
        ({**PRUDENT, "RESOURCE_METADATA": RESOURCE, "INVALID_TOKEN_STATUS": 401}, []),
        ({**PRUDENT, "INVALID_TOKEN_STATUS": 403}, []),
    ],
)
def test_lax_settings_are_warned_of(prudent, oauth_jwt, warnings):
    """W001 for each issuer without audience, W002 without issuer, W004 for http, W013 for a 403 that agents get."""
    prudent.OAUTH_JWT = oauth_jwt
    assert _warnings() == warnings


class OwnMemory(LocMemCache):
    """A project's subclass of Django's."""


class OwnFiles(FileBasedCache):
    """Another one."""


class OwnTable(DatabaseCache):
    """Another one."""


OWN_MEMORY, OWN_FILES, OWN_TABLE = (f"{__name__}.{name}" for name in ("OwnMemory", "OwnFiles", "OwnTable"))
LOCAL, DUMMY = "django.core.cache.backends.locmem.LocMemCache", "django.core.cache.backends.dummy.DummyCache"
FILES, DATABASE = "django.core.cache.backends.filebased.FileBasedCache", "django.core.cache.backends.db.DatabaseCache"


@pytest.mark.parametrize(
    ("oauth_jwt", "is_warned"),
    [
        ({}, False),
        ({"DPOP": {}}, False),
        ({"DPOP": {"OFFER": False}}, False),
        ({"DPOP": {"NONCE": True}}, True),
        ({"DPOP": {"PROOF_SECONDS": 30}}, True),
        ({"DPOP": {"OFFER": True}}, True),
        ({"REQUIRE_BOUND_TOKENS": True}, True),
        ({"REQUIRE_BOUND_TOKENS": True, "CLIENT_CERTIFICATE": {"SOURCE": "wsgi"}}, False),
        ({"DPOP": {"OFFER": True}, "CLIENT_CERTIFICATE": {"SOURCE": "wsgi"}}, True),
    ],
)
@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ({"BACKEND": LOCAL}, "remembers what its own process was sent"),
        ({"BACKEND": DUMMY}, "remembers nothing"),
        ({"BACKEND": FILES, "LOCATION": "/tmp/x"}, "cannot tell two uses at the same time apart"),
        ({"BACKEND": OWN_MEMORY}, "remembers what its own process was sent"),
        ({"BACKEND": OWN_FILES, "LOCATION": "/tmp/x"}, "cannot tell two uses at the same time apart"),
        ({"BACKEND": OWN_TABLE, "LOCATION": "x"}, "keeps no more than 300 entries"),
        ({"BACKEND": DATABASE, "LOCATION": "x"}, "keeps no more than 300 entries"),
        ({"BACKEND": DATABASE, "LOCATION": "x", "OPTIONS": {"MAX_ENTRIES": 9_999}}, "keeps no more than 9999 entries"),
    ],
)
def test_a_cache_that_forgets_proofs_is_warned_of(prudent, oauth_jwt, is_warned, backend, words):
    """W014: where DPoP is offered or set up, a proof would be good once in each process, or for ever, or never."""
    prudent.CACHES = {**SHARED, "own": backend}
    prudent.OAUTH_JWT = {**PRUDENT, **oauth_jwt, "JWKS_URI": None, "JWKS_SERVICE": SERVICE}
    assert _warnings() == []
    prudent.OAUTH_JWT = {**prudent.OAUTH_JWT, "CACHE": "own"}
    messages = run_checks(tags=["oauth_jwt"], include_deployment_checks=True)
    assert [message.id for message in messages] == ["oauth_jwt.W014"] * is_warned
    assert all(words in message.msg and "'own'" in message.msg for message in messages)


def test_a_database_with_room_for_proofs_is_none(prudent):
    """Ten thousand entries are some minutes of proofs."""
    own = {"BACKEND": DATABASE, "LOCATION": "x", "OPTIONS": {"MAX_ENTRIES": 10_000}}
    prudent.CACHES = {**SHARED, "own": own}
    prudent.OAUTH_JWT = {**PRUDENT, "REQUIRE_BOUND_TOKENS": True, "CACHE": "own"}
    assert _warnings() == []


@pytest.mark.parametrize(
    ("own", "entries"),
    [
        ({"OPTIONS": {"MAX_ENTRIES": "20000"}}, None),
        ({"OPTIONS": {"MAX_ENTRIES": "9999"}}, 9_999),
        ({"OPTIONS": {"MAX_ENTRIES": None}}, 300),
        ({"OPTIONS": {"MAX_ENTRIES": "many"}}, 300),
        ({"OPTIONS": None}, 300),
        ({"max_entries": 20_000}, None),
        ({"max_entries": "9999", "OPTIONS": {"MAX_ENTRIES": 20_000}}, 9_999),
    ],
)
@pytest.mark.parametrize("backend", [DATABASE, FILES])
def test_the_size_of_a_cache_is_what_django_makes_of_it(prudent, backend, own, entries):
    """As text, as it comes from the environment, in Django's older spelling, or wrong: then it is Django's default."""
    prudent.CACHES = {"default": {"BACKEND": backend, "LOCATION": "/tmp/x", **own}}
    assert _warnings() == []
    if own.get("OPTIONS", {}) is not None:  # which no cache of Django's takes
        assert caches.create_connection("default")._max_entries == (entries or 20_000)
    prudent.OAUTH_JWT = {**PRUDENT, "IS_REVOKED": SHIPPED}
    messages = run_checks(tags=["oauth_jwt"], include_deployment_checks=True)
    assert [message.id for message in messages] == ["oauth_jwt.W015"] * (entries is not None)
    assert all(f"no more than {entries} entries" in message.msg for message in messages)


SHIPPED = "django_oauth_jwt.revocation.is_revoked"


def test_a_size_without_end_is_no_traceback(prudent):
    """It is as wrong as any other that Django cannot read, though Django ends in an error there."""
    prudent.CACHES = {"default": {"BACKEND": DATABASE, "LOCATION": "x", "OPTIONS": {"MAX_ENTRIES": float("inf")}}}
    prudent.OAUTH_JWT = {**PRUDENT, "IS_REVOKED": SHIPPED}
    assert _warnings() == ["W015"]


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ({"BACKEND": LOCAL}, "remembers what its own process was sent"),
        ({"BACKEND": DUMMY}, "remembers nothing"),
        ({"BACKEND": FILES, "LOCATION": "/tmp/x"}, "keeps no more than 300 entries"),
        ({"BACKEND": DATABASE, "LOCATION": "x"}, "keeps no more than 300 entries"),
        ({"BACKEND": OWN_MEMORY}, "remembers what its own process was sent"),
        ({"BACKEND": OWN_FILES, "LOCATION": "/tmp/x"}, "keeps no more than 300 entries"),
        ({"BACKEND": DATABASE, "LOCATION": "x", "OPTIONS": {"MAX_ENTRIES": 9_999}}, "keeps no more than 9999 entries"),
        ({"BACKEND": FILES, "LOCATION": "/tmp/x", "OPTIONS": {"MAX_ENTRIES": 10_000}}, None),
        ({"BACKEND": DATABASE, "LOCATION": "x", "OPTIONS": {"MAX_ENTRIES": 10_000}}, None),
        (SHARED["default"], None),
    ],
)
def test_a_cache_that_forgets_revoked_tokens_is_warned_of(prudent, backend, words):
    """W015: where it is the shipped denylist that is asked, and not something of the project's own."""
    prudent.CACHES = {**SHARED, "own": backend}
    keys = {"JWKS_URI": None, "JWKS_SERVICE": SERVICE, "CACHE": "own"}
    for is_revoked, is_asked in ((SHIPPED, True), (import_string(SHIPPED), True), (resolver, False), (None, False)):
        prudent.OAUTH_JWT = {**PRUDENT, **keys, "IS_REVOKED": is_revoked}
        messages = run_checks(tags=["oauth_jwt"], include_deployment_checks=True)
        assert [message.id for message in messages] == ["oauth_jwt.W015"] * (is_asked and words is not None)
        assert all(words in message.msg and "'own'" in message.msg for message in messages)


def test_a_warning_names_the_issuer_in_question(prudent):
    """Of several it is to be seen which one."""
    prudent.OAUTH_JWT = {"ISSUERS": {"https://a.example.com": {"AUDIENCE": "a"}, "https://b.example.com": {}}}
    (message,) = run_checks(tags=["oauth_jwt"], include_deployment_checks=True)
    assert "https://b.example.com" in message.msg


def test_bad_settings_give_their_errors_and_no_warnings(prudent):
    """First things first."""
    prudent.OAUTH_JWT = {"LEEWAY": -1}
    messages = run_checks(tags=["oauth_jwt"], include_deployment_checks=True)
    assert [message.id for message in messages] == ["oauth_jwt.E003"]


@pytest.mark.parametrize(
    ("backend", "warnings"),
    [
        ("django.core.cache.backends.locmem.LocMemCache", ["W003"]),
        ("django.core.cache.backends.dummy.DummyCache", ["W003"]),
        (OWN_MEMORY, ["W003"]),
        ("django.core.cache.backends.db.DatabaseCache", []),
        ("django.core.cache.backends.memcached.PyMemcacheCache", []),
        ("django_redis.cache.RedisCache", []),
    ],
)
def test_a_cache_of_one_process_is_warned_of(prudent, backend, warnings):
    """W003 goes by the cache that the keys are in, not by the default one."""
    prudent.CACHES = {"default": SHARED["default"], "keys": {"BACKEND": backend}}
    assert _warnings() == []
    prudent.OAUTH_JWT = {**PRUDENT, "CACHE": "keys"}
    assert _warnings() == warnings


def test_services_of_the_projects_own_need_no_cache(prudent):
    """Only keys that are fetched are shared through the cache."""
    prudent.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    own = {"JWKS_SERVICE": SERVICE}
    prudent.OAUTH_JWT = {"ISSUER": "https://a.example.com", **own, "AUDIENCE": "a"}
    assert _warnings() == []
    prudent.OAUTH_JWT = {"ISSUERS": {"https://a.example.com": own, "https://b.example.com": {}}, "AUDIENCE": "a"}
    assert _warnings() == ["W003"]


@pytest.mark.parametrize("configured", [{}, {"default": {}}])
def test_a_cache_that_is_not_there_is_left_to_djangos_check(prudent, configured):
    """The checks go on, so that Django's own can say so."""
    prudent.CACHES = configured
    assert _warnings() == []


@pytest.mark.parametrize(
    ("middleware", "warnings"),
    [
        ([], []),
        ([CSRF, LOGIN, FETCH], []),
        ([OURS], []),
        ([SESSION, OURS, CSRF, FETCH], []),
        ([CSRF, OURS], ["W005"]),
        ([LOGIN, SESSION, OURS], ["W005"]),
        ([CSRF, LOGIN, OURS], ["W005", "W005"]),
        ([LOGIN, OURS, CSRF], ["W005"]),
        ([FETCH, OURS], ["W006"]),
        ([WHOLE, OURS], ["W006"]),
        ([OURS, FETCH, WHOLE], []),
        ([CSRF, FETCH, OURS], ["W005", "W006"]),
        ([CORS, OURS], []),
        ([OURS, CORS], ["W009"]),
        ([OURS, SESSION, CORS], ["W009"]),
        ([CSRF, OURS, CORS], ["W005", "W009"]),
        ([CORS], []),
        ([OUR_CHILD, CORS], ["W009"]),
        ([CSRF, OUR_CHILD], ["W005"]),
        ([LOGIN_CHILD, OURS], ["W005"]),
        (["nowhere.at.all", OURS], []),
    ],
)
def test_middleware_that_answers_first_is_warned_of(prudent, middleware, warnings):
    """W005 and W006 for what stands above ours and should not, W009 for what should; subclasses as their parents."""
    prudent.OAUTH_JWT = {**PRUDENT, "USER_RESOLVER": resolver}
    prudent.MIDDLEWARE = middleware
    assert _warnings() == warnings


@pytest.mark.parametrize(
    ("middleware", "others"),
    [
        ([OURS, SESSION, AUTH, "books.Audit", CSRF, "books.Log"], "books.Audit, books.Log"),
        ([OUR_CHILD, AUTH_CHILD, "books.Audit"], "books.Audit"),
        ([SESSION, AUTH, OURS, CSRF, "books.Audit"], None),
        ([OURS, "books.Audit", SESSION, CSRF, AUTH], None),
        ([OURS, SESSION, CSRF, AUTH, LOGIN], None),
        ([OURS, SESSION, "books.Audit"], None),
    ],
)
def test_a_user_that_the_session_replaces_is_warned_of(prudent, middleware, others):
    """W005: where a resolver has a user for middleware of others, and Django's stands between them and ours."""
    prudent.MIDDLEWARE = [entry for entry in middleware if entry != LOGIN]
    assert _warnings() == []
    prudent.OAUTH_JWT, prudent.MIDDLEWARE = {**PRUDENT, "USER_RESOLVER": resolver}, middleware
    messages = run_checks(tags=["oauth_jwt"], include_deployment_checks=True)
    assert [message.id for message in messages] == ["oauth_jwt.W005"] * (others is not None)
    assert all(f"gives {others} the session's user" in message.msg for message in messages)


@pytest.mark.parametrize("middleware", [[OURS, LOGIN], [LOGIN, OURS]])
def test_a_log_in_that_no_token_replaces_is_warned_of(prudent, middleware):
    """W005: without a resolver request.user is anonymous, so LoginRequiredMiddleware redirects wherever it stands."""
    prudent.MIDDLEWARE = middleware
    *_, message = run_checks(tags=["oauth_jwt"], include_deployment_checks=True)
    assert message.id == "oauth_jwt.W005"
    assert repr(VALID["ISSUER"]) in message.msg
    assert message.hint == "Set USER_RESOLVER, or leave LoginRequiredMiddleware out."


@pytest.mark.parametrize(
    ("oauth_jwt", "whose"),
    [
        ({"JWKS_SERVICE": SERVICE, "AUDIENCE": "a"}, "any issuer"),
        (
            {
                "ISSUERS": {"https://a.example.com": {"USER_RESOLVER": resolver}, "https://b.example.com": {}},
                "AUDIENCE": "a",
            },
            "'https://b.example.com'",
        ),
    ],
)
def test_the_issuers_without_a_resolver_are_named(prudent, oauth_jwt, whose):
    """Of several it is to be seen which one brings no user."""
    prudent.OAUTH_JWT, prudent.MIDDLEWARE = oauth_jwt, [OURS, LOGIN]
    message = run_checks(tags=["oauth_jwt"], include_deployment_checks=True)[-1]
    assert f"tokens of {whose} bring no user" in message.msg


@pytest.mark.parametrize(
    ("version", "warnings"),
    [
        ((5, 2, 0, "final", 0), ["W007"]),
        ((5, 2, 14, "final", 0), ["W007"]),
        ((5, 2, 15, "final", 0), []),
        ((6, 0, 0, "final", 0), ["W007"]),
        ((6, 0, 5, "final", 0), ["W007"]),
        ((6, 0, 6, "final", 0), []),
        ((6, 1, 0, "final", 0), []),
    ],
)
def test_a_django_whose_cache_mixes_up_tokens_is_warned_of(prudent, monkeypatch, version, warnings):
    """W007: `cache_page` varies by Authorization since 5.2.15 and 6.0.6 only."""
    monkeypatch.setattr("django.VERSION", version)
    assert _warnings() == warnings


@pytest.mark.urls(__name__)
def test_what_w007_is_about_happens_in_old_versions_only(rsa_issuer, settings):
    """Two users of a page that is cached beneath `secure` see their own, unless there is the warning."""
    with rsa_issuer.installed():
        for sub in ("anna", "ben"):
            content = Client().get("/cached/", headers=rsa_issuer.headers(sub=sub)).content.decode()
    settings.OAUTH_JWT, settings.CACHES = PRUDENT, SHARED
    assert (content == "ben") == (_warnings() == [])


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(("middleware", "status"), [([CSRF, OURS], 403), ([OURS, CSRF], 200)])
def test_what_is_warned_of_does_happen(rsa_issuer, settings, recent_django, middleware, status):
    """Below CsrfViewMiddleware a good token does not help a POST; above it does."""
    settings.MIDDLEWARE = middleware
    with rsa_issuer.installed():
        client = Client(enforce_csrf_checks=True)
        assert client.post("/", headers=rsa_issuer.headers()).status_code == status
    settings.OAUTH_JWT, settings.CACHES = PRUDENT, SHARED
    assert _warnings() == ([] if status == 200 else ["W005"])
