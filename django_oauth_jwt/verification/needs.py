"""What verification cannot get by itself: the keys."""

import logging

from ..errors import BearerError, KeysUnavailable
from ..jwks import KeyService
from ..jws import KeySet

logger = logging.getLogger("django_oauth_jwt")


class Keys:
    """The need for keys among which the one of a token should be.

    A service of the project's own may raise anything: what is no BearerError is logged, and becomes KeysUnavailable.
    """

    __slots__ = ("_alg", "_kid", "service")

    def __init__(self, service: KeyService, kid: str | None, alg: str) -> None:
        self.service = service
        self._kid = kid
        self._alg = alg

    def get(self) -> KeySet:
        """Get them, blocking."""
        try:
            return _key_set(self.service.key_set_for(self._kid, self._alg))
        except BearerError:
            raise
        except Exception as error:
            raise unavailable(error) from error

    async def aget(self) -> KeySet:
        """Do as `get` does, without blocking the event loop."""
        try:
            return _key_set(await self.service.akey_set_for(self._kid, self._alg))
        except BearerError:
            raise
        except Exception as error:
            raise unavailable(error) from error


def _key_set(found: object) -> KeySet:
    # What is none would raise an error later, where the variables of the frames hold the parts of the token.
    if not isinstance(found, KeySet):
        raise TypeError(f"a key service returns a KeySet, not {type(found).__name__}")
    return found


def unavailable(error: Exception) -> KeysUnavailable:
    """Log what went wrong in a key service, and return the refusal of the request that asked it."""
    log_failure("The key service failed", error)
    return KeysUnavailable()


def log_failure(message: str, error: Exception) -> None:
    """Log what a project's code raised, in the ``except`` block of its caller."""
    # Without the frame of the caller, whose token has no place in a log or an error report.
    frames = error.__traceback__.tb_next if error.__traceback__ else None
    logger.error(message, exc_info=(type(error), error, frames))
