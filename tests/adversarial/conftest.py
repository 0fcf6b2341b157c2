"""A project that trusts the authorization server of the corpus, behind every entrance."""

import asyncio
from functools import cache

import pytest

from django_oauth_jwt.jws import KeySet

from . import corpus, urls
from .corpus.claims import neighbour
from .entrances import REALM, Entrances
from .forge import AUDIENCE, ISSUER, NEIGHBOUR, NEIGHBOUR_AUDIENCE

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"


class Keys:
    """A key service that has these keys, and has always had them."""

    def __init__(self, jwks):
        self._key_set = KeySet.from_jwks(jwks)

    def current(self):
        return self._key_set

    def key_set_for(self, kid, alg):
        return self._key_set

    async def akey_set_for(self, kid, alg):
        return self._key_set


@cache
def _keys():
    return Keys(corpus.jwks())


@pytest.fixture
def trust_mints(settings):
    """Trust the authorization server with more keys in its JWKS and more settings: ``trust_mints([jwk], LEEWAY=0)``."""
    settings.ROOT_URLCONF = urls
    settings.MIDDLEWARE = [MIDDLEWARE]

    def trust_mints(more_keys=(), **more):
        keys = Keys(corpus.jwks(more_keys)) if more_keys else _keys()
        neighbours = Keys({"keys": [neighbour().jwk, neighbour(kid="neighbour").jwk]})
        settings.OAUTH_JWT = {
            "ISSUERS": {
                ISSUER: {"JWKS_SERVICE": keys, "AUDIENCE": AUDIENCE},
                NEIGHBOUR: {"JWKS_SERVICE": neighbours, "AUDIENCE": NEIGHBOUR_AUDIENCE, "ALGORITHMS": ["ES256"]},
            },
            "REALM": REALM,
            "PROTECTED_PATHS": ["^/middleware"],  # the other entrances look after themselves
            **more,
        }

    return trust_mints


@pytest.fixture(scope="module")
def entrances():
    """Every entrance, with one event loop for all: a new one takes longer than all entrances together."""
    with asyncio.Runner() as runner:
        yield Entrances(runner.run)
