"""A session as one fetch uses it: the project's own in all that it has and does, but its sockets can be closed."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ClosedPoolError

T = TypeVar("T")


class Connections:
    """The connections that one fetch uses, which another thread closes; it gets no others afterwards."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_use: dict[Any, list[socket.socket]] = {}
        self._are_closed = False

    def close(self) -> None:
        """Have every read and write on the connections end at once, in whichever thread."""
        with self._lock:
            self._are_closed = True
            for connection, sockets in self._in_use.items():
                connection.getresponse = _too_late  # it may be connecting, and have no socket to close yet
                for each in (connection.sock, *sockets):
                    with suppress(AttributeError, OSError):  # there is none yet, or no more
                        each.shutdown(socket.SHUT_RDWR)

    def take(self, connection: Any, pool: Any) -> Any:
        """Return the connection, which the fetch uses from now on; raise ClosedPoolError where it is over."""
        with self._lock:
            if not self._are_closed:
                sockets = self._in_use[connection] = list[socket.socket]()
                connection.response_class = partial(_answer_on, sockets, connection.response_class)
                return connection
        connection.close()
        raise ClosedPoolError(pool, "the time of the fetch is over")

    def give_back(self, connection: Any) -> Any:
        """Return what other requests may use from now on: the connection, or None where it was closed."""
        with self._lock:
            if not self._are_closed:
                if self._in_use.pop(connection, None) is not None:
                    del connection.response_class
                return connection
        if connection is not None:
            connection.close()
        return None


def closable(original: T, connections: Connections) -> T:
    """Return a twin of a `requests.Session` that tells the connections it uses; what is none is returned as it is.

    The session may serve others at the same time, so nothing in it is changed. A twin has the same `__dict__`, and
    so the same adapters, pools, hooks and cookies. The same is done with the adapter that the session has for a URL,
    and with that adapter's pool of connections. Where a class of the project's own does anything itself that the fetch
    calls, it has no twin: its methods may copy the object, or remember it.
    """
    twin_kind = _twin_kind(type(original))
    if twin_kind is None:
        return original
    twin: T = object.__new__(twin_kind)
    for name, value in (("__dict__", vars(original)), ("_original", original), ("_connections", connections)):
        object.__setattr__(twin, name, value)
    return twin


class _Twin:
    __slots__ = ("_connections", "_original")

    _connections: Connections
    _original: Any


class _SessionTwin(_Twin, requests.Session):
    __slots__ = ()

    def get_adapter(self, *args: Any, **kwargs: Any) -> Any:
        return closable(self._original.get_adapter(*args, **kwargs), self._connections)


class _AdapterTwin(_Twin, HTTPAdapter):
    __slots__ = ()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        return closable(self._original.get_connection_with_tls_context(*args, **kwargs), self._connections)


class _PoolTwin(_Twin):
    """urllib3 tells nowhere else which connection a request gets, be it a new one or one that was kept."""

    __slots__ = ()

    def _get_conn(self, *args: Any, **kwargs: Any) -> Any:
        connection = self._original._get_conn(*args, **kwargs)  # noqa: SLF001  # see above
        return self._connections.take(connection, self)

    def _put_conn(self, connection: Any) -> None:
        self._original._put_conn(self._connections.give_back(connection))  # noqa: SLF001  # see above


class _HTTPPoolTwin(_PoolTwin, HTTPConnectionPool):
    __slots__ = ()


class _HTTPSPoolTwin(_PoolTwin, HTTPSConnectionPool):
    __slots__ = ()


_TWINS: Final[dict[type, type]] = {
    requests.Session: _SessionTwin,
    HTTPAdapter: _AdapterTwin,
    HTTPConnectionPool: _HTTPPoolTwin,
    HTTPSConnectionPool: _HTTPSPoolTwin,
}


#: What a subclass may do itself: it is done before a fetch, or by the original and not by its twin.
_DONE_BY_ORIGINAL: Final = frozenset(
    {
        *("get_adapter", "get_connection_with_tls_context"),
        *("init_poolmanager", "proxy_manager_for", "build_connection_pool_key_attributes"),
    }
)
#: With these a class may notice a twin, or keep what a `__dict__` has not.
_ALL_SEEING: Final = frozenset({"__getattr__", "__getattribute__", "__setattr__", "__slots__"})


def _twin_kind(kind: type) -> type | None:
    base = next((each for each in kind.__mro__ if each in _TWINS), None)
    if base is None:
        return None
    own = [item for each in kind.__mro__[: kind.__mro__.index(base)] for item in vars(each).items()]
    used = {name for name in dir(base) if not name.startswith("__")}.union(getattr(base, "__attrs__", ()), _ALL_SEEING)
    # A property may stand for what the base keeps in the object.
    is_used = any(name in used - _DONE_BY_ORIGINAL or isinstance(value, property) for name, value in own)
    return None if is_used else _TWINS[base]


def _answer_on(
    sockets: list[socket.socket], kind: Callable[..., T], sock: socket.socket, *args: Any, **kwargs: Any
) -> T:
    """Return the answer that comes on a socket, which is remembered.

    Where the server says `Connection: close`, the connection forgets it while the answer is still being read.
    """
    sockets.append(sock)
    return kind(sock, *args, **kwargs)


def _too_late() -> None:
    raise TimeoutError
