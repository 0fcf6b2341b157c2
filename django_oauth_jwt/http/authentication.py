"""One request authenticated once, whoever asks, and authorized as often as asked; sync and async twin."""

import logging
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest

from ..conf import Settings
from ..errors import BearerError, InsufficientAuthentication, InsufficientScope, InvalidToken, MissingClaims
from ..issuers import trusted_issuer
from ..jwks import KeyService
from ..signals import token_accepted, token_rejected
from ..tokens import AccessToken, Requirements
from .request_token import RequestToken, averify_request, known_token, verify_request

Resolver = Callable[[AccessToken, HttpRequest], Any]

logger = logging.getLogger("django_oauth_jwt")

_NO_REQUIREMENTS = Requirements()
_REJECTIONS = (InvalidToken, InsufficientScope, MissingClaims, InsufficientAuthentication)


def authenticate(
    request: HttpRequest,
    settings: Settings,
    requirements: Requirements = _NO_REQUIREMENTS,
    jwks_service: KeyService | None = None,
) -> RequestToken:
    """Return the request's verified token, whose user is known and which meets the requirements.

    Sets ``request.claims`` and ``request.access_token``. Raises BearerError where there is no such token.
    """
    try:
        known = verify_request(request, settings, jwks_service)
        token = known.verified()
        if not known.is_identified:
            resolver = _resolver_of(token, settings) if settings.resolves_users else None
            _identify(request, known, _resolved(resolver, token, request) if resolver else None)
            if token_accepted.receivers:
                token_accepted.send_robust(type(request), request=request, access_token=token)
        requirements.check(token)
    except BearerError as error:
        reject(request, error)
        raise
    return known


async def aauthenticate(
    request: HttpRequest,
    settings: Settings,
    requirements: Requirements = _NO_REQUIREMENTS,
    jwks_service: KeyService | None = None,
) -> RequestToken:
    """Do as `authenticate` does, without blocking the event loop."""
    try:
        known = await averify_request(request, settings, jwks_service)
        token = known.verified()
        if not known.is_identified:
            resolver = _resolver_of(token, settings) if settings.resolves_users else None
            user = await sync_to_async(_resolved)(resolver, token, request) if resolver else None
            _identify(request, known, user)
            if token_accepted.receivers:
                await token_accepted.asend_robust(type(request), request=request, access_token=token)
        requirements.check(token)
    except BearerError as error:
        await areject(request, error)
        raise
    return known


def accepted_token(request: HttpRequest) -> AccessToken | None:
    """Return the token that was accepted for this request by the project's own keys, None where none was.

    One that was verified and no more, as for an exempt view, is not: its user may be one whom the project refuses.
    """
    known = known_token(request, None)
    return known.verified() if known is not None and known.is_identified else None


def reject(request: HttpRequest, error: BearerError) -> None:
    """Tell of a token that was sent and is at fault: not of one that is missing, nor of missing keys."""
    if isinstance(error, _REJECTIONS):
        logger.info("Token rejected: %s", error.reason)
        token_rejected.send_robust(type(request), request=request, error=error, reason=error.reason)


async def areject(request: HttpRequest, error: BearerError) -> None:
    """Do as `reject` does, for receivers of both kinds."""
    if isinstance(error, _REJECTIONS):
        logger.info("Token rejected: %s", error.reason)
        await token_rejected.asend_robust(type(request), request=request, error=error, reason=error.reason)


def _identify(request: HttpRequest, known: RequestToken, user: Any) -> None:
    known.is_identified = True
    known.user = user
    if user is not None:
        _set_user(request, user)


def _set_user(request: HttpRequest, user: Any) -> None:
    async def auser() -> Any:
        return user

    request.user = user
    # Else it is the session's, and an async view would act for somebody else than a sync one.
    request.auser = auser


def _resolver_of(token: AccessToken, settings: Settings) -> Resolver | None:
    trusted = trusted_issuer(token.issuer, settings)
    return trusted.user_resolver if trusted is not None else None


def _resolved(resolver: Resolver, token: AccessToken, request: HttpRequest) -> Any:
    """Return the user of the project's own resolver; InvalidToken for a token of nobody."""
    user = resolver(token, request)
    # What is false, or Django's anonymous user, is nobody as well.
    if not user or not getattr(user, "is_authenticated", True):
        raise InvalidToken("unknown_user")
    return user
