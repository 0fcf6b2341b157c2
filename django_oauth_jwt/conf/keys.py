"""The setting JWKS: keys that no authorization server is asked for. The functions work as those in `values` do."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ..jws import KeySet, read_key_file, static_keys

_PROBLEM: Final = "must be a JWKS (a dict), or the path of a file with one or with public keys or certificates in PEM"


def jwks(value: Any) -> KeySet | Path:
    """A JWKS, which becomes its keys, or the path of a file that has usable keys now."""
    try:
        if isinstance(value, Mapping):
            return static_keys(value, "the setting JWKS")
        path = _path(value)
        read_key_file(path)
    except ValueError as error:
        raise ValueError(f"{_PROBLEM}: {error}") from None
    return path


def _path(value: Any) -> Path:
    if not isinstance(value, str | os.PathLike):
        raise ValueError(f"{type(value).__name__} is neither")
    text = str(value)
    # The text of keys may be that of private ones, and no error shows it.
    if not text or not text.isprintable() or "{" in text or "-----" in text:
        raise ValueError("a text that is no path")
    return Path(text)
