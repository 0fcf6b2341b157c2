"""One request authenticated once, by the first entry point, and authorized as often as asked.

What may wait for keys, a user or a receiver is written as steps (see `upstream.Steps`), which the entry points run.
"""

import logging
from typing import Any

from django.http import HttpRequest, JsonResponse

from ..conf import Settings, require_key_source
from ..errors import BearerError, InsufficientAuthentication, InsufficientScope, InvalidToken, MissingClaims
from ..issuers import trusted_issuer
from ..jwks import KeyService
from ..signals import token_accepted, token_rejected
from ..tokens import AccessToken, Requirements
from ..upstream import Steps, run_blocking
from ..verification import Pending, remembered_or_pending
from .authorization import parse_authorization
from .needs import Resolver, Sent, User
from .responses import refusal_of
from .state import RequestState, RequestToken, known_state, state_of

logger = logging.getLogger("django_oauth_jwt")

_NO_REQUIREMENTS = Requirements()
_REJECTIONS = (InvalidToken, InsufficientScope, MissingClaims, InsufficientAuthentication)


def authorization_steps(
    request: HttpRequest,
    state: RequestState,
    requirements: Requirements,
    *,
    realm: str | None = None,
    jwks_service: KeyService | None = None,
) -> Steps[JsonResponse | None]:
    """Authenticate, and return the refusal of the request, None where its token meets the requirements."""
    try:
        yield from _authentication_steps(request, state, requirements, jwks_service)
    except BearerError as error:
        return refusal_of(error, state.runtime.settings, realm)
    return None


def authenticate(request: HttpRequest) -> RequestToken:
    """Return the request's verified token, whose user is known, blocking.

    Sets ``request.claims`` and ``request.access_token``. Raises BearerError where there is no such token.
    """
    return run_blocking(_authentication_steps(request, state_of(request), _NO_REQUIREMENTS, None))


def _authentication_steps(
    request: HttpRequest, state: RequestState, requirements: Requirements, jwks_service: KeyService | None
) -> Steps[RequestToken]:
    try:
        found = token_or_steps(request, state, jwks_service)
        known = found if isinstance(found, RequestToken) else (yield from found)
        token = known.verified()
        if not known.is_accepted:
            resolver = _resolver_of(token, state.runtime.settings)
            if resolver is not None:
                known.user = yield User(resolver, token, request)
                _set_user(request, known.user)
            known.is_accepted = True
            if token_accepted.receivers:
                yield Sent(token_accepted, request, access_token=token)
        requirements.check(token)
    except BearerError as error:
        yield from _rejection_steps(request, error)
        raise
    return known


def token_or_steps(
    request: HttpRequest, state: RequestState, jwks_service: KeyService | None = None
) -> RequestToken | Steps[RequestToken]:
    """Return what became of the request's token, where that can be told at once, else the steps that find out.

    Sets ``request.claims`` and ``request.access_token``. Raises no BearerError: a bad token is returned, too.
    """
    known = state.known_token(request, jwks_service)
    if known is not None:
        return known
    try:
        encoded_token = _encoded_token(request, state.runtime.settings, jwks_service)
        found = remembered_or_pending(encoded_token, state.runtime, jwks_service)
    except BearerError as error:
        return _note(request, state, jwks_service, error)
    if isinstance(found, AccessToken):
        return _note(request, state, jwks_service, found)
    return _verification_steps(request, state, jwks_service, found)


def _verification_steps(
    request: HttpRequest, state: RequestState, jwks_service: KeyService | None, pending: Pending
) -> Steps[RequestToken]:
    try:
        token = pending.complete((yield pending.keys))
    except BearerError as error:
        return _note(request, state, jwks_service, error)
    return _note(request, state, jwks_service, token)


def accepted_token(request: HttpRequest) -> AccessToken | None:
    """Return the token that was accepted for this request by the project's own keys, None where none was.

    One that was verified and no more, as for an exempt view, is not: its user may be one whom the project refuses.
    """
    state = known_state(request)
    known = state.known_token(request, None) if state is not None else None
    return known.verified() if known is not None and known.is_accepted else None


def reject(request: HttpRequest, error: BearerError) -> None:
    """Tell of a token that was sent and is at fault, blocking: not of a missing one, nor of missing keys."""
    run_blocking(_rejection_steps(request, error))


def _rejection_steps(request: HttpRequest, error: BearerError) -> Steps[None]:
    if isinstance(error, _REJECTIONS):
        logger.info("Token rejected: %s", error.reason)
        yield Sent(token_rejected, request, error=error, reason=error.reason)


def _resolver_of(token: AccessToken, settings: Settings) -> Resolver | None:
    if not settings.resolves_users:
        return None
    trusted = trusted_issuer(token.issuer, settings)
    return trusted.user_resolver if trusted is not None else None


def _set_user(request: HttpRequest, user: Any) -> None:
    async def auser() -> Any:
        return user

    request.user = user
    # Else it is the session's, and an async view would act for somebody else than a sync one.
    request.auser = auser


def _encoded_token(request: HttpRequest, settings: Settings, jwks_service: KeyService | None) -> str:
    if jwks_service is None:
        require_key_source(settings)  # settings without keys show at the first request, whatever it brings
    return parse_authorization(request.META.get("HTTP_AUTHORIZATION"))


def _note(
    request: HttpRequest, state: RequestState, jwks_service: KeyService | None, outcome: AccessToken | BearerError
) -> RequestToken:
    """Keep what became of the token, and give the request what views read."""
    state.token = RequestToken(request.META.get("HTTP_AUTHORIZATION"), jwks_service, outcome)
    if isinstance(outcome, AccessToken):
        request.access_token = outcome  # type: ignore[attr-defined]
        request.claims = outcome.new_claims()  # type: ignore[attr-defined]
    else:
        outcome.__traceback__ = None  # it holds the request, which holds it
        for name in ("access_token", "claims"):  # of a token that the request brought before
            vars(request).pop(name, None)
    return state.token
