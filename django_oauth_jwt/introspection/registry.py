"""The introspectors: one for each issuer with INTROSPECTION."""

from ..conf import Settings, TrustedIssuer
from ..upstream import PerProcess, unix_time
from .introspector import Introspector
from .verdict_cache import VerdictCache


class Introspectors:
    """The introspectors of one runtime; a child process begins with none of its parent's questions."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cache = VerdictCache(settings, unix_time)

    def introspector_of(self, trusted: TrustedIssuer) -> Introspector:
        """Return the introspector of an issuer that has INTROSPECTION; it lives as long as the issuer is trusted."""
        own: PerProcess[Introspector] | None = trusted.parts.get(Introspectors)
        if own is None:
            # Threads that make one at the same time all get the first: `setdefault` is atomic.
            made = PerProcess(lambda _: Introspector(trusted, self._settings, self._cache))
            own = trusted.parts.setdefault(Introspectors, made)
        return own.get()
