"""One HTTP fetch of a JSON document: https, no redirects, limited in time and size, revalidated by ETag."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import requests
import urllib3
from django.utils.http import parse_http_date_safe

from ..conf import is_secure
from ..jws import loads_jwks
from .body import ACCEPT_ENCODING, read_body
from .bounded import Bounded, StillHanging
from .failures import FetchFailed
from .session import open_session, options_for

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


#: Nothing is gained by keeping the connection for minutes, and processes that fork would share it.
_HEADERS: Final = MappingProxyType(
    {
        "Accept": "application/jwk-set+json, application/json, */*;q=0.1",
        "Accept-Encoding": ACCEPT_ENCODING,
        "Connection": "close",
    }
)


def shown_url(uri: str) -> str:
    """Return a URL as the log names it: without user name, password and query, which may hold secrets."""
    parts = urlsplit(uri)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


class JwksClient:
    """Fetches JSON documents with a `requests.Session`; ``timeout`` in seconds is for one whole fetch.

    ``session`` is one that is used for all fetches (anything with a ``get`` like that of `requests.Session`), or
    a class or another callable that returns one.
    """

    def __init__(
        self,
        session: requests.Session | Callable[[], requests.Session] | None = None,
        *,
        timeout: float = 5,
        allow_insecure_http: bool = False,
    ) -> None:
        self._session = session
        self.timeout = timeout
        self.allow_insecure_http = allow_insecure_http
        self.bounded: Final = Bounded()

    def fetch(self, uri: str, *, etag: str | None = None) -> Fetched:
        """Fetch the document at ``uri``; raise FetchFailed for everything that can go wrong.

        The limit holds for the whole fetch: name resolution, a server that drips its header or body.
        """
        if not (self.allow_insecure_http or is_secure(uri)):
            raise FetchFailed("the URL is not https")
        try:
            session, close = open_session(self._session)
            return self.bounded.call(lambda: self._get(session, uri, etag), self.timeout, close)
        except _TIMEOUTS as error:
            raise FetchFailed(f"no whole answer within {self.timeout:g} seconds") from error
        except StillHanging as error:
            raise FetchFailed("earlier fetches still hang") from error
        except FetchFailed:
            raise
        except Exception as error:  # a session of the project's own may raise anything
            # Only the kinds: the text can hold the URL, and with it a proxy's password.
            kinds = dict.fromkeys(type(each).__name__ for each in (error, _first_cause(error)))
            raise FetchFailed(f"request failed ({', '.join(kinds)})") from error

    def _get(self, session: Any, uri: str, etag: str | None) -> Fetched:
        deadline = time.monotonic() + self.timeout
        headers = dict(_HEADERS)
        etag = _sendable(etag)
        if etag is not None:
            headers["If-None-Match"] = etag
        options = {"headers": headers, "timeout": self.timeout, "allow_redirects": False, "stream": True}
        with session.get(uri, **options, **options_for(session, uri)) as response:
            if response.status_code == requests.codes.not_modified and etag is not None:
                return Fetched(None, etag, _max_age(response))
            if response.status_code != requests.codes.ok:
                raise FetchFailed(f"status {response.status_code}", _retry_after(response))
            try:
                document = loads_jwks(read_body(response, deadline))
            except ValueError as error:
                raise FetchFailed(f"not a JSON object: {_cause(error)}") from error
            return Fetched(document, _sendable(response.headers.get("ETag")), _max_age(response))


def _cause(error: ValueError) -> str:
    """Return why a body is no JSON object, without anything of it that could do harm in a log."""
    if isinstance(error, UnicodeError):
        return "not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return str(error)


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
