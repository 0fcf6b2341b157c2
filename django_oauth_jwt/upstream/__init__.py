"""How an authorization server or a shared cache is asked, and what makes it safe to wait for them.

`client` fetches one JSON document, `discovery` finds where the keys of an issuer are. Everything that may hang runs
in `waiting` threads with a time limit; `guarded_cache` is a Django cache that may fail as it likes, `forks` tells a
child process from its parent, and `clock` compares times that other machines wrote.
"""

from .client import Fetched, FetchFailed, JwksClient
from .clock import MAXIMUM_SKEW_SECONDS, is_ahead, unix_time
from .discovery import discover_jwks_uri, metadata_uris
from .forks import ForkGuard
from .guarded_cache import GuardedCache, is_in_memory, read
from .waiting import Steps, Wait, in_thread, run_awaiting, run_blocking

__all__ = [
    "MAXIMUM_SKEW_SECONDS",
    "FetchFailed",
    "Fetched",
    "ForkGuard",
    "GuardedCache",
    "JwksClient",
    "Steps",
    "Wait",
    "discover_jwks_uri",
    "in_thread",
    "is_ahead",
    "is_in_memory",
    "metadata_uris",
    "read",
    "run_awaiting",
    "run_blocking",
    "unix_time",
]
