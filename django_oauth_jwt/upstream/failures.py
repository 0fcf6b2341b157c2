"""Why a fetch brought nothing usable."""

from typing import Final

#: No whole answer came in time.
TIMEOUT: Final = "timeout"
#: What came cannot be used, or nothing could be asked.
UNUSABLE: Final = "unusable"


class FetchFailed(Exception):
    """A fetch that brought nothing usable; its text is the reason, for the log.

    ``retry_after``: how many seconds the server asks to be left alone (RFC 9110 section 10.2.3), 0 where it does not.
    ``uri``: what was asked. ``error_type``: one of few words, for figures: a status such as "503", `TIMEOUT`, the name
    of the error that the session raised, or `UNUSABLE`.
    """

    def __init__(self, reason: str, retry_after: float = 0, uri: str = "", error_type: str = UNUSABLE) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.uri = uri
        self.error_type = error_type


class NoAnswer(FetchFailed):
    """What came is unusable, while the server is well: the answer to another question may be a good one."""
