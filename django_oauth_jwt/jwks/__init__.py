"""The keys of the authorization servers: fetched, shared among processes, refreshed behind the requests.

`registry` has the one key service of each trusted issuer, and `service` is what a request asks it for: keys that hold
the token's. What a process knows of one source of keys is one frozen `state`, and what follows from it one pure
function there; `source` carries that out. A job of it is a `refresh`: from the cache that processes share (`shared`),
else by a `fetch`. `events` tells the log and the signals. `static` keys are in the settings or in a file. `status` is
what there is to say of keys in figures, `readiness` has them fetched before the first request.
"""

from .key_service import KeyService
from .readiness import status_of, warm_up
from .registry import KeyServices, get_jwks_service, services_in_use
from .service import JwksService
from .snapshot import Failure
from .static import FileKeys, StaticKeys
from .status import NO_KEYS, KeyStatus

__all__ = [
    "NO_KEYS",
    "Failure",
    "FileKeys",
    "JwksService",
    "KeyService",
    "KeyServices",
    "KeyStatus",
    "StaticKeys",
    "get_jwks_service",
    "services_in_use",
    "status_of",
    "warm_up",
]
