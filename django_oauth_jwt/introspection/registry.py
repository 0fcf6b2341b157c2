"""The introspectors that the settings describe: one for each issuer with INTROSPECTION."""

from ..conf import Settings, TrustedIssuer
from ..upstream import PerProcess, unix_time
from .introspector import Introspector
from .verdict_cache import VerdictCache


class Introspectors:
    """The introspectors of one runtime; a child process begins with none of its parent's questions."""

    def __init__(self, settings: Settings) -> None:
        cache = VerdictCache(settings, unix_time)
        self._introspectors = PerProcess(
            lambda _: {trusted.issuer: Introspector(trusted, settings, cache) for trusted in settings.introspecting}
        )

    def introspector_of(self, trusted: TrustedIssuer) -> Introspector:
        """Return the introspector of an issuer that has one."""
        return self._introspectors.get()[trusted.issuer]
