"""Several issuers, and services that stand in, through `verify_token` and its async twin."""

from dataclasses import replace
from traceback import walk_tb
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured

from django_oauth_jwt.errors import InvalidToken, KeysUnavailable
from django_oauth_jwt.jws import KeySet
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.verification import verify_token

from ..fixtures.issuers import FailingService

NOW = 1_800_000_000
HUGE = 10**400


@pytest.fixture
def two_issuers(rsa_issuer):
    """Two authorization servers with the same kid, and settings of their own for the second."""
    other = TokenIssuer("https://other.test", alg="ES256")
    listed = {
        rsa_issuer.issuer: {"JWKS_SERVICE": rsa_issuer},
        other.issuer: {
            "JWKS_SERVICE": other,
            "AUDIENCE": "other-api",
            "ALGORITHMS": ["ES256"],
            "TOKEN_TYPES": ["JWT"],
            "REQUIRED_CLAIMS": ["exp", "role"],
            "LEEWAY": 0,
        },
    }
    with rsa_issuer.installed(ISSUER=None, JWKS_SERVICE=None, ISSUERS=listed, AUDIENCE="api", ALGORITHMS=["RS256"]):
        yield rsa_issuer, other


def test_each_issuer_has_its_own_rules(reason_of, two_issuers, frozen_time):
    """What ISSUERS says of one holds for its tokens alone, the rest for all."""
    first, second = two_issuers
    good = {"aud": "other-api", "role": "x", "header": {"typ": "JWT"}}
    assert reason_of(first.token(aud="api", exp=NOW - 5)) is None
    assert reason_of(first.token(aud="other-api")) == "wrong_audience"
    assert reason_of(second.token(**good)) is None
    assert reason_of(second.token(**{**good, "aud": "api"})) == "wrong_audience"
    assert reason_of(second.token(**{**good, "role": None})) == "missing_claim"
    assert reason_of(second.token(**{**good, "header": {}})) == "wrong_type"
    assert reason_of(second.token(**good, exp=NOW)) == "expired"


def test_each_issuers_algorithms_hold_for_its_tokens_alone(reason_of, rsa_issuer):
    """What another issuer may use is no permission, though the key would fit."""
    listed = {
        rsa_issuer.issuer: {"JWKS_SERVICE": rsa_issuer, "ALGORITHMS": ["PS256"]},
        "https://other.test": {"JWKS_SERVICE": rsa_issuer, "ALGORITHMS": ["RS256"]},
    }
    with rsa_issuer.installed(ISSUER=None, JWKS_SERVICE=None, ISSUERS=listed):
        assert reason_of(rsa_issuer.token()) == "wrong_algorithm"
        assert reason_of(rsa_issuer.token(iss="https://other.test")) is None


def test_one_issuers_key_signs_nothing_for_another(reason_of, two_issuers):
    """The claim iss says whose keys are asked, so a trusted server cannot speak for its neighbour."""
    first, second = two_issuers
    assert reason_of(first.token(aud="api", iss=second.issuer)) == "wrong_algorithm"
    assert reason_of(second.token(aud="api", iss=first.issuer)) == "wrong_algorithm"
    twin = TokenIssuer(first.issuer)
    assert reason_of(twin.token(aud="api")) == "bad_signature"
    assert reason_of(twin.token(aud="api", iss="https://third.test")) == "wrong_issuer"


def test_a_service_of_the_callers_own_stands_in(reason_of, rsa_issuer, signing_key, settings):
    """jwks_service says where the keys are, also where the settings name no source at all."""
    settings.OAUTH_JWT = {}
    other = TokenIssuer("https://other.test", key=signing_key("EdDSA"))
    assert reason_of(other.token(), jwks_service=other) is None
    assert reason_of(other.token(iss=rsa_issuer.issuer), jwks_service=rsa_issuer) == "wrong_algorithm"
    assert reason_of(other.token(), jwks_service=other) is None


def test_a_service_of_the_settings_that_cannot_be_made_is_their_fault(settings, rsa_issuer):
    """As any other setting that is wrong, and unlike an entry of ISSUER_RESOLVER."""

    def make():
        raise OSError("no such host")

    def make_with(vault):
        raise AssertionError

    for factory, words in ((make, "raised OSError: no such host"), (make_with, "cannot be made without arguments: ")):
        settings.OAUTH_JWT = {"ISSUER": rsa_issuer.issuer, "JWKS_SERVICE": factory}
        with pytest.raises(ImproperlyConfigured, match=words):
            verify_token(rsa_issuer.token())


@pytest.mark.parametrize("error", [KeysUnavailable(77), InvalidToken("frozen", "Tenant is frozen")], ids=type)
def test_what_a_factory_says_to_requests_is_passed_on(settings, rsa_issuer, error):
    """A BearerError is its own word, as that of a service; the next request asks it again."""
    made = []

    def make():
        made.append(1)
        if len(made) < 3:
            raise error
        return rsa_issuer

    settings.OAUTH_JWT = {"ISSUER": rsa_issuer.issuer, "JWKS_SERVICE": make}
    for _ in range(2):
        with pytest.raises(type(error)) as caught:
            verify_token(rsa_issuer.token())
        assert caught.value.__dict__ == error.__dict__
    assert verify_token(rsa_issuer.token()).issuer == rsa_issuer.issuer


def test_a_service_of_one_issuer_speaks_for_that_one(reason_of, rsa_issuer, signing_key):
    """It need not be listed, and cannot sign in the name of one that is: what holds for all holds for it."""
    partner = TokenIssuer("https://partner.test", key=signing_key("ES256"))
    with rsa_issuer.installed(AUDIENCE="api"):
        assert reason_of(partner.token(aud="api"), jwks_service=partner) is None
        assert reason_of(partner.token(aud="other"), jwks_service=partner) == "wrong_audience"
        assert reason_of(partner.token(aud="api", iss=rsa_issuer.issuer), jwks_service=partner) == "wrong_issuer"
        assert reason_of(partner.token(aud="api", iss=None), jwks_service=partner) == "wrong_issuer"
        assert reason_of(partner.token(aud="api")) == "wrong_issuer"


def test_a_service_of_a_listed_issuer_has_its_rules(reason_of, two_issuers):
    """What ISSUERS says of it holds, wherever its keys come from."""
    _, second = two_issuers
    twin = TokenIssuer(second.issuer, key=second.keys[0])
    good = {"aud": "other-api", "role": "x", "header": {"typ": "JWT"}}
    assert reason_of(twin.token(**good), jwks_service=twin) is None
    assert reason_of(twin.token(**{**good, "aud": "api"}), jwks_service=twin) == "wrong_audience"


def test_a_service_of_no_issuer_leaves_it_to_the_settings(reason_of, rsa_issuer):
    """Keys alone say nothing of who may use them."""
    keys = SimpleNamespace(
        current=rsa_issuer.current, key_set_for=rsa_issuer.key_set_for, akey_set_for=rsa_issuer.akey_set_for
    )
    with rsa_issuer.installed():
        assert reason_of(rsa_issuer.token(), jwks_service=keys) is None
        assert reason_of(rsa_issuer.token(iss="https://partner.test"), jwks_service=keys) == "wrong_issuer"


def test_without_keys_nothing_is_said_of_the_token(verify, rsa_issuer):
    """The service's own refusal comes through."""
    down = FailingService(rsa_issuer.keys[-1], KeysUnavailable(7))
    with down.installed(), pytest.raises(KeysUnavailable) as caught:
        verify(down.token())
    assert caught.value.retry_after == 7


def test_a_service_that_fails_is_a_503_and_logged_without_the_token(verify, rsa_issuer, caplog):
    """A bug in a service of the project's own is no 500, and no error report shows a token that is good."""
    broken = FailingService(rsa_issuer.keys[-1], RuntimeError("out of order"))
    token = broken.token()
    with broken.installed(), pytest.raises(KeysUnavailable):
        verify(token)
    (record,) = caplog.records
    assert (record.name, record.levelname, str(record.exc_info[1])) == ("django_oauth_jwt", "ERROR", "out of order")
    frames = [frame for frame, _ in walk_tb(record.exc_info[2])]
    assert frames
    assert token[-300:] not in repr([frame.f_locals for frame in frames])


def _raises(error):
    def raises(*args):
        raise error

    return raises


@pytest.mark.parametrize("kind", [ConnectionError, SystemExit])
@pytest.mark.parametrize("place", ["select", "verify"])
def test_keys_of_the_projects_own_that_raise_show_nothing_of_the_token(verify, rsa_issuer, place, kind):
    """Whatever they raise comes through as it is, and a report has neither the token nor a part of it."""
    error = kind("out of order")
    (key,) = KeySet.from_jwks(rsa_issuer.jwks())
    broken = SimpleNamespace(prepared_key=key.verifiers["RS256"].prepared_key, verify=_raises(error))
    kinds = {"verify": KeySet, "select": type("OwnKeySet", (KeySet,), {"select": _raises(error)})}
    key_set = kinds[place]((replace(key, verifiers={"RS256": broken}),))
    service = TokenIssuer(key=rsa_issuer.keys[-1])
    service.key_set_for = lambda kid, alg: key_set
    service.akey_set_for = sync_to_async(service.key_set_for)
    token = service.token()
    with service.installed(), pytest.raises(kind) as caught:
        verify(token)
    assert caught.value is error
    frames = [frame for frame, _ in walk_tb(error.__traceback__) if "django_oauth_jwt" in frame.f_globals["__name__"]]
    assert any(frame.f_code.co_name == "_check_signature" for frame in frames)
    shown = repr([frame.f_locals for frame in frames])
    assert not [part for part in token.split(".") if part in shown]


def test_a_service_that_fails_later_is_a_503_for_remembered_tokens_too(verify, rsa_issuer):
    """It is asked whether its keys are still the same."""

    class BreaksLater(TokenIssuer):
        def current(self):
            raise RuntimeError("out of order")

    service = BreaksLater(key=rsa_issuer.keys[-1])
    token = service.token()
    with service.installed():
        verify(token)
        with pytest.raises(KeysUnavailable):
            verify(token)


@pytest.mark.parametrize("refusal", [KeysUnavailable(7), InvalidToken("wrong_tenant", "Not yours", detail="x")])
def test_a_refusal_of_a_services_own_is_passed_on(verify, rsa_issuer, caplog, refusal):
    """Also where a remembered token asks for the keys in memory: it is no failure, and says when to come back."""

    class Refusing(TokenIssuer):
        def current(self):
            raise refusal

    service = Refusing(key=rsa_issuer.keys[-1])
    token = service.token()
    with service.installed():
        verify(token)
        with pytest.raises(type(refusal)) as caught:
            verify(token)
    assert (caught.value.reason, caught.value.detail) == (refusal.reason, refusal.detail)
    assert getattr(caught.value, "retry_after", 7) == 7
    assert caplog.records == []


def test_a_service_that_returns_no_key_set_is_a_503_and_logged(verify, rsa_issuer, caplog):
    """What it returned instead is named."""

    class Nothing(TokenIssuer):
        def key_set_for(self, kid, alg):
            return None

        async def akey_set_for(self, kid, alg):
            return None

    service = Nothing(key=rsa_issuer.keys[-1])
    with service.installed(), pytest.raises(KeysUnavailable):
        verify(service.token())
    (record,) = caplog.records
    assert str(record.exc_info[1]) == "a key service returns a KeySet, not NoneType"
