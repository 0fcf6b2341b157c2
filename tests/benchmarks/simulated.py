"""The workers of `tenants_simulation`, their authorization servers and their Redis, on one clock, in one thread."""

import heapq
import random
import time
from collections import Counter
from contextlib import contextmanager
from functools import partial
from itertools import accumulate, pairwise
from unittest import mock

from django.test import override_settings

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.errors import KeysUnavailable
from django_oauth_jwt.issuers import ResolvedIssuers
from django_oauth_jwt.jwks import KeyServices
from django_oauth_jwt.testing import SigningKey
from django_oauth_jwt.upstream import Fetched, run_blocking

from ..jwks.inside import inside, search_for

ALG = "Ed25519"
BEGIN = 1_800_000_000.0
#: How long a job of a key service takes, in seconds.
JOB_SECONDS = 0.05
#: What is counted, beside the fetches in each tenth of the time.
COUNTED = (
    *("requests", "requests that wait", "requests without keys"),
    *("resolver calls", "fetches", "cache operations", "cache bytes"),
)


class Clock:
    """The time of all; what is to happen later is done when it comes."""

    def __init__(self):
        self.now = BEGIN
        self._events, self._number = [], 0

    def __call__(self):
        return self.now

    def later(self, seconds, work):
        self._number += 1
        heapq.heappush(self._events, (self.now + seconds, self._number, work))

    def move_to(self, moment):
        while self._events and self._events[0][0] <= moment:
            self.now, _, work = heapq.heappop(self._events)
            work()
        self.now = moment


class Redis:
    """A cache that is outside of all workers, and counts what it is asked."""

    def __init__(self, clock, counts):
        self._clock, self._counts, self._entries = clock, counts, {}

    def call(self, operation, otherwise):
        """Do as a `GuardedCache` does for each worker."""
        return operation(self)

    def get(self, key):
        self._counts["cache operations"] += 1
        value, until = self._entries.get(key, (None, 0.0))
        self._counts["cache bytes"] += len(str(value)) if self._clock() < until else 0
        return value if self._clock() < until else None

    def set(self, key, value, seconds):
        self._counts["cache operations"] += 1
        self._entries[key] = value, self._clock() + seconds

    def add(self, key, value, seconds):
        if self._entries.get(key, (None, 0.0))[1] > self._clock():
            self._counts["cache operations"] += 1
            return False
        self.set(key, value, seconds)
        return True

    def delete(self, key):
        self._counts["cache operations"] += 1
        return self._entries.pop(key, None) is not None


class AuthorizationServers:
    """Serve the JWKS of each tenant, as a `HttpClient` gets it; ``generation`` counts the rotations of their keys."""

    timeout = 5.0

    def __init__(self, counts):
        self._counts = counts
        self._jwk = SigningKey.generate(ALG, "key").public_jwk()
        self.generation = 0

    @property
    def kid(self):
        return f"key-{self.generation}"

    def fetch(self, uri, etag=None):
        self._counts["fetches"] += 1
        kids = {self.kid, f"key-{max(0, self.generation - 1)}"}
        return Fetched({"keys": [{**self._jwk, "kid": kid} for kid in sorted(kids)]}, None, None)


class Worker:
    """One process: what it knows of issuers, and its key services."""

    def __init__(self, settings, world):
        self._world = world
        self._resolved = ResolvedIssuers(settings, world.clock, world.clock)
        self._services = KeyServices(settings)

    def request(self, issuer):
        """Verify a token of an issuer as far as its keys; a request that has to wait for them goes on later."""
        resolution = self._resolved.recall(issuer) or run_blocking(self._resolved.resolution_steps(issuer))
        is_new = KeyServices not in resolution.trusted.parts
        service = self._services.service_of(resolution.trusted)
        if is_new:
            self._put_into_world(service)
        kid = self._world.servers.kid
        key_set = service.current()
        if key_set is None or not key_set.knows(kid, ALG):
            self._world.counts["requests that wait"] += 1
            self._go_on(search_for(service, kid, ALG))

    def _put_into_world(self, service):
        parts, world = inside(service), self._world
        parts.source._execute = partial(world.clock.later, JOB_SECONDS)
        parts.source._monotonic = world.clock
        parts.fetcher._client = world.servers
        parts.shared._cache = world.redis

    def _go_on(self, steps):
        try:
            wait = next(steps)
        except StopIteration:
            return
        except KeysUnavailable:
            self._world.counts["requests without keys"] += 1
            return
        wait.future.add_done_callback(lambda _: self._go_on(steps))


class World:
    """All of it."""

    def __init__(self, setup):
        self.setup = setup
        self.clock, self.counts = Clock(), Counter()
        self.redis, self.servers = Redis(self.clock, self.counts), AuthorizationServers(self.counts)
        self._random = random.Random(1)
        self._issuers = [f"https://{number}.example.com" for number in range(setup.tenants)]
        self._weights = list(accumulate(1 / (rank + 1) for rank in range(setup.tenants)))

    @contextmanager
    def at_work(self):
        """Have the workers up until the end of the context."""
        oauth_jwt = {"ISSUER_RESOLVER": self._resolve}
        with mock.patch.object(time, "time", self.clock), override_settings(OAUTH_JWT=oauth_jwt):
            settings = get_runtime().settings
            self._workers = [Worker(settings, self) for _ in range(self.setup.workers)]
            yield

    def _resolve(self, issuer):
        self.counts["resolver calls"] += 1
        return {"JWKS_URI": f"{issuer}/jwks"}

    def rotate(self):
        """Have all authorization servers sign with a new key from now on; the one from before stays in the JWKS."""
        self.servers.generation += 1

    def serve(self, seconds):
        """Have requests come for so many seconds."""
        setup, chosen = self.setup, self._random
        number = setup.requests_per_second * seconds
        begin, tenants = self.clock.now, chosen.choices(range(setup.tenants), cum_weights=self._weights, k=number)
        for sent, tenant in enumerate(tenants, 1):
            self.clock.move_to(begin + sent / setup.requests_per_second)
            worker = (tenant + chosen.randrange(setup.spread)) % setup.workers
            self._workers[worker].request(self._issuers[tenant])
        self.counts["requests"] += number

    def counted(self, seconds, parts=10):
        """Return what is counted while requests come for so many seconds, and the fetches in each tenth of it."""
        self.counts.clear()
        fetches = [0]
        for _ in range(parts):
            self.serve(seconds // parts)
            fetches.append(self.counts["fetches"])
        by_part = [after - before for before, after in pairwise(fetches)]
        return {name: self.counts[name] for name in COUNTED} | {"fetches by tenth": by_part}
