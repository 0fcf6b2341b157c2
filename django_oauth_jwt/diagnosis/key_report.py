"""The keys of a trusted issuer as people want to see them: where from, how old, and why one is of no use."""

import time
from dataclasses import dataclass, replace

from ..conf import IntrospectionSettings, Settings, TrustedIssuer, get_runtime
from ..errors import BearerError, KeysUnavailable
from ..introspection import Introspectors
from ..jwks import Failure, FileKeys, JwksService, KeyService, KeyServices, StaticKeys
from ..jws import KEY_SHAPES, KeySet, PublicKey, SkippedKey, key_set_from
from ..upstream import FetchFailed, HttpClient, discover_jwks_uri, shown_url
from .console import time_shown


@dataclass(frozen=True)
class KeyRow:
    """A key by its ``kid``, else by its place; ``problem`` says why it is of no use, "" where it is of use."""

    name: str
    kid: str | None = None
    kty: str = ""
    size: str = ""
    algorithms: tuple[str, ...] = ()
    use: str = ""
    problem: str = ""


@dataclass(frozen=True)
class KeyReport:
    """The keys of one issuer, and ``problem``, which says why there are none or the refresh failed, "" if all is well.

    ``origin`` is how they came here: "fetch", "cache", "setting" or "file" (JWKS), or "service" (one of the project's
    own), "" for none. ``source`` is the URL or path, where they have one.
    ``introspection`` is where and how the issuer is asked about tokens, "" where it is not; ``introspection_problem``
    says why that is not known.
    """

    issuer: str | None
    source: str
    origin: str = ""
    keys: tuple[KeyRow, ...] = ()
    fetched_at: float | None = None
    fetch_seconds: float | None = None
    problem: str = ""
    introspection: str = ""
    introspection_problem: str = ""

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.problem or self.introspection_problem)

    @property
    def usable(self) -> int:
        """How many keys are of use."""
        return sum(not row.problem for row in self.keys)


def report_issuer(trusted: TrustedIssuer, settings: Settings, *, refresh: bool = False) -> KeyReport:
    """Return a report on an issuer's keys, as `report_keys` does, and on where it is asked about tokens."""
    report = report_keys(trusted, settings, refresh=refresh)
    return report if trusted.introspection is None else _with_introspection(report, trusted, trusted.introspection)


def _with_introspection(report: KeyReport, trusted: TrustedIssuer, settings: IntrospectionSettings) -> KeyReport:
    try:
        endpoint = get_runtime().part(Introspectors).introspector_of(trusted).endpoint()
    except FetchFailed as failure:
        return replace(report, introspection_problem=str(failure))
    tokens = "all tokens" if settings.asks_about_jwts else "opaque tokens"
    answer = "the JWT" if settings.wants_jwt else "JSON"
    place = f"{shown_url(endpoint.uri)} about {tokens}, by {endpoint.auth}, for {answer}"
    return replace(report, introspection=f"{place}; remembered for {settings.cache_seconds:g} s")


def report_keys(trusted: TrustedIssuer, settings: Settings, *, refresh: bool = False) -> KeyReport:
    """Return a report on an issuer's keys: those of the shared cache, or fetched where ``refresh`` or need be."""
    try:
        service = get_runtime().part(KeyServices).service_of(trusted)
    except BearerError as error:  # of a factory
        return KeyReport(trusted.issuer, source_of(trusted), "service", problem=_refusal(error))
    if not isinstance(service, JwksService):
        return _report_unfetched(trusted, service)
    outcome, problem = service.inspect(fetch=refresh), ""
    if isinstance(outcome, Failure):
        when = time_shown(outcome.retry_at, time.time())
        problem = f"{outcome.reason}; next try at {when}{_asked(trusted, outcome)}"
        outcome = service.inspect() if refresh else outcome  # the cache may hold keys that are still good
    if isinstance(outcome, Failure):
        return _report_none(trusted, settings, outcome, problem)
    origin = "cache" if outcome.fetch is None else "fetch"
    uri, seconds = outcome.fetch or (None, None)
    source = source_of(trusted) if uri is None else shown_url(uri)
    return KeyReport(trusted.issuer, source, origin, _rows(outcome.key_set), outcome.fetched_at, seconds, problem)


def _report_unfetched(trusted: TrustedIssuer, service: KeyService) -> KeyReport:
    key_set, problem = _current_of(service)
    if isinstance(service, FileKeys):
        origin, problem = "file", service.problem
    else:
        origin = "setting" if isinstance(service, StaticKeys) else "service"
    return KeyReport(trusted.issuer, source_of(trusted), origin, _rows(key_set), problem=problem)


def _current_of(service: KeyService) -> tuple[KeySet, str]:
    """Return the keys of a service, and what is wrong with them: one that is broken must not hide the other issuers."""
    try:
        key_set = service.current()
    except BearerError as error:  # the service's own word for requests, and no failure
        return KeySet(()), _refusal(error)
    except Exception as error:  # noqa: BLE001  # of any kind: the service is the project's own
        return KeySet(()), f"the key service failed: {type(error).__name__}: {error}"
    if not isinstance(key_set, KeySet | None):
        return KeySet(()), f"the key service has a {type(key_set).__name__}, which is no KeySet"
    return key_set or KeySet(()), "" if key_set else "no keys in memory"


def _refusal(error: BearerError) -> str:
    detail = f": {error.detail}" if error.detail else ""
    retry_after = f"; Retry-After: {error.retry_after}" if isinstance(error, KeysUnavailable) else ""
    return f"the key service refuses requests: {error.reason} ({error.description}{detail}){retry_after}"


def _report_none(trusted: TrustedIssuer, settings: Settings, failure: Failure, problem: str) -> KeyReport:
    unusable = _unusable(trusted, settings) if failure.reason.startswith("no usable key") else ()
    return KeyReport(trusted.issuer, source_of(trusted), keys=unusable, problem=problem)


def _asked(trusted: TrustedIssuer, failure: Failure) -> str:
    """Return which URL failed, "" where the source or the reason names it."""
    is_named = failure.uri in f"{source_of(trusted)} {failure.reason}"
    return "" if is_named else f"; asked: {failure.uri}"


def _unusable(trusted: TrustedIssuer, settings: Settings) -> tuple[KeyRow, ...]:
    """Fetch the keys that are of no use: services keep nothing of a JWKS in which no key is of any."""
    client = HttpClient(
        settings.http_session, timeout=settings.http_timeout, allow_insecure_http=settings.allow_insecure_http
    )
    try:
        uri = trusted.jwks_uri or discover_jwks_uri(str(trusted.issuer), client)
        rows = _rows(key_set_from(client.fetch(uri).document or {}, shown_url(uri)))
    except (FetchFailed, ValueError):
        return ()
    return tuple(row for row in rows if row.problem)


def source_of(trusted: TrustedIssuer) -> str:
    """Return where an issuer's keys come from."""
    if trusted.jwks_service is not None:
        service = trusted.jwks_service
        return f"JWKS_SERVICE {getattr(service, '__qualname__', type(service).__qualname__)}"
    if trusted.jwks is not None:
        return "the setting JWKS" if isinstance(trusted.jwks, KeySet) else str(trusted.jwks)
    if trusted.jwks_uri is not None:
        return shown_url(trusted.jwks_uri)
    return f"the jwks_uri in the metadata of {trusted.issuer}"


def _rows(key_set: KeySet) -> tuple[KeyRow, ...]:
    usable = (
        KeyRow(
            "no kid" if key.kid is None else key.kid, key.kid, key.kty, _size(key), tuple(key.verifiers), key.use or ""
        )
        for key in key_set
    )
    return (*usable, *(_unusable_row(key) for key in key_set.unusable))


def _unusable_row(key: SkippedKey) -> KeyRow:
    return KeyRow(key.name if key.kid is None else key.kid, key.kid, problem=key.reason)


def _size(key: PublicKey) -> str:
    """Return the curve of a key, or the bits of an RSA key."""
    alg, verifier = next(iter(key.verifiers.items()))
    return KEY_SHAPES[alg][1] or f"{verifier.prepared_key.key_size} bits"
