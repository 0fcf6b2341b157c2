"""The keys of one authorization server, always at hand: freshness, cooldown, single flight.

A request whose key is known never waits: it is answered from the parsed keys in this process, while one
thread refreshes them when they are no longer fresh.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

import requests
from django.core.cache import BaseCache

from ..conf import seconds, some_seconds
from ..errors import KeysUnavailable
from ..jws import KeySet
from ..upstream import ForkGuard, GuardedCache, JwksClient, Steps, Wait, run_awaiting, run_blocking, unix_time
from .events import KeyEvents
from .fetch import JwksFetcher
from .keeper import KeyKeeper
from .refresh import Refresher
from .shared import Failure, SharedJwks
from .snapshot import Snapshot, Timing, Wanted


class JwksService:
    """The keys behind one JWKS URI, or of one issuer whose JWKS URI is discovered.

    All times are in seconds.

    ``jwks_uri``: the URL of the JWKS; None: it is discovered from the issuer's metadata.
    ``issuer``: the issuer's identifier. Its name in the log, and where the service is given by hand, the ``iss``
    that is required of the tokens.
    ``cache``: a Django cache, or the alias of one, that shares the keys among processes. None: "default".
    ``session``: what fetches: a `requests.Session` or anything else with its ``get``, or a callable that returns
    one for each fetch. None: a new `requests.Session` for each.
    ``timeout``: the time limit of one whole fetch, more than 0. Default: 5.
    ``fresh_seconds``: how long keys are used without asking again, 0 or more; the response's max-age may make it
    less. With 0, each request is answered from the keys at hand and has them refreshed behind. Default: 300.
    ``stale_seconds``: how long keys are used after the last successful fetch, more than 0. Default: 14400.
    ``cooldown_seconds``: the least time between two fetches for unknown keys, and the most between two tries
    while fetches fail, 0 or more. Default: 30.
    ``allow_insecure_http``: fetch from plain http URLs other than those of this machine too. Default: False.
    ``clock``: returns Unix time. None: `time.time`.

    Raises ValueError where both ``jwks_uri`` and ``issuer`` are missing, or a time is out of its range.
    """

    def __init__(
        self,
        jwks_uri: str | None = None,
        *,
        issuer: str | None = None,
        cache: BaseCache | str | None = None,
        session: requests.Session | Callable[[], requests.Session] | None = None,
        timeout: float = 5,
        fresh_seconds: float = 300,
        stale_seconds: float = 14400,
        cooldown_seconds: float = 30,
        allow_insecure_http: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> None:
        source = jwks_uri or issuer
        if source is None:
            raise ValueError("a JwksService needs a jwks_uri, or an issuer to discover it from")
        self.issuer = issuer
        _require_times(fresh_seconds, stale_seconds, cooldown_seconds, timeout)
        self._clock = clock = clock or unix_time
        timing = Timing(fresh_seconds, stale_seconds, cooldown_seconds)
        self._client = JwksClient(session, timeout=timeout, allow_insecure_http=allow_insecure_http)
        self._cache = GuardedCache("default" if cache is None else cache, clock, cooldown_seconds)
        # The log names the issuer, else the host: a JWKS URI may hold a secret.
        self._events = KeyEvents(self, issuer or str(urlsplit(source).hostname), clock)
        fetcher = JwksFetcher(jwks_uri, issuer, self._client, timing, clock)
        self._refresher = Refresher(fetcher, SharedJwks(self._cache, source, clock), timing, self._events, clock)
        self._keeper = KeyKeeper(self._refresher, self._events, timing, clock)
        self._forks = ForkGuard(self._start_afresh)

    def current(self) -> KeySet | None:
        """Return the keys at hand, None where there are none young enough; refresh old ones behind."""
        snapshot = self._keeper.snapshot
        if snapshot is None:
            return None
        now = self._clock()
        if snapshot.document.fetched_at <= now < snapshot.fresh_until:
            return snapshot.key_set
        self._forks.notice()
        return self._keeper.aged(snapshot, now)

    def key_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Return keys among which this one should be: where they are not at hand, look and fetch.

        Raises KeysUnavailable where no keys can be had at all.
        """
        key_set = self.current()
        if key_set is not None and key_set.knows(kid, alg):
            return key_set
        return run_blocking(self._find(Wanted(kid, alg)))

    async def akey_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Do as `key_set_for` does, without blocking the event loop."""
        key_set = self.current()
        if key_set is not None and key_set.knows(kid, alg):
            return key_set
        return await run_awaiting(self._find(Wanted(kid, alg)))

    def refresh(self) -> KeySet:
        """Refresh now, or join the refresh that is under way, and return the keys.

        They come from the shared cache where it holds newer ones. Raises KeysUnavailable where no keys can be
        had at all.
        """
        self._forks.notice()
        return run_blocking(self._renewed(self._keeper.snapshot)).key_set

    def inspect(self, *, fetch: bool = False) -> Snapshot | Failure:
        """Return the keys with their document and times, or why there are none; for people, not for requests.

        With ``fetch`` they are fetched at once, whatever the cache holds and whatever failed before.
        """
        self._forks.notice()
        held = self._keeper.held()
        if held is not None and not fetch and self._clock() < held.fresh_until:
            return held
        outcome = self._refresher.fetch() if fetch else self._refresher.refresh(held)
        self._keeper.adopt(outcome)
        self._events.send()
        return outcome

    def _find(self, wanted: Wanted) -> Steps[KeySet]:
        self._forks.notice()
        seen = self._keeper.snapshot
        key_set = self.current()
        if key_set is None:
            renewed = yield from self._renewed(seen)
            key_set = renewed.key_set
            if key_set.knows(*wanted):
                return key_set
            if renewed.fetch is not None:
                # We have just fetched these ourselves; that counts as this cooldown's fetch.
                self._refresher.close_gate()
                return key_set
        search = self._keeper.search(wanted)
        if search is not None:
            yield search
        found = self._keeper.held()
        return key_set if found is None else found.key_set

    def _renewed(self, seen: Snapshot | None) -> Steps[Snapshot]:
        """Return the keys at hand after a refresh; while fetches back off, after a look into the cache at most."""
        refresh = self._keeper.look() if self._keeper.is_backing_off() else self._keeper.refresh(seen)
        if refresh is not None:
            yield Wait(refresh)
        held = self._keeper.held()
        if held is None:
            raise KeysUnavailable(self._keeper.seconds_to_retry())
        return held

    def _start_afresh(self) -> None:
        self._keeper.start_afresh()
        self._refresher.start_afresh()
        self._events.start_afresh()
        self._client.bounded.forget_threads()
        self._cache.start_afresh()


def _require_times(fresh: float, stale: float, cooldown: float, timeout: float) -> None:
    for name, value, rule in (
        ("fresh_seconds", fresh, seconds),
        ("stale_seconds", stale, some_seconds),
        ("cooldown_seconds", cooldown, seconds),
        ("timeout", timeout, some_seconds),
    ):
        try:
            rule(value)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from error
