"""What the tests of proofs share: a client with its bound token, and both ways to run steps."""

import asyncio

import pytest

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.upstream import run_awaiting, run_blocking

from .forge import ISSUED, Forge


@pytest.fixture
def forge(signing_key, frozen_time):
    """A client whose token is bound to its key, at a time that stands still."""
    return Forge(signing_key("ES256", "client"), signing_key("ES256", "other"))


@pytest.fixture(params=[run_blocking, lambda steps: asyncio.run(run_awaiting(steps))], ids=["sync", "async"])
def run(request):
    """Run steps, on either side of Django's two worlds."""
    return request.param


@pytest.fixture
def trusting(settings):
    """The runtime of a project that trusts one issuer, and what it requires of it: ``trusting(DPOP=...)``."""

    def trusting(**more):
        settings.OAUTH_JWT = {"ISSUER": ISSUED, **more}
        runtime = get_runtime()
        return runtime, runtime.settings.issuers[ISSUED]

    return trusting
