"""One request authenticated once, whoever asks, and authorized as often as asked; sync and async twin."""

import logging
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest

from .access_token import AccessToken
from .bearer import parse_authorization
from .conf import require_key_source
from .conf_rules import Settings
from .errors import BearerError, InsufficientAuthentication, InsufficientScope, InvalidToken, MissingClaims
from .jwks import KeyService
from .requirements import Requirements
from .signals import token_accepted, token_rejected
from .users import TokenUser
from .verification import averify, trusted_issuer, verify

Resolver = Callable[[AccessToken, HttpRequest], Any]

logger = logging.getLogger("django_oauth_jwt")

_NO_REQUIREMENTS = Requirements()
_REJECTIONS = (InvalidToken, InsufficientScope, MissingClaims, InsufficientAuthentication)


@dataclass(slots=True)
class _Checked:
    """What became of a request's token: for which header and which keys that holds, and whose token it is."""

    header: str | None
    jwks_service: KeyService | None
    outcome: AccessToken | BearerError
    is_identified: bool = False
    user: Any = None


def authenticate(
    request: HttpRequest,
    settings: Settings,
    requirements: Requirements = _NO_REQUIREMENTS,
    jwks_service: KeyService | None = None,
) -> AccessToken:
    """Return the request's verified token, whose user is known and which meets the requirements.

    Sets ``request.claims`` and ``request.access_token``. Raises BearerError where there is no such token.
    """
    try:
        token = accept(request, settings, jwks_service)
        checked = _checked(request)
        if not checked.is_identified:
            resolver = _resolver_of(token, settings) if settings.resolves_users else None
            _identify(request, checked, _resolved(resolver, token, request) if resolver else None)
            if token_accepted.receivers:
                token_accepted.send_robust(type(request), request=request, access_token=token)
        authorize(token, requirements)
    except BearerError as error:
        reject(request, error)
        raise
    return token


async def aauthenticate(
    request: HttpRequest,
    settings: Settings,
    requirements: Requirements = _NO_REQUIREMENTS,
    jwks_service: KeyService | None = None,
) -> AccessToken:
    """Do as `authenticate` does, without blocking the event loop."""
    try:
        token = await aaccept(request, settings, jwks_service)
        checked = _checked(request)
        if not checked.is_identified:
            resolver = _resolver_of(token, settings) if settings.resolves_users else None
            user = await sync_to_async(_resolved)(resolver, token, request) if resolver else None
            _identify(request, checked, user)
            if token_accepted.receivers:
                await token_accepted.asend_robust(type(request), request=request, access_token=token)
        authorize(token, requirements)
    except BearerError as error:
        await areject(request, error)
        raise
    return token


def accept(request: HttpRequest, settings: Settings, jwks_service: KeyService | None = None) -> AccessToken:
    """Return the request's verified token and set ``request.claims`` and ``request.access_token``.

    Each token is verified once, good or bad. Raises BearerError where there is no good one.
    """
    outcome = _known_outcome(request, jwks_service)
    if outcome is None:
        try:
            outcome = verify(_encoded_token(request, settings, jwks_service), settings, jwks_service)
        except BearerError as error:
            outcome = error
        _note(request, jwks_service, outcome)
    return _token_of(outcome)


async def aaccept(request: HttpRequest, settings: Settings, jwks_service: KeyService | None = None) -> AccessToken:
    """Do as `accept` does, without blocking the event loop."""
    outcome = _known_outcome(request, jwks_service)
    if outcome is None:
        try:
            outcome = await averify(_encoded_token(request, settings, jwks_service), settings, jwks_service)
        except BearerError as error:
            outcome = error
        _note(request, jwks_service, outcome)
    return _token_of(outcome)


def authorize(access_token: AccessToken, requirements: Requirements) -> None:
    """Raise InsufficientScope or MissingClaims where the token does not meet the requirements."""
    if requirements.scopes and requirements.lacks_scope(access_token):
        raise InsufficientScope(requirements.scopes)
    if requirements.claims and requirements.lacks_claim(access_token):
        raise MissingClaims


def accepted_token(request: HttpRequest) -> AccessToken | None:
    """Return the token that was accepted for this request by the project's own keys, None where none was.

    One that was verified and no more, as for an exempt view, is not: its user may be one whom the project refuses.
    """
    outcome = _known_outcome(request, None)
    return outcome if isinstance(outcome, AccessToken) and _checked(request).is_identified else None


def user_of(request: HttpRequest, token: AccessToken) -> Any:
    """Return the user of an accepted token: the resolver's, or a `TokenUser`."""
    checked = _checked(request)
    if checked.user is None:
        checked.user = TokenUser(token)
    return checked.user


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


def _encoded_token(request: HttpRequest, settings: Settings, jwks_service: KeyService | None) -> str:
    if jwks_service is None:
        require_key_source(settings)  # settings without keys show at the first request, whatever it brings
    return parse_authorization(request.META.get("HTTP_AUTHORIZATION"))


def _checked(request: HttpRequest) -> _Checked:
    checked: _Checked = request._oauth_jwt  # type: ignore[attr-defined]  # set when the token was looked at
    return checked


def _known_outcome(request: HttpRequest, jwks_service: KeyService | None) -> AccessToken | BearerError | None:
    checked: _Checked | None = getattr(request, "_oauth_jwt", None)
    if checked is None or checked.jwks_service is not jwks_service:
        return None
    return checked.outcome if checked.header == request.META.get("HTTP_AUTHORIZATION") else None


def _note(request: HttpRequest, jwks_service: KeyService | None, outcome: AccessToken | BearerError) -> None:
    request._oauth_jwt = _Checked(  # type: ignore[attr-defined]
        request.META.get("HTTP_AUTHORIZATION"), jwks_service, outcome
    )
    if isinstance(outcome, AccessToken):
        request.access_token = outcome  # type: ignore[attr-defined]
        request.claims = outcome.new_claims()  # type: ignore[attr-defined]
    else:
        outcome.__traceback__ = None  # it holds the request, which holds it
        for name in ("access_token", "claims"):  # of a token that the request brought before
            vars(request).pop(name, None)


def _token_of(outcome: AccessToken | BearerError) -> AccessToken:
    if isinstance(outcome, AccessToken):
        return outcome
    raise copy(outcome)  # what is raised gets a traceback, and that one would hold the request, too


def _identify(request: HttpRequest, checked: _Checked, user: Any) -> None:
    checked.is_identified = True
    checked.user = user
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
