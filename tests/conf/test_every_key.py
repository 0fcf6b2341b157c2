"""Every bad value of every setting is found by the system check, and at first use by whichever entrance is used."""

import asyncio

import pytest
from django.core.checks import Error, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from rest_framework.test import APIClient
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.conf import get_settings, read
from django_oauth_jwt.conf.rules import ISSUER_RULES, NULLABLE_KEYS, RULES
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.verification import averify_token, verify_token

from .samples import ALL_BAD, BAD, GOOD, ISSUER, NULLABLE, VALID

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"


class ApiView(APIView):
    authentication_classes = (BearerJwtAuthentication,)


async def async_view(request):
    return HttpResponse()


urlpatterns = [
    path("plain/", lambda request: HttpResponse()),
    path("secured/", secure()(lambda request: HttpResponse())),
    path("async/", secure()(async_view)),
    path("api/", ApiView.as_view()),
]
pytestmark = pytest.mark.urls(__name__)

#: How code of a project meets the settings for the first time; what the client sends does not matter.
ENTRANCES = {
    "middleware": lambda settings: _behind_middleware(settings, Client().get),
    "middleware, async": lambda settings: asyncio.run(_behind_middleware(settings, AsyncClient().get)),
    "decorator": lambda settings: Client().get("/secured/"),
    "decorator, async": lambda settings: asyncio.run(AsyncClient().get("/async/")),
    "DRF": lambda settings: APIClient().get("/api/"),
    "verify_token": lambda settings: verify_token("a.b.c"),
    "averify_token": lambda settings: asyncio.run(averify_token("a.b.c")),
}


def _behind_middleware(settings, get):
    settings.MIDDLEWARE = [MIDDLEWARE]
    return get("/plain/")


def test_every_key_is_sampled():
    """A key that is added without samples of bad values fails here."""
    assert set(BAD) == set(RULES)
    assert NULLABLE == NULLABLE_KEYS
    assert {key for key, _, _ in GOOD} == set(RULES) - {"ISSUER", "ISSUERS", "JWKS"}  # which have tests of their own


@pytest.mark.parametrize("key", ALL_BAD)
def test_a_bad_value_is_one_problem_that_names_the_key(settings, key):
    """The system check and the first use tell of the same one problem, by the key's name."""
    for value in ALL_BAD[key]:
        settings.OAUTH_JWT = {**VALID, key: value}
        (message,) = run_checks(tags=["oauth_jwt"])
        assert isinstance(message, Error), value
        assert message.id == "oauth_jwt.E003", value
        assert message.msg.startswith("OAUTH_JWT["), value
        assert f"{key!r}]" in message.msg, value
        assert message.hint, value
        with pytest.raises(ImproperlyConfigured) as caught:
            get_settings()
        assert f"{key!r}]" in str(caught.value), value
        assert str(caught.value).endswith(message.hint), value


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize("key", BAD)
def test_a_bad_value_shows_at_first_use(settings, key, entrance):
    """Whichever way a project secures its views, a bad setting is an error that names it, not an answer."""
    settings.OAUTH_JWT = {**VALID, key: BAD[key][0]}
    with pytest.raises(ImproperlyConfigured, match=key):
        ENTRANCES[entrance](settings)


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(
    ("raw", "words"), [([], "must be a dict"), ({}, "JWKS_URI"), ({**VALID, "AUDIENCES": "x"}, "'AUDIENCE'")]
)
def test_bad_settings_as_a_whole_show_at_first_use(settings, raw, words, entrance):
    """The same for settings that are no dict, name no source of keys, or have a typo in a key."""
    settings.OAUTH_JWT = raw
    with pytest.raises(ImproperlyConfigured, match=words):
        ENTRANCES[entrance](settings)


def _held(settings, key):
    """Return what the settings hold for a key."""
    if key in ("SCOPE", "CLAIMS"):
        return getattr(settings.requirements, f"{key.lower()}s".replace("ss", "s"))
    return getattr(settings.issuers[ISSUER] if key in ISSUER_RULES else settings, key.lower())


@pytest.mark.parametrize("key", sorted({key for key, _, _ in GOOD}))
def test_a_good_value_is_ready_for_use(settings, key):
    """What is right passes the checks, and stands in the settings in one form, however it was spelt."""
    for value, held in [(value, held) for name, value, held in GOOD if name == key]:
        settings.OAUTH_JWT = {**VALID, key: value}
        assert run_checks(tags=["oauth_jwt"]) == [], value
        assert _held(get_settings(), key) == held, value


@pytest.mark.parametrize("key", sorted(NULLABLE))
def test_none_is_as_good_as_left_out(key):
    """Settings that come from the environment may leave a key without a value."""
    with_none, _ = read({"ISSUERS": {"https://b.example.com": {}}, **VALID, key: None})
    without, _ = read({"ISSUERS": {"https://b.example.com": {}}, **{k: v for k, v in VALID.items() if k != key}})
    assert with_none == without


@pytest.mark.parametrize("key", ISSUER_RULES)
def test_a_listed_issuers_own_bad_value_is_found_where_it_stands(settings, key):
    """The message leads to the entry of ISSUERS, not only to the key's name."""
    settings.OAUTH_JWT = {"ISSUERS": {ISSUER: {}, "https://b.example.com": {key: BAD[key][0]}}}
    (message,) = run_checks(tags=["oauth_jwt"])
    assert message.id == "oauth_jwt.E003"
    assert message.msg.startswith(f"OAUTH_JWT['ISSUERS']['https://b.example.com'][{key!r}] ")
