"""One HTTP fetch of a JSON document: https, no redirects, limited in time and size, revalidated by ETag."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import requests
import urllib3

from ..conf import is_secure
from ..jws import loads_object
from .bounded import Bounded, StillHanging

#: The largest document that is read, in bytes; real ones have a few thousand.
MAXIMUM_BYTES: Final = 512 * 1024

#: Whichever of the limits is noticed first; while it reads the body, requests leaves it to urllib3.
_TIMEOUTS: Final = (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)

_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})(?![\d.])", re.IGNORECASE)


class FetchFailed(Exception):
    """A fetch that brought nothing usable; its text is the reason, for the log."""


@dataclass(frozen=True)
class Fetched:
    """A fetched document; ``document`` is None where the server said that it has not changed (304).

    ``max_age`` is in seconds, None where the server gave none (RFC 9111 section 5.2.2.1).
    """

    document: dict[str, Any] | None
    etag: str | None = None
    max_age: int | None = None


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
        self._session: Any = requests.Session if session is None else session
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
            return self.bounded.call(lambda: self._get(uri, etag), self.timeout)
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

    def _get(self, uri: str, etag: str | None) -> Fetched:
        deadline = time.monotonic() + self.timeout
        is_one = hasattr(self._session, "get") and not isinstance(self._session, type)
        session = self._session if is_one else self._session()
        # Nothing is gained by keeping the connection for minutes, and processes that fork would share it.
        headers = {"Accept": "application/jwk-set+json, application/json", "Connection": "close"}
        etag = _sendable(etag)
        if etag is not None:
            headers["If-None-Match"] = etag
        with session.get(uri, headers=headers, timeout=self.timeout, allow_redirects=False, stream=True) as response:
            if response.status_code == requests.codes.not_modified and etag is not None:
                return Fetched(None, etag, _max_age(response))
            if response.status_code != requests.codes.ok:
                raise FetchFailed(f"status {response.status_code}")
            body = _read(response, deadline)
            try:
                document = loads_object(body)
            except ValueError as error:
                raise FetchFailed("not a JSON object") from error
            return Fetched(document, _sendable(response.headers.get("ETag")), _max_age(response))


def _read(response: requests.Response, deadline: float) -> bytes:
    body = bytearray()
    for chunk in _chunks(response):
        body += chunk
        if len(body) > MAXIMUM_BYTES:
            raise FetchFailed(f"longer than {MAXIMUM_BYTES} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(body)


def _chunks(response: requests.Response) -> Iterator[bytes]:
    raw = response.raw
    if raw is None:  # the adapter of a project's own session may have read everything
        return iter([response.content])
    # Other objects may have a read1 that decodes nothing, as io.BytesIO has; urllib3 1 has none.
    if not (isinstance(raw, urllib3.HTTPResponse) and hasattr(raw, "read1")):
        return iter(response.iter_content(1024))
    # read1 returns what has arrived; read(1024) would block until a dripping server had sent 1024 bytes.
    return iter(lambda: raw.read1(1024, decode_content=True), b"")


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
