"""Keys that no authorization server is asked for: they stand in the settings, or in a file (the setting JWKS)."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from ..errors import KeysUnavailable
from ..jws import KeyFile, KeySet, UnreadableFile, read_key_file
from ..upstream import unix_time
from .status import KeyStatus, ageless

logger = logging.getLogger("django_oauth_jwt")

#: In seconds. A file that was written so short a time ago may be written again without a later time of its change.
_SETTLING_SECONDS: Final = 2.0


class StaticKeys:
    """A key service for keys that never change. ``issuer`` is whose they are, None for any."""

    def __init__(self, key_set: KeySet, issuer: str | None = None) -> None:
        self.issuer = issuer
        self._key_set = key_set

    def current(self) -> KeySet | None:
        """Return the keys."""
        return self._key_set

    def key_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Return the keys."""
        return self._key_set

    async def akey_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Return the keys."""
        return self._key_set

    def status(self) -> KeyStatus:
        """Return how many they are."""
        return ageless(self._key_set)


class _Stamp(NamedTuple):
    """What changes of a file when its content does."""

    modified: int
    changed: int
    size: int
    inode: int


class _Read(NamedTuple):
    """The last reading of a file. ``broken_since`` is when it was first found to be of no use (monotonic seconds)."""

    stamp: _Stamp | None
    is_settled: bool
    file: KeyFile | None
    problem: str = ""
    broken_since: float | None = None


class FileKeys:
    """A key service for the keys in a file (see `jws.read_key_file`), which is read again when it has changed.

    Of a file that is gone or has become of no use, the keys from before are good for ``stale_seconds``. ``clock``
    returns Unix time, ``monotonic`` seconds that no clock change moves.
    """

    def __init__(
        self,
        path: Path,
        issuer: str | None = None,
        *,
        stale_seconds: float = 14400,
        clock: Callable[[], float] = unix_time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self.issuer = issuer
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._monotonic = monotonic
        # Replaced whole and never changed, so no lock: of two threads that read at once, either is right.
        self._read = _Read(None, is_settled=False, file=None)

    @property
    def problem(self) -> str:
        """Why the file was of no use when it was last read, "" where it was."""
        return self._read.problem

    def current(self) -> KeySet | None:
        """Return the keys in the file, None where there are none. It checks the file's time, each time."""
        read, stamp = self._read, self._stamp()
        if stamp != read.stamp or not read.is_settled:
            read = self._read = self._read_again(stamp, read)
        if read.file is None or self._is_stale(read):
            return None
        return read.file.key_set

    def key_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Return the keys in the file; raise KeysUnavailable where there are none."""
        key_set = self.current()
        if key_set is None:
            raise KeysUnavailable
        return key_set

    async def akey_set_for(self, kid: str | None, alg: str) -> KeySet:
        """Do as `key_set_for` does: a file of keys is read in less time than a thread is started."""
        return self.key_set_for(kid, alg)

    def status(self) -> KeyStatus:
        """Return how it stands with the keys in the file: old ones are those from before it became of no use."""
        key_set = self.current()
        return ageless(key_set, is_old=bool(self.problem))

    def _read_again(self, stamp: _Stamp | None, read: _Read) -> _Read:
        # A file that is unpacked or copied may get an old time, so the time of its last change counts as well.
        times = () if stamp is None else (stamp.modified, stamp.changed)
        is_settled = all(abs(self._clock() - written / 1e9) > _SETTLING_SECONDS for written in times)
        try:
            return _Read(stamp, is_settled, read_key_file(self.path, read.file))
        except ValueError as error:
            # Too many open files, for example: the next request may fare better, and the file need not change for that.
            is_settled = is_settled and not isinstance(error, UnreadableFile)
            problem = str(error)
        if problem != read.problem:
            logger.error("JWKS: %s; the keys from before are used for %g seconds", problem, self._stale_seconds)
        since = self._monotonic() if read.broken_since is None else read.broken_since
        return _Read(stamp, is_settled, read.file, problem, since)

    def _is_stale(self, read: _Read) -> bool:
        return read.broken_since is not None and self._monotonic() >= read.broken_since + self._stale_seconds

    def _stamp(self) -> _Stamp | None:
        try:
            stat = os.stat(self.path)  # noqa: PTH116  # as `Path.stat`, in a third less time; asked at each request
        except OSError:
            return None
        return _Stamp(stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
