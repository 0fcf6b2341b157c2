"""How an authorization server or a shared cache is asked, and what makes it safe to wait for them.

`client` does one HTTP request, `discovery` finds an issuer's endpoints. `guarded_cache` is a Django cache
that may fail as it likes, `project_cache` the one of the setting CACHE, for what has to be remembered. Whatever may
hang runs in `threads`, with a time limit: in `bounded` calls, or in a `worker` that is replaced when it hangs. `steps`
are computations that say what they wait for, so that they are written once for WSGI and ASGI. `forks` tells a child
process from its parent, `patience` is how long anybody waits, `request_wait` when a request may, `clock`
compares times that other machines wrote.
"""

from .client import MAXIMUM_RETRY_AFTER, Fetched, HttpClient, Posted, shown_url
from .clock import MAXIMUM_SKEW_SECONDS, is_ahead, unix_time
from .discovery import discover, discover_jwks_uri, metadata_uris, url_in
from .failures import FetchFailed, NoAnswer
from .forks import PerProcess
from .guarded_cache import GuardedCache, claim_once, is_in_memory, read
from .patience import MAXIMUM_WAITING, PATIENCE_IN_TROUBLE_SECONDS, PATIENCE_SECONDS, pauses
from .project_cache import ProjectCache
from .request_wait import RequestWait, WaitInTrouble
from .steps import Steps, run_awaiting, run_blocking
from .threads import Wait, in_thread, new_future

__all__ = [
    "MAXIMUM_RETRY_AFTER",
    "MAXIMUM_SKEW_SECONDS",
    "MAXIMUM_WAITING",
    "PATIENCE_IN_TROUBLE_SECONDS",
    "PATIENCE_SECONDS",
    "FetchFailed",
    "Fetched",
    "GuardedCache",
    "HttpClient",
    "NoAnswer",
    "PerProcess",
    "Posted",
    "ProjectCache",
    "RequestWait",
    "Steps",
    "Wait",
    "WaitInTrouble",
    "claim_once",
    "discover",
    "discover_jwks_uri",
    "in_thread",
    "is_ahead",
    "is_in_memory",
    "metadata_uris",
    "new_future",
    "pauses",
    "read",
    "run_awaiting",
    "run_blocking",
    "shown_url",
    "unix_time",
    "url_in",
]
