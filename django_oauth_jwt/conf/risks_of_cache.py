"""What a cache of the project's is not good for, by its class and those that it inherits from."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.conf import settings as django_settings

from .bindings import DPOP_DEFAULTS
from .risks import Risk, names_of
from .validated import Settings

#: Of a cache in a database or in files: Django's default.
DEFAULT_ENTRIES: Final = 300
#: Room for the proofs of some minutes, or for a denylist.
ENOUGH_ENTRIES: Final = 10_000


def cache_risks(settings: Settings, *, has_denylist: bool) -> Iterable[Risk]:
    """Yield what is unwise about the cache; ``has_denylist`` tells whether revoked tokens are in it."""
    kinds = _cache_classes(settings)
    is_fetched = settings.issuer_resolver is not None or any(each.key_url for each in settings.issuers.values())
    if is_fetched and not kinds.isdisjoint(_FORGETFUL):  # other keys are not shared through a cache
        yield Risk(
            "W003",
            f"The cache {settings.cache!r} is of one process, so each process fetches the keys for itself.",
            "Set CACHE to the alias of a cache that all processes share (Redis, Memcached, a database).",
        )
    how = next((why for name, why in _FORGETFUL.items() if name in kinds), None) or _small(settings, kinds)
    proofs = _NOT_ATOMIC if _FILES in kinds else how
    if (settings.offers_dpop or settings.dpop != DPOP_DEFAULTS) and proofs:
        yield Risk(
            "W014",
            f"The cache {settings.cache!r} {proofs}, so a used DPoP proof is accepted again, or every proof refused.",
            "Set CACHE to the alias of a cache that all processes share (Redis, Memcached, a database).",
        )
    lost = how or _filled(settings, kinds)
    if has_denylist and lost:
        yield Risk(
            "W015",
            f"The cache {settings.cache!r} {lost}, so revoked tokens are accepted again, or all tokens refused.",
            "Set CACHE to the alias of a cache that all processes share and that drops nothing (Redis, a database).",
        )


def _filled(settings: Settings, kinds: set[str]) -> str | None:
    is_filled = settings.introspecting and _FILES in kinds
    return "drops entries at random when it is full, and made-up opaque tokens fill it" if is_filled else None


def _small(settings: Settings, kinds: set[str]) -> str | None:
    if kinds.isdisjoint((_FILES, _DATABASE)):
        return None
    entries = _maximum(django_settings.CACHES[settings.cache])
    return f"keeps no more than {entries} entries (OPTIONS, MAX_ENTRIES)" if entries < ENOUGH_ENTRIES else None


def _maximum(cache: Mapping[str, Any]) -> int:
    """Return how many entries a cache of CACHES keeps, as Django's `BaseCache` reads it."""
    options = cache.get("OPTIONS") or {}
    try:
        return int(cache.get("max_entries", options.get("MAX_ENTRIES", DEFAULT_ENTRIES)))
    except (TypeError, ValueError, OverflowError):
        return DEFAULT_ENTRIES


def _cache_classes(settings: Settings) -> set[str]:
    """Return the dotted paths of the class of the cache and of its bases. Where there is none Django itself says so."""
    return set(names_of(django_settings.CACHES.get(settings.cache, {}).get("BACKEND", "")))


_BACKENDS: Final = "django.core.cache.backends"
_DATABASE: Final = f"{_BACKENDS}.db.DatabaseCache"
_FILES: Final = f"{_BACKENDS}.filebased.FileBasedCache"
#: By the class of a cache of one process: why it does not know what others have written.
_FORGETFUL: Final = {
    f"{_BACKENDS}.locmem.LocMemCache": "remembers what its own process was sent and no other",
    f"{_BACKENDS}.dummy.DummyCache": "remembers nothing",
}
#: Why files are not good for what has to be written once, by the first of several.
_NOT_ATOMIC: Final = "cannot tell two uses at the same time apart"
