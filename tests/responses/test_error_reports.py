"""What an error report shows where a project's code fails: whoever reads it must not be able to use the token."""

import asyncio
import logging
import sys
from contextlib import contextmanager, suppress
from functools import cache
from traceback import walk_tb
from unittest.mock import patch

import pytest
from django.core.signals import got_request_exception
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path
from django.views import debug
from ninja import NinjaAPI
from ninja.security import django_auth
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.response import Response

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.contrib.ninja import BearerJwt
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.diagnosis import explain
from django_oauth_jwt.http import state_of
from django_oauth_jwt.jws import EncodedToken
from django_oauth_jwt.permissions import HasScope
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.verification import (
    averify_token,
    read_token,
    remembered_or_steps,
    verify_token,
)

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"
PACKAGE = "django_oauth_jwt."


class Broken(Exception):
    """What a project's code ends in."""


def fail(*args, **kwargs):
    raise Broken


async def afail(*args, **kwargs):
    raise Broken


def view(request):
    return HttpResponse() if request.GET.get("well") else fail()


async def async_view(request):
    return view(request)


@api_view()
@authentication_classes([BearerJwtAuthentication])
@permission_classes([HasScope("read")])
def drf_view(request):
    return Response() if request.GET.get("well") else fail()


ninja_api = NinjaAPI(urls_namespace="error reports", auth=BearerJwt(scope="read"))


@ninja_api.get("/sync/")
def operation(request):
    return view(request)


@ninja_api.get("/async/")
async def async_operation(request):
    return view(request)


@api_view()
@authentication_classes([BearerJwtAuthentication, SessionAuthentication])
def drf_view_of_two(request):
    return Response()


api_of_two = NinjaAPI(urls_namespace="error reports of two", auth=[BearerJwt(), django_auth])
api_of_two.get("/sync/")(lambda request: None)


@api_of_two.get("/async/")
async def async_operation_of_two(request):
    pass


urlpatterns = [
    path("two/drf/", drf_view_of_two),
    path("two/ninja/", api_of_two.urls),
    path("def/", secure(scope="read")(view)),
    path("async/", secure(scope="read")(async_view)),
    path("drf/", drf_view),
    path("ninja/", ninja_api.urls),
    path("middleware/", view),
    path("open/", token_not_required(view)),
]
# To render the reports takes longest, and that is mostly lines of Django.
pytestmark = [pytest.mark.urls(__name__), pytest.mark.unmeasured]


class Service(TokenIssuer):
    """A key service of which a method is replaced."""

    def __init__(self, key, **replaced):
        super().__init__(key=key)
        for name, method in replaced.items():
            setattr(self, name, method)


class ServiceOfABrokenIssuer(TokenIssuer):
    """A key service that cannot say whose keys it has."""

    issuer = property(fail, lambda self, value: None)


async def _nothing(*args):
    return None


#: By what fails: the methods of the key service that are replaced.
SERVICES = {
    "current": {"current": fail},
    "key_set_for": {"key_set_for": fail, "akey_set_for": afail},
    "no keys": {"key_set_for": lambda *args: None, "akey_set_for": _nothing},
}


def shows(text, token):
    """Tell whether any twelve characters of the payload or of the signature can be read."""
    return any(_shares_twelve(part, text) for part in token.split(".")[1:])


def _shares_twelve(part, text):
    """Look for each twelve only if one of the sixes is there that every twelve has in it: that is quicker."""
    sixes = (part[at : at + 6] in text for at in range(0, len(part) - 5, 6))
    return any(sixes) and any(part[at : at + 12] in text for at in range(len(part) - 11))


#: Django reads the template of its page again for each; to read it takes as long as to fill it.
_template = cache(debug.DEBUG_ENGINE.from_string)


def reports(exc_info):
    """Yield what Django's error page and Sentry show of the frames that are ours, and of the causes' frames."""

    class OurReport(debug.ExceptionReporter):
        def get_traceback_frames(self):
            frames = super().get_traceback_frames()
            return [frame for frame in frames if frame["tb"].tb_frame.f_globals["__name__"].startswith(PACKAGE)]

    with patch.object(debug.DEBUG_ENGINE, "from_string", _template):
        yield OurReport(None, *exc_info).get_traceback_html()
    error = exc_info[1]
    while error is not None:
        for frame, _ in walk_tb(error.__traceback__):
            if frame.f_globals["__name__"].startswith(PACKAGE):
                yield repr(frame.f_locals)
        error = error.__cause__ or error.__context__


@contextmanager
def collected(caplog):
    """Collect the reports of a request's exceptions and of the log; give them when it is over."""
    found = []

    def receive(**kwargs):
        found.extend(reports(sys.exc_info()))

    got_request_exception.connect(receive)
    try:
        yield found
    finally:
        got_request_exception.disconnect(receive)
    for record in caplog.records:
        found.append(record.getMessage())
        if record.exc_info:
            found.extend(reports(record.exc_info))


@pytest.fixture
def ask(settings, send, caplog):
    """Send a token to a view of each kind with Django's error pages on; nothing of it may be shown."""
    settings.DEBUG = True

    def ask(url, token, statuses):
        settings.MIDDLEWARE = [MIDDLEWARE] if url.startswith(("/middleware", "/open")) else []
        with collected(caplog) as found:
            response = send("get", url, headers={"Authorization": f"Bearer {token}"})
        assert response.status_code in statuses
        assert found
        assert not any(shows(report, token) for report in (*found, response.content.decode()))

    return ask


@pytest.fixture(autouse=True)
def _no_raise(monkeypatch):
    """Have test clients answer as servers do."""
    monkeypatch.setattr("django.test.client.ClientMixin.check_exception", lambda self, response: None)


URLS = ("/def/", "/async/", "/drf/", "/middleware/", "/ninja/sync/", "/ninja/async/")
each_url = pytest.mark.parametrize("url", URLS)


@each_url
def test_a_resolver_that_fails_shows_no_token(rsa_issuer, ask, url):
    """Neither on Django's page nor in the variables of our frames."""
    with rsa_issuer.installed(USER_RESOLVER=fail):
        ask(url, rsa_issuer.token("read"), [500])


@pytest.mark.parametrize("url", [*URLS, "/open/"])
def test_a_view_that_fails_shows_no_token(issuer, ask, url):
    """It is called from our frames."""
    ask(url, issuer.token("read"), [500])


@each_url
def test_a_service_that_cannot_be_made_shows_no_token(rsa_issuer, settings, ask, url):
    """The settings are at fault then."""
    settings.OAUTH_JWT = {"ISSUER": rsa_issuer.issuer, "JWKS_SERVICE": fail}
    ask(url, rsa_issuer.token("read"), [500])


@each_url
@pytest.mark.parametrize("fault", SERVICES)
def test_a_service_that_fails_shows_no_token(rsa_issuer, ask, url, fault):
    """Its error is logged with its frames."""
    service = Service(rsa_issuer.keys[-1], **SERVICES[fault])
    with service.installed():
        token = service.token("read")
        if fault == "current":  # it is asked for its keys once a token is remembered
            verify_token(token)
        ask(f"{url}?well=1", token, [503])


class FilterThatFails(logging.Filter):
    """A project's filter of its log."""

    filter = fail


@pytest.mark.parametrize("url", ["/two/drf/", "/two/ninja/sync/", "/two/ninja/async/"])
def test_a_log_that_fails_about_a_foreign_token_shows_none(rsa_issuer, ask, url):
    """It is called where the issuer is asked about, which is before anything verifies the token."""
    logger, log_filter = logging.getLogger("django_oauth_jwt"), FilterThatFails()
    logger.addFilter(log_filter)
    try:
        with rsa_issuer.installed(PASS_FOREIGN_TOKENS=True, ISSUER_RESOLVER=fail):
            ask(url, rsa_issuer.token("read", iss="https://other.test"), [500])
    finally:
        logger.removeFilter(log_filter)


@each_url
@pytest.mark.parametrize("is_known", [False, True], ids=["new", "remembered"])
@pytest.mark.parametrize("is_revoked", [fail, lambda token: None, "django_oauth_jwt.revocation.is_revoked"])
def test_a_revocation_check_that_fails_shows_no_token(rsa_issuer, settings, ask, url, is_known, is_revoked):
    """A project's own, and that of the package with a cache that is down, for a token that goes by its text."""
    token = rsa_issuer.token("read", jti=None)
    with rsa_issuer.installed():
        if is_known:
            verify_token(token)
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.CacheThatIsDown"}}
    with rsa_issuer.installed(IS_REVOKED=is_revoked):
        ask(f"{url}?well=1", token, [503])


def test_a_service_that_does_not_know_its_issuer_shows_no_token(rsa_issuer, settings, caplog, send):
    """What is asked for may be a property."""
    service = ServiceOfABrokenIssuer(key=rsa_issuer.keys[-1])
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [path("", secure(jwks_service=service)(view))]})
    token = rsa_issuer.token("read")
    with collected(caplog) as found:
        assert send("get", "/", headers={"Authorization": f"Bearer {token}"}).status_code == 500
    assert not any(shows(report, token) for report in found)


VERIFIERS = {
    "verify_token": verify_token,
    "averify_token": lambda token: asyncio.run(averify_token(token)),
    "explain": lambda token: explain(token, get_runtime()),
}


def report_of(verify, token):
    """Return what is reported of a verification, None where nothing is raised."""
    try:
        verify(token)
    except Exception:  # noqa: BLE001  # what is raised is the test's affair
        return list(reports(sys.exc_info()))
    return []


@pytest.mark.parametrize("verify", VERIFIERS.values(), ids=VERIFIERS)
@pytest.mark.parametrize("fault", [*SERVICES, "factory", "settings", "is_revoked"])
def test_a_verification_that_fails_shows_no_token(rsa_issuer, settings, verify, fault):
    """Without a request: a task's error report has our frames, too."""
    service = Service(rsa_issuer.keys[-1], **SERVICES.get(fault, {}))
    settings.OAUTH_JWT = {"ISSUER": service.issuer, "JWKS_SERVICE": fail if fault == "factory" else service}
    if fault == "is_revoked":
        settings.OAUTH_JWT = {**settings.OAUTH_JWT, "IS_REVOKED": fail}
    token = service.token("read")
    if fault == "current":
        with suppress(Exception):
            verify_token(token)
    if fault == "settings":
        settings.OAUTH_JWT = {"ISSUERS": 5}
    found = report_of(verify, token)
    assert found or verify is VERIFIERS["explain"]
    assert not any(shows(report, token) for report in found)


@pytest.mark.parametrize("verify", [VERIFIERS["verify_token"], VERIFIERS["averify_token"]], ids=["sync", "async"])
@pytest.mark.parametrize(
    "claims",
    [
        {"expired": True},
        {"aud": "other"},
        {"forged": True},
        {"rotated": True},
        {"sub": 5},
        {"header": {"typ": "id+jwt"}},
        {"header": {"alg": "HS256"}},
        {"header": {"crit": ["x"]}},
        {"header": {"kid": 5}},
        {"padding": "x" * 16384},
    ],
)
def test_a_refusal_that_nobody_catches_shows_no_token(rsa_issuer, verify, claims):
    """A token that is refused here may be good elsewhere."""
    with rsa_issuer.installed(AUDIENCE="api"):
        token = rsa_issuer.token("read", **{"aud": "api", **claims})
        found = report_of(verify, token)
    assert found
    assert not any(shows(report, token) for report in found)


@each_url
def test_a_cache_that_fails_shows_no_token(settings, jwks_server, rsa_issuer, ask, url):
    """The keys come from the server, and the log says what is wrong."""
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.BrokenCache"}}
    jwks_server.document = rsa_issuer.jwks()
    settings.OAUTH_JWT = {"JWKS_URI": f"{jwks_server.origin}/jwks"}
    ask(f"{url}?well=1", rsa_issuer.token("read"), [200])


class BrokenCache:
    """A cache that is down."""

    def __init__(self, *args):
        pass

    get = get_many = set = add = delete = close = fail


class CacheThatIsDown(BrokenCache):
    """The same, which can be closed at the end of the request that asked it."""

    def close(self):
        pass


def test_what_is_held_of_a_token_has_a_repr_without_it(issuer):
    """Whatever prints an object of ours."""
    token = issuer.token("read")
    encoded = EncodedToken(token)
    request = RequestFactory().get("/", headers={"Authorization": f"Bearer {token}"})
    steps = remembered_or_steps(encoded, get_runtime(), None)
    assert secure()(lambda request: HttpResponse())(request).status_code == 200
    state = state_of(request)
    held = [encoded, read_token(encoded, get_runtime(), None), steps, next(steps), state, state.token]
    assert not any(shows(repr(one), token) for one in held)
