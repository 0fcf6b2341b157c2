"""One request authorized, as often as asked: its token is accepted, and meets what is required.

What may wait for keys, a user or a receiver is written as steps (see `upstream.Steps`), which the entry points run.
"""

import logging
from typing import Final

from django.http import HttpRequest, JsonResponse

from ..conf import Settings
from ..errors import BearerError, KeysUnavailable, MissingToken
from ..jwks import KeyService
from ..signals import token_accepted, token_rejected
from ..tokens import Requirements
from ..upstream import Steps, run_blocking
from .authentication import token_or_steps
from .challenge import ABOUT_SCOPES
from .needs import Sent
from .operation import scopes_of_operation
from .responses import refusal_of
from .state import RequestState, RequestToken, state_of
from .user import set_user

logger = logging.getLogger("django_oauth_jwt")

_NO_REQUIREMENTS: Final = Requirements()
#: All other refusals are about a token that was sent, a project's own included.
_NO_REJECTIONS: Final = (MissingToken, KeysUnavailable)


def authorize(
    request: HttpRequest,
    state: RequestState,
    requirements: Requirements,
    *,
    realm: str | None = None,
    jwks_service: KeyService | None = None,
) -> Steps[JsonResponse | None] | None:
    """Return None where the request's token is accepted and meets the requirements, else the steps to its refusal.

    The steps return None where the token is accepted in the end.
    """
    if requirements.scopes:
        state.required_scopes += requirements.scopes
    found = token_or_steps(request, state, jwks_service)
    if isinstance(found, RequestToken) and _accept_at_once(found, requirements, state.runtime.settings):
        return None
    return _authorization_steps(request, state, requirements, found, realm)


def _accept_at_once(known: RequestToken, requirements: Requirements, settings: Settings) -> bool:
    """Accept a token where nobody has to be asked or told first, and tell whether it is accepted.

    For speed: it is so for most requests, and steps take longer than these checks.
    """
    if not known.is_accepted and (known.lazy_user is not None or token_accepted.receivers):
        return False
    try:
        requirements.check(known.verified(), settings.scope_implies)
    except BearerError:
        return False
    known.is_accepted = True
    return True


def _authorization_steps(
    request: HttpRequest,
    state: RequestState,
    requirements: Requirements,
    found: RequestToken | Steps[RequestToken],
    realm: str | None,
) -> Steps[JsonResponse | None]:
    try:
        yield from _decision_steps(request, state, requirements, found)
    except BearerError as error:
        scopes = scopes_of_operation(request, state) if isinstance(error, ABOUT_SCOPES) else ()
        return refusal_of(error, state.runtime.settings, realm, request=request, scopes=scopes)
    return None


def authenticate(request: HttpRequest, state: RequestState) -> RequestToken:
    """Return the request's verified token, whose user is known, blocking.

    Sets ``request.claims`` and ``request.access_token``. Raises BearerError where there is no such token.
    """
    found = token_or_steps(request, state)
    if isinstance(found, RequestToken) and _accept_at_once(found, _NO_REQUIREMENTS, state.runtime.settings):
        return found
    return run_blocking(_decision_steps(request, state, _NO_REQUIREMENTS, found))


def acceptance_steps(request: HttpRequest, state: RequestState, requirements: Requirements) -> Steps[None]:
    """Accept the request's token, whose user is known then, and check that it meets the requirements.

    Sets ``request.claims`` and ``request.access_token``. Raises BearerError, for `refusal_steps` to tell of.
    """
    state.required_scopes += requirements.scopes
    yield from _accepting_steps(request, state, requirements, token_or_steps(request, state))


def _decision_steps(
    request: HttpRequest,
    state: RequestState,
    requirements: Requirements,
    found: RequestToken | Steps[RequestToken],
) -> Steps[RequestToken]:
    try:
        return (yield from _accepting_steps(request, state, requirements, found))
    except BearerError as error:
        yield from _rejection_steps(request, error.with_traceback(None))  # whose frames hold the request
        raise


def _accepting_steps(
    request: HttpRequest,
    state: RequestState,
    requirements: Requirements,
    found: RequestToken | Steps[RequestToken],
) -> Steps[RequestToken]:
    known = found if isinstance(found, RequestToken) else (yield from found)
    token = known.verified()
    if not known.is_accepted:
        if known.lazy_user is not None:
            known.user = yield known.lazy_user
            set_user(request, known.user)
        known.is_accepted = True
        if token_accepted.receivers:
            yield Sent(token_accepted, request, access_token=token)
    requirements.check(token, state.runtime.settings.scope_implies)
    return known


def refusal_steps(request: HttpRequest, error: BearerError, *, realm: str | None = None) -> Steps[JsonResponse]:
    """Return the answer to an error that a view raised, and tell of it."""
    yield from _rejection_steps(request, error)
    state = state_of(request)
    return refusal_of(error, state.runtime.settings, realm, request=request, scopes=state.required_scopes)


def reject(request: HttpRequest, error: BearerError) -> None:
    """Tell of a token that was sent and is at fault, blocking: not of a missing one, nor of missing keys."""
    run_blocking(_rejection_steps(request, error))


def _rejection_steps(request: HttpRequest, error: BearerError) -> Steps[None]:
    if not isinstance(error, _NO_REJECTIONS):
        logger.info("Token rejected: %s%s", error.reason, f": {error.detail}" if error.detail else "")
        yield Sent(token_rejected, request, error=error, reason=error.reason)
