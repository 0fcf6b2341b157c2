"""What a DPoP proof costs a request beyond what a remembered bearer token costs, in bare ES256 checks."""

import gc
import tracemalloc
from contextlib import contextmanager
from itertools import cycle, islice

from django.conf import settings
from django.core.cache.backends.locmem import LocMemCache
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from django.urls import path

from django_oauth_jwt.testing import ProofKey

from .issuer import Issuer, floor
from .request_costs import BARE, ENVIRON, MIDDLEWARE, checking_view, in_units_of, send_environs, view
from .rounds import Case, measure

BEARER, BOUND = "bearer token, remembered, beyond an open view", "bound token and proof, beyond a bearer token"
#: More than a sample takes: each proof is good once.
STOCK = 600
URL = "http://testserver/view"


class SmallCache(LocMemCache):
    """A stand-in for a cache outside the process: it keeps next to nothing here."""


IN_MEMORY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
OUTSIDE = {"default": {"BACKEND": f"{__name__}.{SmallCache.__name__}", "OPTIONS": {"MAX_ENTRIES": 10}}}


def run(server, plan):
    """Return what a bearer token adds to an open view, and what a bound one with its proof adds to that.

    A ratio is to what a bare signature check adds to the same view, ``in_loop`` to one in a loop of its own.
    """
    issuer, key = Issuer(server, "ES256", name="proofs"), ProofKey.generate("ES256")
    tokens = issuer.tokens()
    bearer = [{"HTTP_AUTHORIZATION": f"Bearer {token}"} for token in tokens]
    bound = issuer.tokens(cnf={"jkt": key.thumbprint})

    @contextmanager
    def ready(send, send_before):
        with override_settings(OAUTH_JWT=issuer.settings(), CACHES=IN_MEMORY):
            yield send(), send_before()

    def bearer_to(middleware, to=view):
        return lambda: sending(middleware, cycle(bearer), to)

    bare = floor(issuer, tokens)
    results = measure(
        [
            Case(BARE, bare, lambda: ready(bearer_to([], checking_view(bare)), bearer_to([]))),
            Case(BEARER, bare, lambda: ready(bearer_to(MIDDLEWARE), bearer_to([]))),
            Case(
                BOUND,
                bare,
                lambda: ready(lambda: sending(MIDDLEWARE, proven(key, bound, STOCK)), bearer_to(MIDDLEWARE)),
            ),
        ],
        plan,
    )
    return in_units_of(results, results[BARE]["ratio"])


def sending(middleware, environs, to=view):
    """Return what sends the next requests of these to the view behind the middleware."""
    with override_settings(MIDDLEWARE=middleware):
        handler = WSGIHandler()
    urls = (path("view", to),)

    def send(times):
        settings.ROOT_URLCONF = urls
        send_environs(handler, islice(environs, times))

    return send


def proven(key, tokens, count):
    """Give so many requests with a token in turn, each with a proof of its own, all of them made beforehand."""
    headers = [key.headers(token, ENVIRON["REQUEST_METHOD"], URL) for token in islice(cycle(tokens), count)]
    return iter([{"HTTP_AUTHORIZATION": one["Authorization"], "HTTP_DPOP": one["DPoP"]} for one in headers])


def memory_per_proof(server, count, batch=1000):
    """Return the bytes that a used proof leaves in the process where the cache is outside."""
    issuer, key = Issuer(server, "ES256", name="proof-memory"), ProofKey.generate("ES256")
    token = issuer.token(cnf={"jkt": key.thumbprint})

    def use(number):
        sending(MIDDLEWARE, proven(key, [token], number))(number)
        gc.collect()

    with override_settings(OAUTH_JWT=issuer.settings(), CACHES=OUTSIDE):
        use(1)
        tracemalloc.start()
        try:
            for _ in range(0, count, batch):  # each is made just before it is used, as it has to be
                use(batch)
            return round(tracemalloc.get_traced_memory()[0] / count, 1)
        finally:
            tracemalloc.stop()
