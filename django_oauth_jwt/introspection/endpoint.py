"""Where an authorization server is asked about tokens, and how a client authenticates itself there (RFC 8414)."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from ..conf import WITH_KEY, WITH_SECRET, IntrospectionSettings
from ..upstream import FetchFailed, HttpClient, discover, url_in

_ENDPOINT: Final = "introspection_endpoint"
_AUTH_METHODS: Final = "introspection_endpoint_auth_methods_supported"
#: RFC 9701 section 7: the server signs its responses, where it is asked to.
_SIGNING: Final = "introspection_signing_alg_values_supported"


#: How long, in seconds, an endpoint from before is used when the metadata cannot be had.
RETRY_SECONDS: Final = 30.0


class Endpoint(NamedTuple):
    """``auth`` is the client's authentication method; ``signs_responses`` tells whether signed ones can be had."""

    uri: str
    auth: str
    signs_responses: bool = False


class EndpointFinder:
    """Knows the endpoint from the settings, or from the issuer's metadata for so many seconds."""

    def __init__(
        self,
        settings: IntrospectionSettings,
        issuer: str | None,
        client: HttpClient,
        seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._issuer = str(issuer)
        self._client = client
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._found: tuple[Endpoint, float] | None = None
        self._failure = ("", 0.0, "", "")

    def find(self) -> Endpoint:
        """Return the endpoint, blocking; raise FetchFailed where it cannot be found."""
        if self._settings.endpoint is not None:
            return Endpoint(self._settings.endpoint, self._settings.auth or _preferred(self._settings, None))
        known_failure = self._failure
        with self._lock:  # the tokens of a cold start ask for the metadata once, also where that is in vain
            if self._found is None or self._clock() >= self._found[1]:
                if self._failure is not known_failure and self._found is None:
                    raise FetchFailed(*self._failure)
                self._found = self._discovered_or(self._found)
            return self._found[0]

    def forget(self) -> None:
        """Look the endpoint up again at the next question: it did not answer, so it may have moved."""
        if self._found is not None:
            self._found = self._found[0], 0.0

    def _discovered_or(self, known: tuple[Endpoint, float] | None) -> tuple[Endpoint, float]:
        """Return the endpoint in the metadata, and until when it is known; the one from before while they are down."""
        try:
            return discover(self._issuer, self._client, self._endpoint_in), self._clock() + self._seconds
        except FetchFailed as failure:
            if known is not None:
                return known[0], self._clock() + max(RETRY_SECONDS, failure.retry_after)
            self._failure = (str(failure), failure.retry_after, failure.uri, failure.error_type)
            raise

    def _endpoint_in(self, metadata: Mapping[str, Any]) -> Endpoint:
        uri = url_in(metadata, _ENDPOINT, self._issuer, self._client)
        auth = self._settings.auth or _preferred(self._settings, metadata.get(_AUTH_METHODS))
        return Endpoint(uri, auth, signs_responses=bool(metadata.get(_SIGNING)))


def _preferred(settings: IntrospectionSettings, supported: object) -> str:
    """Return the first method that we have the means for and the server supports, as far as it says so."""
    possible = (WITH_KEY,) if settings.private_key is not None else WITH_SECRET
    if not isinstance(supported, list):
        return possible[0]
    for method in possible:
        if method in supported:
            return method
    raise FetchFailed(f"the authorization server supports none of {', '.join(possible)}")
