"""The need to know whether a token was revoked, which the project's setting IS_REVOKED says (RFC 7009 section 2)."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async

from ..errors import BearerError, InvalidToken, RevocationCheckUnavailable
from ..tokens import AccessToken
from .needs import log_failure

IsRevoked = Callable[..., Any]  #: as the project gives it; what it returns is checked


class Revocation:
    """The need to know that a verified token was not revoked: InvalidToken (``revoked``) where it was.

    What the project's callable raises is logged, and becomes RevocationCheckUnavailable, and so does an answer that is
    neither True nor False: in doubt a token is refused. A BearerError is passed on.
    """

    __slots__ = ("_is_revoked", "_token")

    def __init__(self, token: AccessToken, is_revoked: IsRevoked) -> None:
        self._token = token
        self._is_revoked = is_revoked

    def get(self) -> None:
        """Ask, in this thread: under WSGI it is the request's, with its connection to the database."""
        try:
            is_revoked = _boolean(self._is_revoked(self._token))
        except BearerError:
            raise
        except Exception as error:  # StopIteration, too, which would end the steps
            log_failure("IS_REVOKED failed", error)
            raise RevocationCheckUnavailable from error
        if is_revoked:
            raise InvalidToken("revoked")

    async def aget(self) -> None:
        """Do as `get` does, in a thread."""
        await sync_to_async(self.get)()


def _boolean(answer: object) -> bool:
    if not isinstance(answer, bool):
        raise TypeError(f"IS_REVOKED must return True or False, not a {type(answer).__name__}")
    return answer
