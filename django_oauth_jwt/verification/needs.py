"""What verification cannot get by itself: the keys."""

from ..jwks import KeyService
from ..jws import KeySet


class Keys:
    """The need for keys among which the one of a token should be. What the service raises is raised."""

    __slots__ = ("_alg", "_kid", "_service")

    def __init__(self, service: KeyService, kid: str | None, alg: str) -> None:
        self._service = service
        self._kid = kid
        self._alg = alg

    def get(self) -> KeySet:
        """Get them, blocking."""
        return self._service.key_set_for(self._kid, self._alg)

    async def aget(self) -> KeySet:
        """Do as `get` does, without blocking the event loop."""
        return await self._service.akey_set_for(self._kid, self._alg)
