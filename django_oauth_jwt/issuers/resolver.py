"""The need for what ISSUER_RESOLVER says of an issuer."""

from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured

from ..conf import Settings, TrustedIssuer, read_issuer
from ..errors import KeysUnavailable, without_frames


class ResolverFailed(Exception):
    """The resolver raised an error."""


class WrongEntry(Exception):
    """What the resolver returned is neither None nor an entry of ISSUERS that can be used; its text says why."""


class Question:
    """The need to know whether an issuer is trusted, and what holds for its tokens."""

    __slots__ = ("_iss", "_settings")

    def __init__(self, iss: str, settings: Settings) -> None:
        self._iss = iss
        self._settings = settings

    def get(self) -> TrustedIssuer | None:
        """Ask, in this thread: under WSGI it is the request's, with its connection to the database.

        Raises ResolverFailed, whose cause is the resolver's own error, WrongEntry, and the KeysUnavailable that the
        resolver raises.
        """
        assert self._settings.issuer_resolver is not None  # noqa: S101  # else nobody asks
        try:
            entry = self._settings.issuer_resolver(self._iss)
        except KeysUnavailable as error:  # the resolver's own word for requests, and no failure
            raise without_frames(error) from None
        except Exception as error:  # StopIteration, too, which would end the steps
            raise ResolverFailed from error
        if entry is None:
            return None
        try:
            return read_issuer(self._iss, entry, self._settings)
        except ImproperlyConfigured as error:
            raise WrongEntry(str(error)) from None
        except Exception as error:  # noqa: BLE001  # the dict may be a class of the project's; frames hold its secrets
            raise ResolverFailed from error.with_traceback(None)

    async def aget(self) -> TrustedIssuer | None:
        """Do as `get` does, in a thread."""
        return await sync_to_async(self.get)()
