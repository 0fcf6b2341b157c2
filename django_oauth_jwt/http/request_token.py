"""The token of one request: verified once, good or bad, whoever asks; sync and async twin."""

from copy import copy
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from ..conf import Settings, require_key_source
from ..errors import BearerError
from ..jwks import KeyService
from ..tokens import AccessToken
from ..verification import averify, verify
from .authorization import parse_authorization


@dataclass(slots=True)
class RequestToken:
    """What became of a request's token: for which header and which keys that holds, and whose token it is."""

    header: str | None
    jwks_service: KeyService | None
    outcome: AccessToken | BearerError
    is_identified: bool = False
    user: Any = None

    def verified(self) -> AccessToken:
        """Return the token; raise BearerError where there is no good one."""
        if isinstance(self.outcome, AccessToken):
            return self.outcome
        raise copy(self.outcome)  # what is raised gets a traceback, and that one would hold the request, too


def verify_request(request: HttpRequest, settings: Settings, jwks_service: KeyService | None = None) -> RequestToken:
    """Verify the request's token, unless that was done, and set ``request.claims`` and ``request.access_token``."""
    known = known_token(request, jwks_service)
    if known is not None:
        return known
    outcome: AccessToken | BearerError
    try:
        outcome = verify(_encoded_token(request, settings, jwks_service), settings, jwks_service)
    except BearerError as error:
        outcome = error
    return _note(request, jwks_service, outcome)


async def averify_request(
    request: HttpRequest, settings: Settings, jwks_service: KeyService | None = None
) -> RequestToken:
    """Do as `verify_request` does, without blocking the event loop."""
    known = known_token(request, jwks_service)
    if known is not None:
        return known
    outcome: AccessToken | BearerError
    try:
        outcome = await averify(_encoded_token(request, settings, jwks_service), settings, jwks_service)
    except BearerError as error:
        outcome = error
    return _note(request, jwks_service, outcome)


def known_token(request: HttpRequest, jwks_service: KeyService | None) -> RequestToken | None:
    """Return what became of the token that the request brings now, None where these keys were not asked."""
    known: RequestToken | None = getattr(request, "_oauth_jwt", None)
    if known is None or known.jwks_service is not jwks_service:
        return None
    return known if known.header == request.META.get("HTTP_AUTHORIZATION") else None


def _encoded_token(request: HttpRequest, settings: Settings, jwks_service: KeyService | None) -> str:
    if jwks_service is None:
        require_key_source(settings)  # settings without keys show at the first request, whatever it brings
    return parse_authorization(request.META.get("HTTP_AUTHORIZATION"))


def _note(request: HttpRequest, jwks_service: KeyService | None, outcome: AccessToken | BearerError) -> RequestToken:
    noted = RequestToken(request.META.get("HTTP_AUTHORIZATION"), jwks_service, outcome)
    request._oauth_jwt = noted  # type: ignore[attr-defined]
    if isinstance(outcome, AccessToken):
        request.access_token = outcome  # type: ignore[attr-defined]
        request.claims = outcome.new_claims()  # type: ignore[attr-defined]
    else:
        outcome.__traceback__ = None  # it holds the request, which holds it
        for name in ("access_token", "claims"):  # of a token that the request brought before
            vars(request).pop(name, None)
    return noted
