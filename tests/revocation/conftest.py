"""What the tests of revocation share: a project with a denylist, in a cache of a kind, and both twins of each call."""

import asyncio
from types import SimpleNamespace

import pytest
from django.core.cache import caches

from django_oauth_jwt import revocation

from . import backends

SHIPPED = "django_oauth_jwt.revocation.is_revoked"


@pytest.fixture(params=["sync", "async"])
def calls(request):
    """The calls of the denylist, on either side of Django's two worlds: ``calls.revoke(access_token)``."""
    if request.param == "sync":
        return SimpleNamespace(revoke=revocation.revoke, revoke_subject=revocation.revoke_subject)
    return SimpleNamespace(
        revoke=lambda *args: asyncio.run(revocation.arevoke(*args)),
        revoke_subject=lambda *args: asyncio.run(revocation.arevoke_subject(*args)),
    )


@pytest.fixture
def denylist(trust, settings):
    """Have a project ask its denylist, in a cache of a backend: ``denylist(Backend)`` returns the trusted issuer."""

    def denylist(backend=backends.LOCAL, *, location="revocation", **more):
        path = backend if isinstance(backend, str) else f"{backend.__module__}.{backend.__name__}"
        settings.CACHES = {"default": {"BACKEND": path, "LOCATION": location}}
        if path != backends.DUMMY:
            caches["default"].clear()
        return trust(IS_REVOKED=SHIPPED, **more)

    return denylist
