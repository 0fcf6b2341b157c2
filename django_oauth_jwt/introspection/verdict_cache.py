"""The verdicts that processes share in Django's cache, so that one of them asks about a token and the others need not.

An entry's key is a keyed hash: nobody can read a token out of the cache, nor look for one that they have guessed.
"""

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.core.cache import BaseCache
from django.utils.crypto import salted_hmac

from ..conf import Settings, TrustedIssuer
from ..jws import EncodedToken
from ..upstream import ProjectCache, Steps, claim_once, is_ahead, read, run_blocking
from .verdict import Verdict, entry_of, verdict_in

logger = logging.getLogger("django_oauth_jwt")

#: Part of every key; raised when an entry's shape changes, so that versions do not read each other's.
VERSION: Final = 1
#: So many verdicts does a process remember where the cache is a LocMemCache.
ENTRIES_IN_MEMORY: Final = 10_000
_WARNING: Final = "The cache that shares what is known of tokens fails (%s); this process asks alone for %g seconds"


class VerdictCache:
    """The verdicts in the cache of the settings. ``clock`` returns Unix time."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self._cache = ProjectCache(settings.cache, "introspection", entries=ENTRIES_IN_MEMORY, warning=_WARNING)
        self._clock = clock

    def key_of(self, encoded: EncodedToken, salt: str) -> str:
        """Return the key of the verdict on a token; ``salt`` is that of `salt_of`."""
        return f"oauth_jwt:introspection:{VERSION}:{salted_hmac(salt, encoded.text, algorithm='sha256').hexdigest()}"

    def load_steps(self, key: str, longest: float) -> Steps[Verdict | None]:
        """Return the verdict that is remembered, None where there is none; none lasts for more than so many seconds."""
        entry = yield from self._cache.call_steps(lambda cache: read(cache, key), None)
        if entry is None:
            return None
        try:
            verdict = verdict_in(entry)
        except ValueError:
            logger.warning("The shared cache holds an entry that is no answer about a token; it is ignored")
            return None
        return verdict if is_ahead(verdict.until, self._clock(), longest) else None

    def store(self, key: str, verdict: Verdict) -> None:
        """Share a verdict until its time is over."""
        seconds = math.ceil(verdict.until - self._clock())
        if seconds > 0:
            entry = entry_of(verdict)
            run_blocking(self._cache.call_steps(lambda cache: cache.set(key, entry, seconds), None))

    @contextmanager
    def locked(self, key: str, seconds: float) -> Iterator[bool]:
        """Tell whether the question about a token is ours; other processes may ask at the end, or after so long."""
        is_ours = True
        if self._cache.is_shared:
            is_ours = run_blocking(self._cache.call_steps(lambda cache: self._claim(cache, key, seconds), True))
        try:
            yield is_ours
        finally:
            if is_ours and self._cache.is_shared:
                run_blocking(self._cache.call_steps(lambda cache: cache.delete(f"{key}:lock"), False))

    def _claim(self, cache: BaseCache, key: str, seconds: float) -> bool:
        return claim_once(cache, f"{key}:lock", self._clock(), seconds)


def salt_of(trusted: TrustedIssuer) -> str:
    """Return what keeps verdicts apart in one cache: who was asked by whom, and what is required of the answer."""
    introspection = trusted.introspection
    assert introspection is not None  # noqa: S101  # others are not asked
    sets = (trusted.audience or (), trusted.algorithms, trusted.token_types, trusted.required_claims)
    seconds = (introspection.cache_seconds, introspection.negative_cache_seconds, trusted.leeway)
    parts = [trusted.issuer, introspection.endpoint, introspection.client_id, introspection.wants_jwt, *seconds]
    return f"django_oauth_jwt.introspection {[*parts, *(sorted(map(str, members)) for members in sets)]!r}"
