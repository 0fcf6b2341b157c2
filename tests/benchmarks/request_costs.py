"""What a secured request costs more than an open one, through Django's own handlers and no socket.

Each case is a project of its own, with one URL, so that none pays for the others' routes. The open view
gets the same request, token included.
"""

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from itertools import cycle, islice
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.response import Response

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure

from .issuer import Issuer, floor
from .rounds import Case, measure

OPEN = "no authentication"
BARE = "a bare signature check in the view"
MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
PLAIN, PLAIN_ASYNC = "Django view", "Django async view"
DRF, DRF_ASYNC = "DRF view", "DRF view under ASGI"


def view(request):
    return HttpResponse(b"hello")


async def aview(request):
    return HttpResponse(b"hello")


def drf_view(authenticator=None):
    """Return a DRF view that is as trivial, with one authenticator or none."""

    @api_view()
    @permission_classes([])
    @authentication_classes([authenticator] if authenticator else [])
    def answer(request):
        return Response("hello")

    return answer


_OPEN_VIEWS = {PLAIN: view, PLAIN_ASYNC: aview, DRF: drf_view(), DRF_ASYNC: drf_view()}


@dataclass(frozen=True)
class Project:
    """A Django project of one view: its name in the results, and what it is made of."""

    name: str
    view: Any
    middleware: list[str] = field(default_factory=list)
    oauth_jwt: dict[str, Any] = field(default_factory=dict)


def checking_view(check):
    """Return a view that does nothing but a bare signature check: the floor as it is between other work.

    It costs more than in a loop of its own, where it finds the processor's caches as it left them.
    """

    def answer(request):
        check(1)
        return view(request)

    return answer


def own_projects(issuer):
    """Return our projects by kind of view, with remembered tokens and with tokens verified anew."""
    ways = {"remembered": issuer.settings(), "verified anew": issuer.settings(TOKEN_CACHE_SIZE=0)}
    kinds = {}
    for kind, plain in ((PLAIN, view), (PLAIN_ASYNC, aview)):
        kinds[kind] = []
        for way, oauth_jwt in ways.items():
            kinds[kind].append(Project(f"middleware, {way}", plain, MIDDLEWARE, oauth_jwt))
            kinds[kind].append(Project(f"decorator, {way}", secure()(plain), [], oauth_jwt))
    bearer = drf_view(BearerJwtAuthentication)
    for kind in (DRF, DRF_ASYNC):
        kinds[kind] = [Project(f"BearerJwtAuthentication, {way}", bearer, [], ways[way]) for way in ways]
    return kinds


def run(server, plan, peers=None):
    """Return what each project adds to an open view, by kind and name; ``peers`` gives more projects.

    A ratio is to what a bare signature check adds to the same view, ``in_loop`` to one in a loop of its own.
    """
    issuer = Issuer(server, "RS256", name="requests")
    tokens = issuer.tokens()
    kinds = own_projects(issuer)
    for kind, projects in (peers(issuer) if peers else {}).items():
        kinds[kind] += projects
    bare = floor(issuer, tokens)
    kinds[PLAIN].insert(0, Project(BARE, checking_view(bare)))
    cases = [_case(kind, project, tokens, bare) for kind in kinds for project in kinds[kind]]
    results = measure(cases, plan)
    in_units_of(results, results[f"{PLAIN}: {BARE}"]["ratio"])
    return {kind: {project.name: results[f"{kind}: {project.name}"] for project in kinds[kind]} for kind in kinds}


def in_units_of(results, unit):
    """Return the results with their ratios in this unit, and as ``in_loop`` in the one that they had."""
    for result in results.values():
        result["in_loop"] = result["ratio"]
        result |= {name: round(result[name] / unit, 3) for name in ("ratio", "ratio_p25", "ratio_p75")}
    return results


def _case(kind, project, tokens, bare):
    serving = _serving_asgi if kind in (PLAIN_ASYNC, DRF_ASYNC) else _serving_wsgi
    return Case(f"{kind}: {project.name}", bare, partial(_beside_open, kind, project, serving, tokens), len(tokens))


@contextmanager
def _beside_open(kind, project, serving, tokens):
    """Give what sends requests to the project, and what sends them to the open one of its kind."""
    with (
        override_settings(OAUTH_JWT=project.oauth_jwt, ROOT_URLCONF=()),
        serving(Project(OPEN, _OPEN_VIEWS[kind]), tokens) as send_open,
        serving(project, tokens) as send,
    ):
        yield send, send_open


@contextmanager
def _serving_wsgi(project, tokens):
    environs = [{"HTTP_AUTHORIZATION": f"Bearer {token}"} for token in tokens]
    with override_settings(MIDDLEWARE=project.middleware):
        handler = WSGIHandler()

    def send(times):
        settings.ROOT_URLCONF = urls
        send_environs(handler, islice(cycle(environs), times))

    urls = (path("view", project.view),)
    yield send


@contextmanager
def _serving_asgi(project, tokens):
    headers = [f"Bearer {token}".encode() for token in tokens]
    with override_settings(MIDDLEWARE=project.middleware):
        handler = ASGIHandler()

    def send(times):
        settings.ROOT_URLCONF = urls
        run(_send_asgi(handler, headers, times))

    urls = (path("view", project.view),)
    with asyncio.Runner() as runner:
        # Cheaper than the runner's own way, which takes hold of a signal each time.
        run = runner.get_loop().run_until_complete
        yield send


ENVIRON = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/view",
    "SERVER_NAME": "testserver",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": "testserver",
    "HTTP_ACCEPT": "application/json",
    "wsgi.url_scheme": "http",
}

_SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/view",
    "query_string": b"",
    "server": ("testserver", 80),
}


def send_environs(handler, environs):
    """Send a request with each of these headers; all have to be answered 200."""
    for headers in environs:
        environ = {**ENVIRON, **headers, "wsgi.input": BytesIO()}
        response = handler(environ, _start_response)
        for _ in response:
            pass
        response.close()


def _start_response(status, headers):
    _require_success(int(status[:3]))


async def _send_asgi(handler, headers, times):
    for header in islice(cycle(headers), times):
        scope = {
            **_SCOPE,
            "headers": [(b"host", b"testserver"), (b"accept", b"application/json"), (b"authorization", header)],
        }
        # Less than the whole handler, which sends Django's own signals through a thread: that costs ten times
        # what is to be measured, is the same for all, and would hide it.
        response = await handler.get_response_async(ASGIRequest(scope, BytesIO()))
        _require_success(response.status_code)


def _require_success(status):
    if status != 200:
        raise AssertionError(f"the request was answered {status}")
