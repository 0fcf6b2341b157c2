"""The current settings and the objects made from them. When the settings change, all are replaced together."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.conf import settings as django_settings
from django.core.signals import setting_changed

from .reading import NAME, NO_KEY_SOURCE, improper, read
from .validated import Settings

T = TypeVar("T")

#: Where Django keeps the settings that were asked for, and which it empties when one changes. Its own way there is
#: several calls of Python long.
_kept: Final[dict[str, Any]] = object.__getattribute__(django_settings, "__dict__")


class Runtime:
    """The validated settings, with the objects that other wings make from them, such as key services.

    A request reads the runtime once, so all that it sees belongs to the same settings.
    """

    __slots__ = ("_parts", "raw", "settings")

    def __init__(self, raw: object, settings: Settings) -> None:
        self.raw = raw
        self.settings = settings
        self._parts: dict[Callable[[Settings], Any], Any] = {}

    @property
    def is_current(self) -> bool:
        """Whether the project's settings are still these."""
        return get_runtime() is self

    def part(self, make: Callable[[Settings], T]) -> T:
        """Return the object that ``make`` makes from the settings. It is made once; later calls return the same one."""
        found = self._parts.get(make)
        if found is None:
            # Threads that make one at the same time all get the first: `setdefault` is atomic.
            found = self._parts.setdefault(make, make(self.settings))
        part: T = found
        return part


_current: Runtime | None = None


def get_runtime() -> Runtime:
    """Return the runtime for the project's settings. It is the same object until they change.

    Raises ImproperlyConfigured, which names every invalid key with its remedy.
    """
    global _current
    raw = _kept[NAME] if NAME in _kept else getattr(django_settings, NAME, None)
    current = _current
    if current is None or current.raw is not raw:
        settings, problems = read(raw)
        if settings is None:
            raw = current = None  # error reports show the variables of this frame, and passwords are among the settings
            raise improper(problems)
        validated = Runtime(raw, settings)
        # Another thread may have been faster. Then its runtime is used, so that all threads share its key services.
        current = _current
        if current is None or current.raw is not raw:
            current = _current = validated
    return current


def get_settings() -> Settings:
    """Return the project's validated settings; errors as for `get_runtime`."""
    return get_runtime().settings


def require_key_source(settings: Settings) -> None:
    """Raise ImproperlyConfigured where the settings do not say where the keys are."""
    if not settings.has_key_source:
        raise improper([NO_KEY_SOURCE])


def _forget(*, setting: str, **kwargs: Any) -> None:
    global _current
    if setting in (NAME, "CACHES"):
        _current = None


setting_changed.connect(_forget, dispatch_uid="django_oauth_jwt.conf")
