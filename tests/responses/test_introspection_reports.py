"""What an error report shows where something about introspection fails: neither the token nor our own secret."""

import asyncio
import logging
import sys
import threading
from traceback import walk_tb

import pytest
import requests
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import got_request_exception
from django.http import HttpResponse
from django.urls import path
from django.utils.log import AdminEmailHandler
from rest_framework.decorators import api_view, authentication_classes
from rest_framework.response import Response

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.diagnosis import explain
from django_oauth_jwt.errors import BearerError
from django_oauth_jwt.signals import introspected, introspection_failed
from django_oauth_jwt.verification import averify_token, verify_token

from ..servers.clients import until
from .test_error_reports import PACKAGE, reports

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"
TOKEN = "Zm9yZ2VyeS1pcy1pbXBvc3NpYmxl"
SECRET = "correct-horse-battery"
ENDPOINT = "https://as.example.com/introspect"


class Broken(Exception):
    """What a project's code ends in."""


def fail(*args, **kwargs):
    raise Broken


def view(request):
    return HttpResponse() if request.GET.get("well") else fail()


async def async_view(request):
    return view(request)


@api_view()
@authentication_classes([BearerJwtAuthentication])
def drf_view(request):
    return Response() if request.GET.get("well") else fail()


urlpatterns = [
    path("def/", secure()(view)),
    path("async/", secure()(async_view)),
    path("drf/", drf_view),
    path("middleware/", view),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.unmeasured]


class BrokenCache(LocMemCache):
    """A cache that is down."""

    get = set = add = delete = fail


class Answering(requests.Session):
    """A session that answers without a network."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def post(self, uri, data, headers, **options):
        return self.answer(data)


def answered(status, text, media_type="application/json"):
    response = requests.Response()
    response.status_code, response._content = status, text.encode()
    response.headers["Content-Type"] = media_type
    return response


def good(form):
    return answered(200, '{"active": true}')


class EverySecret:
    """The settings' own, as any callable may be."""

    def __call__(self):
        return SECRET.encode()


#: By what fails: the session's answer, and what else is set.
FAULTS = {
    "the session cannot be made": (None, {"HTTP_SESSION": fail}),
    "the session raises": (fail, {}),
    "the session returns nothing": (lambda form: None, {}),
    "the secret raises": (good, {"CLIENT_SECRET": fail}),
    "the secret is of a wrong type": (good, {"CLIENT_SECRET": EverySecret()}),
    "the secret is no text": (good, {"CLIENT_SECRET": lambda: SECRET + "\udc80"}),
    "the answer is none": (lambda form: answered(200, f"<html>{form['token']}</html>"), {}),
    "the answer is an error": (lambda form: answered(500, form["token"]), {}),
    "we are refused": (lambda form: answered(401, form["client_secret"]), {"AUTH": "client_secret_post"}),
    "the JWT is none": (lambda form: answered(200, form["token"], "application/jwt"), {"ANSWER": "jwt"}),
    "there is no thread": (good, {}),
    "the cache is down": (good, {"CACHE": "down"}),
    "the token is not active": (lambda form: answered(200, '{"active": false}'), {}),
}


@pytest.fixture
def trust_as(settings):
    """Trust an authorization server that answers so."""

    def trust_as(fault):
        answer, more = FAULTS[fault]
        settings.CACHES = {**settings.CACHES, "down": {"BACKEND": f"{__name__}.BrokenCache"}}
        oauth_jwt = {key: more[key] for key in ("HTTP_SESSION", "CACHE") if key in more}
        introspection = {key: value for key, value in more.items() if key not in oauth_jwt}
        settings.OAUTH_JWT = {
            "ISSUER": "https://as.example.com",
            "HTTP_SESSION": Answering(answer),
            "INTROSPECTION": {"ENDPOINT": ENDPOINT, "CLIENT_ID": "api", "CLIENT_SECRET": SECRET, **introspection},
            **oauth_jwt,
        }

    return trust_as


class Everything(logging.Handler):
    """Collects what any handler could show of a record: its line, its arguments, and the variables of our frames."""

    def __init__(self):
        super().__init__()
        self.found = []

    def emit(self, record):
        self.found += [record.getMessage(), repr(record.args)]
        if record.exc_info:
            self.found += reports(record.exc_info)
            self.found += _frames(record.exc_info[1])


def _frames(error):
    while error is not None:
        for frame, _ in walk_tb(error.__traceback__):
            if frame.f_globals["__name__"].startswith(PACKAGE):
                yield repr(frame.f_locals)
        error = error.__cause__ or error.__context__


@pytest.fixture
def everything():
    """What is logged, of any logger."""
    handler, root = Everything(), logging.getLogger()
    package = logging.getLogger("django_oauth_jwt")
    for logger in (root, package):
        logger.addHandler(handler)
    yield handler.found
    for logger in (root, package):
        logger.removeHandler(handler)


def check(found):
    assert found
    for text in found:
        assert TOKEN not in text
        assert SECRET not in text


@pytest.fixture
def fails(monkeypatch, trust_as):
    """Have something fail."""

    def fails(fault):
        trust_as(fault)
        if fault == "there is no thread":
            monkeypatch.setattr("threading.Thread.start", no_thread)

    return fails


def no_thread(self):
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("url", ["/def/", "/async/", "/drf/", "/middleware/"])
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "there is no thread"])  # clients need one
def test_a_request_shows_neither_token_nor_secret(settings, send, fails, everything, url, fault):
    """With Django's error pages on; it is a 503, or what follows from the answer."""
    fails(fault)
    settings.DEBUG = True
    settings.MIDDLEWARE = [MIDDLEWARE] if url == "/middleware/" else []
    response = send("get", f"{url}?well=1", headers={"Authorization": f"Bearer {TOKEN}"})
    expected = {"the cache is down": 200, "the token is not active": 403}.get(fault, 503)
    assert response.status_code == expected
    check([*everything, response.content.decode(), repr(response.headers)])


VERIFIERS = {
    "verify_token": verify_token,
    "averify_token": lambda token: asyncio.run(averify_token(token)),
    "explain": lambda token: explain(token, get_runtime()),
}


@pytest.mark.parametrize("verify", VERIFIERS.values(), ids=VERIFIERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_code_without_a_request_shows_neither(fails, everything, verify, fault, monkeypatch):
    """A task's error report has our frames, too."""
    fails(fault)
    try:
        result = verify(TOKEN)
    except Exception:  # noqa: BLE001  # what is raised is another test's affair
        found = [*reports(sys.exc_info()), *everything]
    else:
        found = [*everything, repr(result)]
    monkeypatch.undo()
    check(found)


@pytest.mark.parametrize("url", ["/def/", "/async/", "/drf/", "/middleware/"])
def test_a_view_that_fails_shows_no_opaque_token(settings, send, trust_as, everything, monkeypatch, url):
    """It is called from our frames."""
    trust_as("the cache is down")
    settings.DEBUG = True
    settings.MIDDLEWARE = [MIDDLEWARE] if url == "/middleware/" else []
    monkeypatch.setattr("django.test.client.ClientMixin.check_exception", lambda self, response: None)
    found = []

    def receive(**kwargs):
        found.extend(reports(sys.exc_info()))

    got_request_exception.connect(receive)
    try:
        response = send("get", url, headers={"Authorization": f"Bearer {TOKEN}"})
    finally:
        got_request_exception.disconnect(receive)
    assert response.status_code == 500
    check([*found, *everything])


class Mails(AdminEmailHandler):
    """Django's handler, whose mails are kept."""

    def __init__(self):
        super().__init__(include_html=True)
        self.sent = []

    def send_mail(self, subject, message, *args, html_message=None, **kwargs):
        self.sent += [subject, message, str(html_message)]


@pytest.mark.parametrize("fault", ["the secret raises", "the session raises", "the answer is an error"])
def test_a_mail_to_the_admins_shows_neither(settings, trust_as, fault):
    """Django's own handler, with HTML, of all that the package logs."""
    trust_as(fault)
    settings.ADMINS = ["ann@example.com"]
    handler, logger = Mails(), logging.getLogger("django_oauth_jwt")
    logger.addHandler(handler)
    try:
        with pytest.raises(BearerError):
            verify_token(TOKEN)
        until(lambda: handler.sent)  # a request does not wait for long mails
    finally:
        logger.removeHandler(handler)
    check(handler.sent)


@pytest.mark.parametrize("signal", [introspected, introspection_failed])
def test_a_receiver_that_fails_shows_neither(trust_as, everything, signal):
    """Django logs its error, with frames."""
    trust_as("the cache is down" if signal is introspected else "the answer is an error")
    told = threading.Event()

    def receive(**kwargs):
        told.set()
        raise Broken

    signal.connect(receive)
    try:
        if signal is introspected:
            verify_token(TOKEN)
        else:
            with pytest.raises(BearerError):
                verify_token(TOKEN)
        assert told.wait(60)
    finally:
        signal.disconnect(receive)
    check(everything or ["nothing was logged yet"])


def test_bad_settings_show_neither_to_whoever_asks(settings, send, everything):
    """On Django's page, though the settings are on it."""
    settings.DEBUG = True
    settings.OAUTH_JWT = {
        "ISSUER": "https://as.example.com",
        "LEEWAY": -1,
        "INTROSPECTION": {"CLIENT_ID": "api", "CLIENT_SECRET": SECRET},
    }
    with pytest.raises(ImproperlyConfigured) as caught:
        send("get", "/def/", headers={"Authorization": f"Bearer {TOKEN}"})
    check([str(caught.value), *reports((caught.type, caught.value, caught.tb))])
