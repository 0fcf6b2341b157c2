"""What is known of one request, shared by all entry points that meet it: its runtime, its token, its middleware.

It is kept in one private attribute of the `HttpRequest`.
"""

from copy import copy
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.http import HttpRequest

from ..conf import Runtime, get_runtime
from ..errors import BearerError
from ..jwks import KeyService
from ..tokens import AccessToken
from .user import LazyUser


class Protection(Enum):
    """Whether the middleware requires a token of a request, as far as that is known."""

    UNDECIDED = "its path does, its view is not known yet"
    PATH_EXEMPT = "its path does not, its view is not known yet"
    EXEMPT = "its path or its view does not"
    SECURED = "it does"


@dataclass(slots=True, eq=False)
class RequestToken:
    """What became of the token that a request brought: for which header and which keys, and whose token it is.

    ``user`` is the resolver's, None where there is no resolver or the token is not accepted yet. ``lazy_user`` is the
    need for that user, and stands in for it until then; None where there is no resolver.
    """

    header: str | None = field(repr=False)
    jwks_service: KeyService | None
    outcome: AccessToken | BearerError
    is_accepted: bool = False
    user: Any = None
    lazy_user: LazyUser | None = None

    def verified(self) -> AccessToken:
        """Return the token; raise BearerError where there is no good one."""
        if isinstance(self.outcome, AccessToken):
            return self.outcome
        raise copy(self.outcome)  # what is raised gets a traceback, and that one would hold the request, too


@dataclass(slots=True, eq=False)
class RequestState:
    """The state of one request.

    ``token`` is None until somebody asks for the token. ``required_scopes`` are those that were required so far.
    ``proven`` is the Authorization header whose token was shown to be the sender's own, with the method and the path
    for which it was shown: a proof is good for one check.
    ``dpop_nonce`` is the nonce to give to the client, "" where none is due.
    """

    runtime: Runtime
    token: RequestToken | None = None
    protection: Protection = Protection.UNDECIDED
    required_scopes: tuple[str, ...] = ()
    proven: tuple[str, str | None, str] | None = field(default=None, repr=False)
    dpop_nonce: str = ""

    @property
    def good_token(self) -> AccessToken | None:
        """The token that the request brings, if it was verified and is good; views were given its claims."""
        outcome = self.token.outcome if self.token is not None else None
        return outcome if isinstance(outcome, AccessToken) else None

    def known_token(self, request: HttpRequest, jwks_service: KeyService | None) -> RequestToken | None:
        """Return the result for the token that the request has now, None if this key service did not check it."""
        known = self.token
        if known is None or known.jwks_service is not jwks_service:
            return None
        return known if known.header == request.META.get("HTTP_AUTHORIZATION") else None


def state_of(request: HttpRequest) -> RequestState:
    """Return the state of a request; the first entry point reads the runtime for all of them.

    A request that outlives its settings, as in a test that sends it twice, is verified again under the new ones.
    """
    state: RequestState | None = getattr(request, "_oauth_jwt", None)
    if state is None:
        state = RequestState(get_runtime())
        request._oauth_jwt = state  # type: ignore[attr-defined]  # noqa: SLF001
    elif not state.runtime.is_current:
        state.runtime, state.token, state.required_scopes = get_runtime(), None, ()
    return state


def known_state(request: HttpRequest) -> RequestState | None:
    """Return the state of a request; None where nothing is known of it under the settings in force."""
    state: RequestState | None = getattr(request, "_oauth_jwt", None)
    return state if state is not None and state.runtime.is_current else None
