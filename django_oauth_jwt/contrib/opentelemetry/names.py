"""What keeps figures bounded: each value of an attribute makes a series of its own, here and where it is stored."""

from collections.abc import Mapping
from typing import Final

#: Stands for the values that are not kept, as in OpenTelemetry's own conventions.
OTHER: Final = "_OTHER"


class Names:
    """The first ``most`` values of an attribute that come, in this process; those that come later are `OTHER`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def known(self, name: str | None) -> str | None:
        """Return the value if it is kept, else `OTHER`; None stays None, and the attribute is left out."""
        if name is None or name in self._known:
            return name
        if len(self._known) >= self._most:
            return OTHER
        self._known.add(name)
        return name


def attributes_of(values: Mapping[str, str | bool | None]) -> dict[str, str | bool]:
    """Return the attributes of a figure, without those that it lacks."""
    return {name: value for name, value in values.items() if value is not None}


#: Issuers that the project trusts; one that lets a resolver say whom it trusts may have more than any storage likes.
ISSUERS: Final = Names(1000)
#: Reasons of refusals: those of this package are some forty, a project's own errors may have others.
REASONS: Final = Names(100)
#: Types of errors: a tenant's server may answer with any status.
ERRORS: Final = Names(100)
