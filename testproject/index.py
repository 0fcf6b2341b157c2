"""The page at the root: a form that mints a token, sends a request, and shows the answer and why it is so."""

from importlib.util import find_spec
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


class Endpoint(NamedTuple):
    """A view to try, and what it needs."""

    path: str
    needs: str


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("/open", "nothing"),
    Endpoint("/secured/token", "a valid token"),
    Endpoint("/secured/scope", "a token with the scope read"),
    Endpoint("/secured/claim", "a token whose claim role is admin"),
    Endpoint("/secured/async", "a valid token; a coroutine function"),
    Endpoint("/api/token", "a valid token; Django REST Framework"),
    Endpoint("/api/scope", "a token with the scope read; Django REST Framework"),
    Endpoint("/api/claim", "a token whose claim role is admin; Django REST Framework"),
)
if find_spec("ninja") is not None:
    ENDPOINTS += (
        Endpoint("/ninja/token", "a valid token; django-ninja"),
        Endpoint("/ninja/scope", "a token with the scope read; django-ninja"),
        Endpoint("/ninja/claim", "a token whose claim role is admin; django-ninja"),
    )


def index(request: HttpRequest) -> HttpResponse:
    """Show the form."""
    issuer = settings.OAUTH_JWT["ISSUER"]
    shown = {"endpoints": ENDPOINTS, "authorization_server": issuer, "token_endpoint": f"{issuer}/token"}
    return render(request, "testproject/index.html", shown)
