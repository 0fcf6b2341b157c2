"""One fetch of the keys from where they are: a JWKS URI, or the one that an issuer's metadata name."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ..jws import KeySet
from ..upstream import Fetched, FetchFailed, JwksClient, discover_jwks_uri
from .shared import JwksDocument
from .snapshot import Fetch, Snapshot, Timing, Wanted, snapshot_of

#: How long, in seconds, keys are fresh at the least, whatever their max-age says.
MINIMUM_FRESH_SECONDS: Final = 1.0


class JwksFetcher:
    """Fetches the keys of one source: a JWKS URI, or an issuer whose JWKS URI is discovered."""

    def __init__(
        self,
        jwks_uri: str | None,
        issuer: str | None,
        client: JwksClient,
        timing: Timing,
        clock: Callable[[], float],
    ) -> None:
        self._jwks_uri = jwks_uri
        self._issuer = str(issuer)
        self._client = client
        self._timing = timing
        self._clock = clock
        self._discovered: str | None = None
        self._discovered_until = 0.0
        self._has_etag_failed = False
        #: How long, in seconds, a fetch takes at the most: discovery tries two places, and keys may have moved.
        self.longest: Final = client.timeout * (1 if jwks_uri else 4)

    def fetch(self, held: Snapshot | None, wanted: Wanted | None) -> tuple[Snapshot, Fetch]:
        """Return keys as they are now, which may be the held ones, confirmed; raise FetchFailed."""
        started = time.monotonic()
        try:
            snapshot, uri = self._fetch(held, wanted)
        except (FetchFailed, ValueError) as error:
            self._discovered = None  # the JWKS may have moved
            raise FetchFailed(str(error)) from error
        return snapshot, Fetch(uri, time.monotonic() - started)

    def _fetch(self, held: Snapshot | None, wanted: Wanted | None) -> tuple[Snapshot, str]:
        known = self._known_uri()
        uri = known or self._discover()
        snapshot = self._fetched(uri, held)
        lacks_key = wanted is not None and not snapshot.key_set.knows(*wanted)
        if lacks_key and self._jwks_uri is None and known is not None:
            return self._moved(known) or (snapshot, uri)
        return snapshot, uri

    def _moved(self, known: str) -> tuple[Snapshot, str] | None:
        """Return the keys from another place, if the metadata name one by now: the old one may still answer."""
        try:
            uri = self._discover()
            return (self._fetched(uri, None), uri) if uri != known else None
        except (FetchFailed, ValueError):
            return None  # there are good keys from the old place

    def _known_uri(self) -> str | None:
        if self._jwks_uri is not None:
            return self._jwks_uri
        return self._discovered if self._clock() < self._discovered_until else None

    def _discover(self) -> str:
        self._discovered = discover_jwks_uri(self._issuer, self._client)
        self._discovered_until = self._clock() + self._timing.stale
        return self._discovered

    def _fetched(self, uri: str, held: Snapshot | None) -> Snapshot:
        snapshot = snapshot_of(self._document(uri, held), self._timing, held)
        if not len(snapshot.key_set):
            raise FetchFailed(f"no usable key in the JWKS{_reasons(snapshot.key_set)}")
        return snapshot

    def _document(self, uri: str, held: Snapshot | None) -> JwksDocument:
        now = self._clock()
        fetched = self._revalidated(uri, held)
        if fetched.document is None and held is not None:
            # What a 304 does not say of freshness is as the answer before said (RFC 9111 section 4.3.4).
            fresh = self._fresh_seconds(fetched.max_age, held.document.fresh_seconds)
            return replace(held.document, fetched_at=now, fresh_seconds=fresh)
        fresh = self._fresh_seconds(fetched.max_age, self._timing.fresh)
        return JwksDocument(fetched.document or {}, now, fresh, fetched.etag)

    def _revalidated(self, uri: str, held: Snapshot | None) -> Fetched:
        # A discovered URI may have changed, and an ETag is only good for the URI that gave it.
        etag = held.document.etag if held is not None and self._jwks_uri is not None else None
        if self._has_etag_failed:
            etag = None
        # Where a fetch with an ETag fails, that may be the server's answer to the ETag: the next one goes without.
        self._has_etag_failed = etag is not None
        fetched = self._client.fetch(uri, etag=etag)
        self._has_etag_failed = False
        return fetched

    def _fresh_seconds(self, max_age: int | None, otherwise: float) -> float:
        if max_age is None:
            return otherwise
        if max_age == 0:
            # "Ask each time" is what nobody who checks offline can do; the cooldown is the next best.
            return min(self._timing.fresh, max(self._timing.cooldown, MINIMUM_FRESH_SECONDS))
        return min(self._timing.fresh, max_age)


def _reasons(key_set: KeySet) -> str:
    few = [f"{key.name} {key.reason}" for key in key_set.unusable[:5]]
    return f": {'; '.join(few)}" if few else ""
