"""The keys of the authorization servers: fetched, shared among processes, refreshed behind the requests.

`registry` has the one key service of each trusted issuer, `service` is what a request asks.
"""

from .registry import KeyService, get_jwks_service, service_of
from .service import JwksService
from .shared import Failure

__all__ = [
    "Failure",
    "JwksService",
    "KeyService",
    "get_jwks_service",
    "service_of",
]
