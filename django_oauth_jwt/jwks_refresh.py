"""One refresh of the keys: from the shared cache where it holds newer ones, else by one fetch among all processes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from .discovery import discover_jwks_uri
from .jwks_cache import MAXIMUM_SKEW_SECONDS, Failure, JwksDocument, SharedJwks, is_ahead
from .jwks_client import Fetched, FetchFailed, JwksClient
from .jwks_events import KeyEvents
from .jwks_snapshot import Fetch, Snapshot, Timing, Wanted
from .keys import KeySet

#: How soon, in seconds, a process looks for the result of another one's fetch, and how often at last.
POLL_SECONDS: Final = 0.05
LONGEST_POLL_SECONDS: Final = 0.4
#: How long, in seconds, a token with an unknown key waits for another process's fetch, which may hang.
PATIENCE_SECONDS: Final = 1.0
#: How long, in seconds, keys are fresh at the least, whatever their max-age says.
MINIMUM_FRESH_SECONDS: Final = 1.0


@dataclass
class Refresher:
    """Refreshes the keys of one source: a JWKS URI, or an issuer whose JWKS URI is discovered."""

    jwks_uri: str | None
    issuer: str | None
    client: JwksClient
    shared: SharedJwks
    timing: Timing
    events: KeyEvents
    clock: Callable[[], float]
    sleep: Callable[[float], Any] = time.sleep

    def __post_init__(self) -> None:
        self._failure: Failure | None = None
        self._is_fetching = False
        self._gate_closed_until = 0.0
        self._discovered: str | None = None
        self._discovered_until = 0.0
        # Discovery tries two places before the keys themselves are fetched.
        self._longest = self.client.timeout * (1 if self.jwks_uri else 3) + 1

    def refresh(self, held: Snapshot | None, wanted: Wanted | None = None) -> Snapshot | Failure:
        """Return keys that are newer than those held, or the held ones, or why there are none.

        With ``wanted`` the refresh is for a key that the held set lacks: a newer set that has it will do,
        and a fetch is made at most once per cooldown.
        """
        enough = held if wanted is not None else None
        started = time.monotonic()
        poll_seconds = POLL_SECONDS
        while True:
            known = self._without_fetch(held, wanted)
            if known is not None:
                if enough is not None and isinstance(known, Failure) and poll_seconds > POLL_SECONDS:
                    self.close_gate()  # the fetch that was waited for counts, though it failed
                return known
            if self.shared.try_lock(self._longest + 1):
                break
            # A refresh of this process takes no longer than a fetch of the search's own would.
            patience = self._longest if enough is None or self._is_fetching else PATIENCE_SECONDS
            if time.monotonic() - started > patience:
                if enough is None:
                    return Failure("another process's fetch took too long", 1, self.clock() + 1)
                self.close_gate()  # that fetch is the one of this cooldown
                return self._newer_in_cache(held) or enough
            self.sleep(poll_seconds)
            poll_seconds = min(2 * poll_seconds, LONGEST_POLL_SECONDS)
        try:
            # Whoever had the lock before may have stored what is sought.
            known = self._without_fetch(held, wanted)
            if known is not None:
                return known
            self._is_fetching = True
            return self._fetch(held, wanted)
        finally:
            self._is_fetching = False
            self.shared.unlock()

    def fetch(self) -> Snapshot | Failure:
        """Fetch at once, whatever the cache holds and whatever failed before; for people, not for requests."""
        return self._fetch(None, None)

    def close_gate(self) -> None:
        """Let this process make no fetch for a wanted key within the cooldown: one has just been made."""
        self._gate_closed_until = self.clock() + self.timing.cooldown

    def snapshot(self, document: JwksDocument, held: Snapshot | None = None) -> Snapshot:
        """Parse a document, or reuse the parsed keys where it is the one held."""
        if held is not None and held.document.jwks == document.jwks:
            key_set = held.key_set  # the same object: remembered tokens stay remembered
        else:
            key_set = KeySet.from_jwks(document.jwks)
        stale_until = document.fetched_at + self.timing.stale
        # The document may come from a process with other settings.
        fresh_until = min(document.fetched_at + min(document.fresh_seconds, self.timing.fresh), stale_until)
        return Snapshot(key_set, document, fresh_until, stale_until)

    def _without_fetch(self, held: Snapshot | None, wanted: Wanted | None) -> Snapshot | Failure | None:
        shared = self._newer_in_cache(held)
        if shared is not None:
            is_young = held is None or self.clock() < shared.fresh_until
            if shared.key_set.knows(*wanted) if wanted is not None else is_young:
                self._failure = None
                return shared
        failure = self._latest_failure()
        if failure is not None and is_ahead(failure.retry_at, self.clock(), self.timing.cooldown):
            return shared or failure
        return (shared or held) if wanted is not None and self._is_gate_closed() else None

    def _is_gate_closed(self) -> bool:
        if is_ahead(self._gate_closed_until, self.clock(), self.timing.cooldown):
            return True
        # This process's refresh of old keys may hang: a search that could make no fetch does not wait for it.
        return self._is_fetching and self.shared.is_gate_closed(self.timing.cooldown)

    def _newer_in_cache(self, held: Snapshot | None) -> Snapshot | None:
        document = self.shared.load()
        now = self.clock()
        if document is None or (held is not None and not _is_newer(document, held.document)):
            return None
        # Another machine's clock may be ahead a little; a time far in the future is rubbish.
        if not now - self.timing.stale < document.fetched_at <= now + MAXIMUM_SKEW_SECONDS:
            return None
        try:
            snapshot = self.snapshot(replace(document, fetched_at=min(document.fetched_at, now)), held)
        except ValueError:
            return None
        return snapshot if len(snapshot.key_set) else None

    def _latest_failure(self) -> Failure | None:
        shared = self.shared.failure()
        own = self._failure
        if shared is None or (own is not None and own.retry_at > shared.retry_at):
            return own
        return shared

    def _fetch(self, held: Snapshot | None, wanted: Wanted | None) -> Snapshot | Failure:
        if wanted is not None and held is not None:
            if not self.shared.pass_gate(self.timing.cooldown):
                return self._newer_in_cache(held) or held  # others' keys, though not the one that is wanted
            self.close_gate()  # the shared gate stands open to all while the cache is down
        started = time.monotonic()
        try:
            uri = self.jwks_uri or self._discover(self.clock())
            snapshot = self.snapshot(self._fetch_document(uri, held), held)
            if not len(snapshot.key_set):
                raise FetchFailed(f"no usable key in the JWKS{_reasons(snapshot.key_set)}")
        except (FetchFailed, ValueError) as error:
            return self._failed(str(error))
        self._failure = None
        self.shared.store(snapshot.document, self.timing.stale)
        fetch = Fetch(uri, time.monotonic() - started)
        self.events.refreshed(snapshot, fetch)
        return replace(snapshot, fetch=fetch)

    def _failed(self, reason: str) -> Failure:
        before = self._latest_failure()
        count = before.count + 1 if before is not None else 1
        delay = min(2.0 ** min(count - 1, 30), self.timing.cooldown)
        self._failure = Failure(reason, count, self.clock() + delay)
        self._discovered = None  # the JWKS may have moved
        # Kept a while beyond its delay, so that the next failure knows that it is not the first.
        self.shared.store_failure(self._failure, 2 * self.timing.cooldown + 1)
        self.events.failed(self._failure)
        return self._failure

    def _fetch_document(self, uri: str, held: Snapshot | None) -> JwksDocument:
        now = self.clock()
        # A discovered URI may have changed, and an ETag is only good for the URI that gave it.
        etag = held.document.etag if held is not None and self.jwks_uri else None
        fetched = self.client.fetch(uri, etag=etag)
        fresh = self._fresh_seconds(fetched)
        if fetched.document is None and held is not None:
            return replace(held.document, fetched_at=now, fresh_seconds=fresh)
        return JwksDocument(fetched.document or {}, now, fresh, fetched.etag)

    def _fresh_seconds(self, fetched: Fetched) -> float:
        if fetched.max_age is None:
            return self.timing.fresh
        if fetched.max_age == 0:
            # "Ask each time" is what nobody who checks offline can do; the cooldown is the next best.
            return min(self.timing.fresh, max(self.timing.cooldown, MINIMUM_FRESH_SECONDS))
        return min(self.timing.fresh, fetched.max_age)

    def _discover(self, now: float) -> str:
        if self._discovered is None or now >= self._discovered_until:
            self._discovered = discover_jwks_uri(str(self.issuer), self.client)
            self._discovered_until = now + self.timing.stale
        return self._discovered


def _is_newer(document: JwksDocument, held: JwksDocument) -> bool:
    if document.fetched_at == held.fetched_at:
        return document.jwks != held.jwks
    return document.fetched_at > held.fetched_at


def _reasons(key_set: KeySet) -> str:
    few = [f"{name} {reason}" for name, reason in key_set.unusable[:5]]
    return f": {'; '.join(few)}" if few else ""
