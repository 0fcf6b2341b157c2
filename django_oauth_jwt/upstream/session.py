"""What fetches: the project's own `requests.Session`, or one for a single fetch whose sockets can be closed."""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from ..conf import is_loopback

#: Ends the fetches of a session.
Close = Callable[[], None]


def open_session(session: Any) -> tuple[Any, Close]:
    """Return what fetches, and what closes its sockets while another thread waits for them.

    ``session`` is a session (anything with methods like those of `requests.Session`), a callable that returns one,
    or None. The sockets of a session of the project's own are the project's affair.
    """
    if session is None:
        return _closable_session()
    is_one = hasattr(session, "get") and not isinstance(session, type)
    return session if is_one else session(), _nothing_to_close


def options_for(session: Any, uri: str) -> dict[str, Any]:
    """Return the arguments by which a `requests.Session` asks a URL with what was configured, and nothing else.

    It would send a password that it finds in a file called .netrc, and take the environment's proxies and
    certificates instead of its own.
    """
    if not isinstance(session, requests.Session):
        return {}
    options: dict[str, Any] = {"auth": session.auth or add_no_credentials}
    if session.verify is not True:
        options["verify"] = session.verify
    if is_loopback(str(urlsplit(uri).hostname)):
        options["proxies"] = {**_NO_PROXIES, **dict.fromkeys(("http", "https", "all"))}
    elif session.proxies:
        options["proxies"] = _NO_PROXIES
    return options


#: Keeps requests from those of the environment.
_NO_PROXIES: Final = {"no_proxy": "*"}


def add_no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave a request as it is, where requests would look for credentials elsewhere."""
    return request


def _nothing_to_close() -> None:
    pass


def _closable_session() -> tuple[requests.Session, Close]:
    session, adapter = requests.Session(), _ClosableAdapter()
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session, adapter.close_sockets


class _ClosableAdapter(HTTPAdapter):
    """Knows the connections that it has opened."""

    def __init__(self) -> None:
        super().__init__()
        self._connections: list[Any] = []

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return the pool of connections that requests asks for, which tells of those that it makes."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        make = pool.ConnectionCls

        def make_and_remember(*args: Any, **kwargs: Any) -> Any:
            connection = make(*args, **kwargs)
            self._connections.append(connection)
            return connection

        pool.ConnectionCls = make_and_remember
        return pool

    def close_sockets(self) -> None:
        """Have every read and write on the connections end at once, in whichever thread."""
        for connection in self._connections:
            with suppress(AttributeError, OSError):  # there is none yet, or no more
                connection.sock.shutdown(socket.SHUT_RDWR)
