"""One fetch of the keys from where they are: a JWKS URI, or the one that an issuer's metadata name."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ..jws import KeySet
from ..upstream import MAXIMUM_RETRY_AFTER, Fetched, FetchFailed, HttpClient, discover_jwks_uri, is_ahead, shown_url
from .snapshot import Fetch, JwksDocument, Snapshot, Timing, Wanted, snapshot_of
from .state import Endpoint

#: How long, in seconds, keys are fresh at the least, whatever their max-age says.
MINIMUM_FRESH_SECONDS: Final = 1.0

_Found = tuple[Snapshot, str, Endpoint]  #: keys, where they are, and what is known of that from then on


class JwksFetcher:
    """Fetches the keys of one source: a JWKS URI, or an issuer whose JWKS URI is discovered.

    Of ``endpoint`` it needs what earlier fetches have learnt, and returns what this one has.
    """

    def __init__(
        self,
        jwks_uri: str | None,
        issuer: str | None,
        client: HttpClient,
        timing: Timing,
        clock: Callable[[], float],
    ) -> None:
        self._jwks_uri = jwks_uri
        self._issuer = str(issuer)
        self._client = client
        self._timing = timing
        self._clock = clock
        #: How long, in seconds, a fetch takes at most: discovery tries three places, and keys may have moved.
        self.longest: Final = client.timeout * (1 if jwks_uri else 5)

    @property
    def source(self) -> str:
        """Where the keys are from, for the log, while it is not known who fetched them from which URL."""
        return f"the metadata of {shown_url(self._issuer)}" if self._jwks_uri is None else shown_url(self._jwks_uri)

    def fetch(self, held: Snapshot | None, wanted: Wanted | None, endpoint: Endpoint) -> tuple[Snapshot, Endpoint]:
        """Return keys as they are now, which may be the held ones, confirmed; raise FetchFailed."""
        started = time.monotonic()
        snapshot, uri, learnt = self._fetch(held, wanted, endpoint, self._etag(held, endpoint))
        return replace(snapshot, fetch=Fetch(uri, time.monotonic() - started)), learnt

    def after_failure(self, held: Snapshot | None, endpoint: Endpoint) -> Endpoint:
        """Return what a fetch that failed leaves behind: the JWKS may have moved, the ETag may be to blame."""
        known = endpoint if self._must_leave_metadata(endpoint) else Endpoint()
        return replace(known, skip_etag=self._etag(held, endpoint) is not None)

    def _fetch(self, held: Snapshot | None, wanted: Wanted | None, endpoint: Endpoint, etag: str | None) -> _Found:
        known = self._known_uri(endpoint)
        if known is None:
            endpoint = self._discover()
        uri = known or str(endpoint.jwks_uri)
        snapshot = self._fetched(uri, held, etag)
        found = snapshot, uri, replace(endpoint, skip_etag=False)
        lacks_key = wanted is not None and not snapshot.key_set.knows(*wanted)
        may_have_moved = self._jwks_uri is None and known is not None and not self._must_leave_metadata(endpoint)
        return self._moved(*found) if lacks_key and may_have_moved else found

    def _moved(self, snapshot: Snapshot, known: str, learnt: Endpoint) -> _Found:
        """Return the keys from another place, if the metadata name one by now: the old one may still answer."""
        try:
            endpoint = self._discover()
            uri = str(endpoint.jwks_uri)
            return (self._fetched(uri, None, None), uri, endpoint) if uri != known else (snapshot, known, learnt)
        except FetchFailed as error:  # there are good keys from the old place
            return snapshot, known, replace(learnt, metadata_busy_until=self._clock() + error.retry_after)

    def _must_leave_metadata(self, endpoint: Endpoint) -> bool:
        """Tell whether a busy server has asked not to be asked for the metadata yet."""
        return is_ahead(endpoint.metadata_busy_until, self._clock(), MAXIMUM_RETRY_AFTER)

    def _known_uri(self, endpoint: Endpoint) -> str | None:
        if self._jwks_uri is not None:
            return self._jwks_uri
        is_good = self._clock() < endpoint.known_until or self._must_leave_metadata(endpoint)
        return endpoint.jwks_uri if is_good else None

    def _discover(self) -> Endpoint:
        uri = discover_jwks_uri(self._issuer, self._client)
        return Endpoint(uri, self._clock() + self._timing.stale)

    def _fetched(self, uri: str, held: Snapshot | None, etag: str | None) -> Snapshot:
        try:
            snapshot = snapshot_of(self._document(uri, held, etag), self._timing, held, source=shown_url(uri))
        except ValueError as error:
            raise FetchFailed(str(error), uri=uri) from error
        except FetchFailed as error:
            error.uri = uri
            raise
        if not len(snapshot.key_set):
            raise FetchFailed(f"no usable key in the JWKS{_reasons(snapshot.key_set)}", uri=uri)
        return snapshot

    def _document(self, uri: str, held: Snapshot | None, etag: str | None) -> JwksDocument:
        now = self._clock()
        fetched: Fetched = self._client.fetch(uri, etag=etag)
        if fetched.document is None and held is not None:
            # What a 304 does not say of freshness is as the answer before said (RFC 9111 section 4.3.4).
            fresh = self._fresh_seconds(fetched.max_age, held.document.fresh_seconds)
            return replace(held.document, fetched_at=now, fresh_seconds=fresh)
        fresh = self._fresh_seconds(fetched.max_age, self._timing.fresh)
        return JwksDocument(fetched.document or {}, now, fresh, fetched.etag)

    def _etag(self, held: Snapshot | None, endpoint: Endpoint) -> str | None:
        # A discovered URI may have changed, and an ETag is only good for the URI that gave it. A document from the
        # shared cache is fetched whole: if it is not the authorization server's, a 304 would keep it for ever.
        if held is None or held.fetch is None or self._jwks_uri is None or endpoint.skip_etag:
            return None
        return held.document.etag

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
