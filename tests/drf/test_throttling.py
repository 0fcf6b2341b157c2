"""`TokenRateThrottle` counts whom a token speaks for, whichever user the project makes of it."""

import re

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.throttling import SimpleRateThrottle, UserRateThrottle

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import token_not_required
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.throttling import TokenRateThrottle

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"
RESOLVER = "django_oauth_jwt.contrib.accounts.resolve_user"


class Once(TokenRateThrottle):
    """One request a minute."""

    rate = "1/min"


@pytest.fixture
def status_of(serve, rsa_issuer):
    """The status of a request with a token of these claims to a view with the throttle."""
    client = serve(throttle_classes=[Once])
    return lambda **claims: client.get("/", headers=rsa_issuer.headers(**claims)).status_code


@pytest.mark.parametrize(
    ("first", "same", "others"),
    [
        ({"sub": "a"}, {"sub": "a", "client_id": "other"}, [{"sub": "b"}, {"sub": None, "client_id": "a"}]),
        ({"sub": None, "client_id": "a"}, {"sub": "", "client_id": "a"}, [{"sub": None, "client_id": "b"}]),
        ({"sub": None, "client_id": None, "jti": "1"}, None, [{"sub": None, "client_id": None, "jti": "2"}]),
    ],
    ids=["subject", "client", "nobody"],
)
def test_it_counts_by_subject_else_by_client_else_by_token(issuer, status_of, first, same, others):
    """Another token of the same one counts with the first, another's does not."""
    assert status_of(**first) == 200
    assert same is None or status_of(**same) == 429
    assert [status_of(**other) for other in others] == [200] * len(others)


def test_one_token_of_nobody_is_counted_by_itself(serve, issuer):
    """All tokens without a name together would lock each other out; one alone is one client."""
    client, headers = serve(throttle_classes=[Once]), issuer.headers(sub=None, client_id=None)
    assert [client.get("/", headers=headers).status_code for _ in range(2)] == [200, 429]


def test_two_issuers_are_counted_apart(settings, rsa_issuer, status_of):
    """Both call somebody a."""
    issuers = ["https://a.example.com", "https://b.example.com"]
    settings.OAUTH_JWT = {"ISSUERS": {iss: {"JWKS_SERVICE": rsa_issuer} for iss in issuers}}
    assert [status_of(iss=iss, sub="a") for iss in (*issuers, issuers[0])] == [200, 200, 429]


def test_without_a_token_it_counts_by_address(serve, issuer):
    """A token of an anonymous address has its own count."""
    client = serve(throttle_classes=[Once])

    def status(address, headers=None):
        return client.get("/", REMOTE_ADDR=address, headers=headers).status_code

    assert [status("192.0.2.1"), status("192.0.2.2"), status("192.0.2.1")] == [200, 200, 429]
    assert status("192.0.2.1", issuer.headers()) == 200


@pytest.mark.parametrize("exempt", [False, True])
def test_the_middlewares_token_counts_where_it_was_accepted(serve, issuer, settings, exempt):
    """On an exempt view it was not: anybody whom the project refuses may have it, so the address counts."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    client = serve(authentication_classes=[SessionAuthentication], throttle_classes=[Once])
    if exempt:
        (pattern,) = settings.ROOT_URLCONF.urlpatterns
        client = serve(token_not_required(pattern.callback))
    statuses = [client.get("/", headers=issuer.headers(sub=sub)).status_code for sub in ("a", "b", "a")]
    assert statuses == ([200, 429, 429] if exempt else [200, 200, 429])


@pytest.mark.django_db
def test_a_resolved_user_is_counted_by_the_token(serve, trust, status_of):
    """Two identities of one user are two subjects; each keeps its count."""
    trust(USER_RESOLVER=RESOLVER)
    assert [status_of(sub=sub) for sub in ("a", "b", "a")] == [200, 200, 429]


@pytest.mark.parametrize("sub", ["a b", "x" * 255, "日本", "a\x7fb"])
def test_its_keys_suit_every_cache(issuer, sub):
    """Memcached takes neither blanks nor more than 250 characters; and nothing of the subject can be read there."""
    request = APIRequestFactory().get("/", headers=issuer.headers(sub=sub))
    key = TokenRateThrottle.get_cache_key(Once(), Request(request, authenticators=[BearerJwtAuthentication()]), None)
    assert re.fullmatch(r"throttle_token_[0-9a-f]{64}", key)


def test_the_rate_is_that_of_token(monkeypatch):
    """In DRF's settings, or that of another scope in a subclass; without one it is an error, as in DRF."""
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"token": "5/min", "slow": "1/day"})
    assert TokenRateThrottle().num_requests == 5
    assert type("Slow", (TokenRateThrottle,), {"scope": "slow"})().duration == 86400
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {})
    with pytest.raises(ImproperlyConfigured, match="'token' scope"):
        TokenRateThrottle()


def test_throttles_of_others_count_a_token_user(serve, issuer):
    """By its `pk`, which is the subject."""

    class TwiceAMinute(UserRateThrottle):
        rate = "2/min"

    client = serve(throttle_classes=[TwiceAMinute])
    statuses = [client.get("/", headers=issuer.headers(sub=sub)).status_code for sub in ("a", "a", "a", "b")]
    assert statuses == [200, 200, 429, 200]


def test_issuers_and_subjects_cannot_be_shifted(rsa_issuer, settings):
    """What ends one name and begins the next is no character of theirs."""
    keys = set()
    for iss, sub in (("https://a", "b"), ("https://a,b", ""), ("https://a", "b,")):
        issuer = TokenIssuer(iss, key=rsa_issuer.keys[0])
        with issuer.installed():
            request = APIRequestFactory().get("/", headers=issuer.headers(sub=sub or None, client_id="b"))
            keys.add(Once().get_cache_key(Request(request, authenticators=[BearerJwtAuthentication()]), None))
    assert len(keys) == 3
