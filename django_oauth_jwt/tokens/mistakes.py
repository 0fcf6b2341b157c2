"""What is said where something of ours stands as ``auth=`` of django-ninja, which calls it with the request.

ninja takes what comes of that for the user: an object that is made of anything would let everybody in.
"""

from typing import Final

INSTEAD: Final = "auth=BearerJwt(...), from django_oauth_jwt.contrib.ninja"
IF_NINJA: Final = f"{INSTEAD}, if this is django-ninja"


def refuse_request(owner: type, given: object) -> None:
    """Raise TypeError where what ``owner`` was given is a request, and no mock, which has any attribute."""
    if isinstance(getattr(given, "META", None), dict):
        raise takes_no_request(owner)


def takes_no_request(owner: type) -> TypeError:
    """Return the error that says what to do instead."""
    return TypeError(f"{owner.__name__} takes no request: {IF_NINJA}")
