"""Why a fetch brought nothing usable."""


class FetchFailed(Exception):
    """A fetch that brought nothing usable; its text is the reason, for the log.

    ``retry_after``: how many seconds the server asks to be left alone (RFC 9110 section 10.2.3), 0 where it does not.
    ``uri``: what was asked.
    """

    def __init__(self, reason: str, retry_after: float = 0, uri: str = "") -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.uri = uri


class NoAnswer(FetchFailed):
    """What came is unusable, while the server is well: the answer to another question may be a good one."""
