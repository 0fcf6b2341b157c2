"""A project with Sentry's SDK, in a process of its own: the SDK changes Django and Python's own modules for good.

``python -m tests.recipes.sentry_project '{"name": {"option": ...}}'`` prints the requests that were made with the
options of each name, each with its token, its status and the events that would have been sent, as JSON.
"""

import asyncio
import json
import logging
import sys

import django
import sentry_sdk
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory
from django.urls import path
from sentry_sdk.transport import Transport

from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.http import get_access_token
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.verification import verify_token

from .pages import run_snippet


class Memory(Transport):
    """Keeps what would be sent."""

    def __init__(self, options=None):
        super().__init__(options)
        self.events = []

    def capture_envelope(self, envelope):
        self.events += [json.loads(item.get_bytes()) for item in envelope.items]


def view(request):
    access_token = get_access_token(request)
    match request.GET.get("do"):
        case "log":
            logging.getLogger("books").error("%r may not do that", access_token)
            return HttpResponse()
        case "verify":
            verify_token(access_token.encoded + "x")
    raise RuntimeError(f"a mistake that names {access_token}")


async def aview(request):
    access_token = get_access_token(request)
    raise RuntimeError(f"a mistake that names {access_token}")


@token_not_required
def public(request):
    raise RuntimeError("a mistake")


def failing_resolver(access_token, request):
    if access_token.subject == "nobody":
        raise RuntimeError("the database is down")
    return access_token


urlpatterns = [
    path("view/", view),
    path("secured/", secure(scope="books.read")(view)),
    path("aview/", secure()(aview)),
    path("public/", public),
]
#: By path: the subject of the token that is sent there, None for no token.
REQUESTS = {
    "/view/": "anna",
    "/secured/": "anna",
    "/aview/": "anna",
    "/view/?do=log": "anna",
    "/view/?do=verify": "anna",
    "/secured/?resolver": "nobody",
    "/public/": None,
}


def over_wsgi(url, headers):
    statuses = []
    environ = RequestFactory().get(url, headers=headers).environ
    WSGIHandler()(environ, lambda status, headers, exc_info=None: statuses.append(int(status[:3]))).close()
    return statuses[0]


def over_asgi(url, headers):
    messages, sent = [{"type": "http.request"}], []

    async def receive():
        return messages.pop() if messages else await asyncio.Future()  # the client stays

    async def send(message):
        sent.append(message)

    scope = AsyncRequestFactory().get(url, headers=headers).scope
    asyncio.run(ASGIHandler()({**scope, "http_version": "1.1"}, receive, send))
    return sent[0]["status"]


def connect(issuer):
    """Open a WebSocket, whose app ends with an error, as somebody whom no request is of."""
    protocols = ["bearer", issuer.token("chat", sub="ben")]
    headers = [(b"sec-websocket-protocol", ", ".join(protocols).encode())]

    async def app(scope, receive, send):
        raise RuntimeError(f"a mistake of {scope['access_token']}")

    async def serve(scope):
        try:
            await run_snippet("sentry.md", "sentry-websockets", {})["reported"](app)(scope, None, None)
        except RuntimeError:  # as servers do
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application")

    asyncio.run(serve({"type": "websocket", "path": "/ws/", "headers": headers, "subprotocols": protocols}))
    return protocols[1]


def requests_made(issuer, options):
    """Send the requests, with the SDK set up anew, and return what came of each."""
    sentry_sdk.init(dsn="https://key@sentry.example.com/1", transport=Memory, traces_sample_rate=1.0, **options)
    events = sentry_sdk.get_client().transport.events
    token = connect(issuer)
    yield {"token": token, "events": [*events]}
    events.clear()
    for call in (over_wsgi, over_asgi):
        for url, subject in REQUESTS.items():
            token = subject and issuer.token("books.read", sub=subject)
            status = call(url, {"Authorization": f"Bearer {token}"} if token else {})
            yield {"url": url, "status": status, "token": token, "events": [*events]}
            events.clear()


def main(named):
    settings.configure(
        SECRET_KEY="secret",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["testserver"],
        INSTALLED_APPS=["django_oauth_jwt"],
        MIDDLEWARE=["django_oauth_jwt.middleware.JwtBearerMiddleware"],
        LOGGING_CONFIG=None,
    )
    django.setup()
    receivers = run_snippet("sentry.md", "sentry", {"__name__": "books.sentry"})  # Django holds them weakly
    issuer = TokenIssuer(alg="ES256")
    with issuer.installed(USER_RESOLVER=failing_resolver):
        json.dump({name: [*requests_made(issuer, options)] for name, options in named.items()}, sys.stdout)
    receivers.clear()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
