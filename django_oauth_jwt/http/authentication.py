"""One request authenticated once, by the first entry point, and authorized as often as asked.

What may wait for keys, a user or a receiver is written as steps (see `upstream.Steps`), which the entry points run.
"""

import logging

from django.http import HttpRequest, JsonResponse

from ..conf import Settings, require_key_source
from ..errors import BearerError, KeysUnavailable, MissingToken
from ..issuers import issuer_of_service, trusted_issuer
from ..jwks import KeyService
from ..proofs import binding_steps, facts_of, must_prove
from ..signals import token_accepted, token_rejected
from ..tokens import AccessToken, Requirements
from ..upstream import Steps, run_blocking
from ..verification import EncodedToken, Pending, remembered_or_pending
from .authorization import parse_authorization
from .challenge import ABOUT_SCOPES
from .needs import Resolver, Sent, User
from .operation import scopes_of_operation
from .responses import refusal_of
from .state import RequestState, RequestToken, known_state, state_of
from .user import LazyUser, set_user

logger = logging.getLogger("django_oauth_jwt")

_NO_REQUIREMENTS = Requirements()
#: All other refusals are about a token that was sent, a project's own included.
_NO_REJECTIONS = (MissingToken, KeysUnavailable)


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
    if not known.is_accepted and (known.need is not None or token_accepted.receivers):
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
        yield from _acceptance_steps(request, state, requirements, found)
    except BearerError as error:
        scopes = scopes_of_operation(request, state) if isinstance(error, ABOUT_SCOPES) else ()
        return refusal_of(error, state.runtime.settings, realm, request=request, scopes=scopes)
    return None


def authenticate(request: HttpRequest) -> RequestToken:
    """Return the request's verified token, whose user is known, blocking.

    Sets ``request.claims`` and ``request.access_token``. Raises BearerError where there is no such token.
    """
    state = state_of(request)
    found = token_or_steps(request, state)
    if isinstance(found, RequestToken) and _accept_at_once(found, _NO_REQUIREMENTS, state.runtime.settings):
        return found
    return run_blocking(_acceptance_steps(request, state, _NO_REQUIREMENTS, found))


def _acceptance_steps(
    request: HttpRequest,
    state: RequestState,
    requirements: Requirements,
    found: RequestToken | Steps[RequestToken],
) -> Steps[RequestToken]:
    try:
        known = found if isinstance(found, RequestToken) else (yield from found)
        token = known.verified()
        if not known.is_accepted:
            if known.need is not None:
                known.user = yield known.need
                set_user(request, known.user)
            known.is_accepted = True
            if token_accepted.receivers:
                yield Sent(token_accepted, request, access_token=token)
        requirements.check(token, state.runtime.settings.scope_implies)
    except BearerError as error:
        yield from _rejection_steps(request, error.with_traceback(None))  # whose frames hold the request
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
        scheme, encoded = _credentials(request, state.runtime.settings, jwks_service)
        found = remembered_or_pending(encoded, state.runtime, jwks_service)
    except BearerError as error:
        return _note(request, state, jwks_service, error)
    if isinstance(found, AccessToken) and not must_prove(found, scheme, state.runtime.settings):
        return _note(request, state, jwks_service, found)
    return _verification_steps(request, state, jwks_service, scheme, found)


def _verification_steps(
    request: HttpRequest,
    state: RequestState,
    jwks_service: KeyService | None,
    scheme: str,
    found: AccessToken | Pending,
) -> Steps[RequestToken]:
    try:
        token = found if isinstance(found, AccessToken) else found.complete((yield found.keys))
        if must_prove(token, scheme, state.runtime.settings):
            yield from _proof_steps(request, state, jwks_service, scheme, token)
    except BearerError as error:
        return _note(request, state, jwks_service, error)
    return _note(request, state, jwks_service, token)


def _proof_steps(
    request: HttpRequest, state: RequestState, jwks_service: KeyService | None, scheme: str, token: AccessToken
) -> Steps[None]:
    """Check that the token is its sender's own, once: the proof would be a replayed one to a second entry point."""
    if state.proven == _proven_of(request):
        return
    settings = state.runtime.settings
    trusted = trusted_issuer(token.issuer, settings, issuer_of_service(jwks_service)) or settings.unlisted_issuer
    nonce = yield from binding_steps(token, facts_of(request, scheme, settings), state.runtime, trusted)
    state.proven, state.dpop_nonce = _proven_of(request), nonce or ""


def _proven_of(request: HttpRequest) -> tuple[str, str | None, str]:
    return request.META["HTTP_AUTHORIZATION"], request.method, request.path


def is_of_other_keys(request: HttpRequest) -> bool:
    """Tell whether the request's token was verified by a key service that the settings do not name."""
    state = known_state(request)
    return state is not None and state.token is not None and state.token.jwks_service is not None


def set_token(request: HttpRequest, token: AccessToken | None) -> None:
    """Give the request what views read: an optional token is None, with no claims, where no good one came."""
    request.access_token = token  # type: ignore[attr-defined]
    request.claims = {} if token is None else token.new_claims()  # type: ignore[attr-defined]


def accepted_token(request: HttpRequest) -> AccessToken | None:
    """Return the token that was accepted for this request by the project's own keys, None where none was.

    One that was verified and no more, as for an exempt view, is not: its user may be one whom the project refuses.
    """
    state = known_state(request)
    known = state.known_token(request, None) if state is not None else None
    return known.verified() if known is not None and known.is_accepted else None


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


def _resolver_of(token: AccessToken, settings: Settings, jwks_service: KeyService | None) -> Resolver | None:
    if not settings.resolves_users:
        return None
    trusted = trusted_issuer(token.issuer, settings, issuer_of_service(jwks_service))
    return trusted.user_resolver if trusted is not None else None


def _credentials(request: HttpRequest, settings: Settings, jwks_service: KeyService | None) -> tuple[str, EncodedToken]:
    if jwks_service is None:
        require_key_source(settings)  # so that missing settings fail at the first request, even without a token
    scheme, encoded_token = parse_authorization(request.META.get("HTTP_AUTHORIZATION"))
    return scheme, EncodedToken(encoded_token)


def _note(
    request: HttpRequest, state: RequestState, jwks_service: KeyService | None, outcome: AccessToken | BearerError
) -> RequestToken:
    """Keep what became of the token, and give the request what views read."""
    state.token = known = RequestToken(request.META.get("HTTP_AUTHORIZATION"), jwks_service, outcome)
    if isinstance(outcome, AccessToken):
        set_token(request, outcome)
        resolver = _resolver_of(outcome, state.runtime.settings, jwks_service)
        if resolver is not None:
            known.need = User(resolver, outcome, request)
            known.lazy_user = LazyUser(request, known.need)
    else:
        # They hold the request, which holds it.
        outcome.__traceback__ = outcome.__cause__ = outcome.__context__ = None
        set_token(request, None)
    return known
