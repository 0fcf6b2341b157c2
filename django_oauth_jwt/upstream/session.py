"""What fetches: the project's own `requests.Session`, or one for a single fetch."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from ..conf import is_loopback
from .closable import Connections, closable

#: Ends the fetch of a session.
Close = Callable[[], None]


def open_session(session: Any) -> tuple[Any, Close]:
    """Return what fetches, and what closes its sockets while another thread waits for them.

    ``session`` is a session (anything with methods like those of `requests.Session`), a callable that returns one,
    or None. Of a class of the project's own, the sockets cannot be closed.
    """
    make = requests.Session if session is None else session
    is_one = hasattr(make, "get") and not isinstance(make, type)
    connections = Connections()
    return closable(make if is_one else make(), connections), connections.close


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
