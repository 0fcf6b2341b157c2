"""How it stands with the keys of one source, in figures, for those who run the project."""

from typing import Literal, NamedTuple

from ..jws import KeySet

State = Literal["fresh", "old", "stale", "none"]


class KeyStatus(NamedTuple):
    """What a process has of one source of keys.

    ``state``: "fresh" keys are used as they are, "old" ones while they are refreshed, "stale" ones no more; "none":
    there are none yet. ``age``: seconds since the authorization server confirmed them, None where keys do not age or
    there are none. ``keys``: how many can be used.
    """

    state: State
    age: float | None = None
    keys: int = 0


NO_KEYS = KeyStatus("none")


def ageless(key_set: KeySet | None, *, is_old: bool = False) -> KeyStatus:
    """Return the status of keys that nobody has to confirm."""
    return NO_KEYS if key_set is None else KeyStatus("old" if is_old else "fresh", keys=len(key_set))
