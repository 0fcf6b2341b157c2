"""The keys of one authorization server, for requests: `JwksService` is what they ask."""

from collections.abc import Callable
from concurrent.futures import Future

import requests
from django.core.cache import BaseCache

from ..conf import seconds, some_seconds
from ..jws import KeySet
from ..upstream import GuardedCache, HttpClient, PerProcess, run_awaiting, run_blocking, unix_time
from .events import KeyEvents
from .fetch import JwksFetcher
from .refresh import Refresher
from .shared import SharedJwks
from .snapshot import Failure, Snapshot, Timing, Wanted
from .source import KeySource
from .status import NO_KEYS, KeyStatus


class JwksService:
    """The keys behind one JWKS URI, or of one issuer whose JWKS URI is discovered.

    All times are in seconds.

    ``jwks_uri``: the URL of the JWKS; None: it is discovered from the issuer's metadata.
    ``issuer``: the issuer's identifier; where the service is given by hand, the ``iss`` that is required of the
    tokens.
    ``cache``: a Django cache, or the alias of one, that shares the keys among processes. None: "default". The services
    of one runtime share what guards it: a connection and a thread for each of a thousand issuers would be too many.
    ``session``: what fetches: a `requests.Session` or anything else with its ``get``, or a callable that returns
    one for each fetch. None: a new `requests.Session` for each.
    ``timeout``: the time limit of one whole fetch, more than 0. Default: 5.
    ``fresh_seconds``: how long keys are used without asking again, 0 or more; the response's max-age may make it
    less. With 0, each request uses the keys in memory, and starts a refresh in the background. Default: 300.
    ``stale_seconds``: how long keys are used after the last successful fetch, more than 0. Default: 14400.
    ``cooldown_seconds``: the least time between two fetches for unknown keys, and the most between two tries
    while fetches fail, 0 or more. Default: 30.
    ``allow_insecure_http``: fetch from plain http URLs other than those of this machine too. Default: False.
    ``clock``: returns Unix time. None: `time.time`.

    Raises ValueError where both ``jwks_uri`` and ``issuer`` are missing, a time is out of its range, ``jwks_uri`` is no
    text, or ``session`` fetches nothing.
    """

    def __init__(
        self,
        jwks_uri: str | None = None,
        *,
        issuer: str | None = None,
        cache: BaseCache | str | PerProcess[GuardedCache] | None = None,
        session: requests.Session | Callable[[], requests.Session] | None = None,
        timeout: float = 5,
        fresh_seconds: float = 300,
        stale_seconds: float = 14400,
        cooldown_seconds: float = 30,
        allow_insecure_http: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> None:
        if jwks_uri is None and issuer is None:
            raise ValueError("a JwksService needs a jwks_uri, or an issuer to discover it from")
        if not isinstance(jwks_uri, str | None):  # a ValueError as for the other arguments
            raise ValueError("jwks_uri must be an https URL such as 'https://as.example.com/jwks'")  # noqa: TRY004
        if not (session is None or callable(session) or hasattr(session, "get")):
            raise ValueError("session must be a requests.Session, or a callable that returns one")
        _require_times(fresh_seconds, stale_seconds, cooldown_seconds, timeout)
        self.issuer = issuer
        self._clock = clock = clock or unix_time
        timing = Timing(fresh_seconds, stale_seconds, cooldown_seconds)
        events = KeyEvents(self, clock)

        def source_after(parent: KeySource | None) -> KeySource:
            client = HttpClient(session, timeout=timeout, allow_insecure_http=allow_insecure_http)
            if isinstance(cache, PerProcess):
                guarded = cache.get()
            else:
                guarded = GuardedCache("default" if cache is None else cache, clock, cooldown_seconds)
            fetcher = JwksFetcher(jwks_uri, issuer, client, timing, clock)
            # Who is trusted as an issuer must not share keys, or failures, with the JWKS URI of that name.
            place = f"the metadata of {issuer}" if jwks_uri is None else jwks_uri
            refresher = Refresher(fetcher, SharedJwks(guarded, place, clock), timing, clock)
            # Of its parent's state a child keeps the keys alone: jobs, locks and connections stay behind.
            return KeySource(refresher, events, timing, clock, snapshot=parent.state.snapshot if parent else None)

        self._sources = PerProcess(source_after)

    def current(self) -> KeySet | None:
        """Return the keys in memory, None where there are none or they are stale; have old ones refreshed behind."""
        # Called at each use of a remembered token, so for fresh keys this is the only check, also in a new process.
        snapshot = self._sources.latest.state.snapshot
        if snapshot is None:
            return None
        if snapshot.document.fetched_at <= self._clock() < snapshot.fresh_until:
            return snapshot.key_set
        return self._sources.get().old_keys(snapshot)

    def key_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Return keys among which this one should be; where they are not in memory, look for them and fetch.

        Raises KeysUnavailable where no keys can be had at all, and where this one is still being looked for after a
        second.
        """
        key_set = self.current()
        if key_set is not None and key_set.knows(kid, alg):
            return key_set
        return run_blocking(self._sources.get().find(Wanted(kid, alg)))

    async def akey_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Do as `key_set_for` does, without blocking the event loop."""
        key_set = self.current()
        if key_set is not None and key_set.knows(kid, alg):
            return key_set
        return await run_awaiting(self._sources.get().find(Wanted(kid, alg)))

    def age(self) -> float | None:
        """Return how many seconds ago the authorization server confirmed the keys in memory; None where there are none.

        Fetches nothing. Keys that are stale by now have an age, too.
        """
        return self.status().age

    def refresh(self) -> KeySet:
        """Refresh now, or join the refresh that is under way, and return the keys.

        They come from the shared cache where it holds newer ones. Raises KeysUnavailable where no keys can be
        had at all.
        """
        return run_blocking(self._sources.get().refresh())

    def warm_up(self) -> "Future[None] | None":
        """Have keys brought where there are none, and old ones refreshed behind; wait for nothing.

        Returns what is done when the attempt is over, None where none is made: the keys are fresh, or the last one has
        just failed.
        """
        if self.current() is None:
            return self._sources.get().warm_up()
        job = self._sources.latest.state.job
        return None if job is None else job.future

    def status(self) -> KeyStatus:
        """Return how it stands with the keys in memory. Nothing is started by that."""
        snapshot, now = self._sources.latest.state.snapshot, self._clock()
        return NO_KEYS if snapshot is None else snapshot.status(now)

    def inspect(self, *, fetch: bool = False) -> Snapshot | Failure:
        """Return the keys with their document and times, or why there are none; for people, not for requests.

        With ``fetch`` they are fetched at once, whatever the cache holds and whatever failed before.
        """
        return self._sources.get().inspect(fetch=fetch)


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
