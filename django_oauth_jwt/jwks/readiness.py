"""Whether a process has keys, and having them fetched before the first request needs them."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from itertools import islice
from typing import Final

from ..errors import BearerError
from ..jws import KeySet
from .key_service import KeyService
from .service import JwksService
from .static import FileKeys, StaticKeys
from .status import NO_KEYS, KeyStatus, ageless

logger = logging.getLogger("django_oauth_jwt")

#: How many fetches one call may begin or wait for: each is a thread.
_AT_ONCE: Final = 16


def status_of(service: KeyService) -> KeyStatus:
    """Return how it stands with the keys of a service. It makes no request, and starts no fetch by itself."""
    if isinstance(service, JwksService | StaticKeys | FileKeys):
        return service.status()
    try:
        key_set = service.current()
    except BearerError:  # the service's own word for requests, and no failure
        return NO_KEYS
    except Exception:  # of any kind: the service is the project's own
        logger.exception("The key service failed")
        return NO_KEYS
    return ageless(key_set if isinstance(key_set, KeySet) else None)


def warm_up(services: Sequence[KeyService], seconds: float) -> None:
    """Have keys brought where there are none, and old ones refreshed behind.

    Where no service has any, it waits until one has, for so many seconds at the most. What has just failed is left
    alone, as by requests. Services of the project's own are not asked for anything.
    """
    until = time.monotonic() + seconds
    attempts = (service.warm_up() for service in services if isinstance(service, JwksService))
    pending = set(islice((attempt for attempt in attempts if attempt is not None), _AT_ONCE))
    while pending and not any(status_of(service).keys for service in services):
        done, pending = wait(pending, until - time.monotonic(), FIRST_COMPLETED)
        if not done:
            return
