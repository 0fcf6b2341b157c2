"""One HTTP request to an authorization server: https, no redirects, limited in time and size."""

import re
import time
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

import requests
import urllib3
from django.utils.http import parse_http_date_safe

from ..conf import is_secure
from ..jws import loads_jwks, no_object
from .body import ACCEPT_ENCODING, read_body
from .bounded import Bounded, StillHanging
from .failures import TIMEOUT, FetchFailed, NoAnswer
from .session import add_no_credentials, open_session, options_for

T = TypeVar("T")

#: Whichever of the limits is noticed first; while it reads the body, requests leaves it to urllib3.
_TIMEOUTS: Final = (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)
#: The longest time, in seconds, for which a server's Retry-After is obeyed.
MAXIMUM_RETRY_AFTER: Final = 3600

_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})(?![\d.])", re.IGNORECASE)


@dataclass(frozen=True)
class Fetched:
    """A fetched document; ``document`` is None where the server said that it has not changed (304).

    ``max_age`` is in seconds, None where the server gave none (RFC 9111 section 5.2.2.1).
    """

    document: dict[str, Any] | None
    etag: str | None = None
    max_age: int | None = None


@dataclass(frozen=True)
class Posted:
    """The answer to a form, whatever its status. ``media_type`` is in lower case and has no parameters.

    ``body`` is empty but for 200 and 400, which may name an OAuth error: none is read. A byte order mark before it is
    skipped, as before a JWKS. ``retry_after`` is as in `FetchFailed`. The repr does not show the body, which may hold a
    token.
    """

    status: int
    media_type: str
    body: bytes = field(repr=False)
    retry_after: float = 0


#: Nothing is gained by keeping the connection for minutes, and processes that fork would share it.
_HEADERS: Final = MappingProxyType({"Accept-Encoding": ACCEPT_ENCODING, "Connection": "close"})
_JWKS_OR_JSON: Final = "application/jwk-set+json, application/json, */*;q=0.1"


def shown_url(uri: str) -> str:
    """Return a URL as the log names it: without user name, password and query, which may hold secrets."""
    parts = urlsplit(uri)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


class HttpClient:
    """Asks with a `requests.Session`; ``timeout`` in seconds is for one whole request.

    ``session`` is one that is used for all requests (anything with ``get`` and ``post`` like those of
    `requests.Session`), or a class or another callable that returns one. ``threads`` is how many requests may go on at
    a time.
    """

    def __init__(
        self,
        session: requests.Session | Callable[[], requests.Session] | None = None,
        *,
        timeout: float = 5,
        allow_insecure_http: bool = False,
        threads: int = 4,
    ) -> None:
        self._session = session
        self.timeout = timeout
        self.allow_insecure_http = allow_insecure_http
        self.bounded: Final = Bounded(threads)

    def fetch(self, uri: str, *, etag: str | None = None) -> Fetched:
        """Fetch the JSON document at ``uri``, revalidated by ETag; raise FetchFailed for all that can go wrong."""
        return self._request(uri, lambda session: self._get(session, uri, etag))

    def post(self, uri: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Posted:
        """Send a form and return what is answered; raise FetchFailed where no whole answer comes."""
        return self._request(uri, lambda session: self._post(session, uri, form, headers))

    def _request(self, uri: str, request: Callable[[Any], T]) -> T:
        """Do a request with a session; its limit holds for all: name resolution, a server that drips its answer."""
        if not (self.allow_insecure_http or is_secure(uri)):
            raise FetchFailed("the URL is not https")
        try:
            session, close = open_session(self._session)
            return self.bounded.call(lambda: request(session), self.timeout, close)
        except _TIMEOUTS as error:
            raise FetchFailed(f"no whole answer within {self.timeout:g} seconds", error_type=TIMEOUT) from error
        except StillHanging as error:
            raise FetchFailed("earlier fetches still hang", error_type=TIMEOUT) from error
        except FetchFailed:
            raise
        except Exception as error:  # a session of the project's own may raise anything
            # Only the kinds: the text can hold the URL, and with it a proxy's password.
            kinds = dict.fromkeys(type(each).__name__ for each in (error, _first_cause(error)))
            is_cut_off = isinstance(_first_cause(error), ConnectionResetError | BrokenPipeError)
            failure = NoAnswer if is_cut_off else FetchFailed
            raise failure(f"request failed ({', '.join(kinds)})", error_type=type(error).__name__) from error

    def _get(self, session: Any, uri: str, etag: str | None) -> Fetched:
        deadline = time.monotonic() + self.timeout
        headers = {**_HEADERS, "Accept": _JWKS_OR_JSON}
        etag = _sendable(etag)
        if etag is not None:
            headers["If-None-Match"] = etag
        options = {**self._limits, **options_for(session, uri)}
        with session.get(uri, headers=headers, **options) as response:
            if response.status_code == requests.codes.not_modified and etag is not None:
                return Fetched(None, etag, _max_age(response))
            if response.status_code != requests.codes.ok:
                status = str(response.status_code)
                raise FetchFailed(f"status {status}", _retry_after(response), error_type=status)
            try:
                document = loads_jwks(read_body(response, deadline))
            except ValueError as error:
                raise FetchFailed(no_object(error)) from error
            return Fetched(document, _sendable(response.headers.get("ETag")), _max_age(response))

    def _post(self, session: Any, uri: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Posted:
        deadline = time.monotonic() + self.timeout
        options = {**self._limits, **options_for(session, uri)}
        if "Authorization" in headers and "auth" in options:
            options["auth"] = add_no_credentials  # those of the session would replace them
        with session.post(uri, data=dict(form), headers={**_HEADERS, **headers}, **options) as response:
            media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            has_body = response.status_code in (requests.codes.ok, requests.codes.bad_request)
            body = read_body(response, deadline).removeprefix(BOM_UTF8) if has_body else b""
            return Posted(response.status_code, media_type, body, _retry_after(response))

    @property
    def _limits(self) -> dict[str, Any]:
        return {"timeout": self.timeout, "allow_redirects": False, "stream": True}


def _sendable(etag: str | None) -> str | None:
    """Return an ETag that can stand in a header; others would make each later fetch fail, so they are dropped."""
    return etag if etag and etag.isascii() and etag.isprintable() and etag == etag.strip() else None


def _first_cause(error: BaseException) -> BaseException:
    """Return the error behind an error of requests: one of name resolution, of TLS, a refused connection."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _max_age(response: requests.Response) -> int | None:
    found = _MAX_AGE.search(response.headers.get("Cache-Control", ""))
    return int(found[1]) if found else None


def _retry_after(response: requests.Response) -> float:
    """Return for how many seconds a busy server asks to be left alone (RFC 9110 section 10.2.3), 0 if it does not."""
    value = response.headers.get("Retry-After", "").strip()
    if response.status_code not in (requests.codes.too_many_requests, requests.codes.service_unavailable):
        return 0
    if value.isascii() and value.isdigit():
        seconds = float(value[:9])
    else:
        date = parse_http_date_safe(value)
        seconds = 0 if date is None else date - time.time()
    return min(max(seconds, 0), MAXIMUM_RETRY_AFTER)
