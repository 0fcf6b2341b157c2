"""The token of one request, verified once, by the first entry point; and whether it is its sender's own.

What may wait for keys is written as steps (see `upstream.Steps`), which the entry points run.
"""

from django.http import HttpRequest

from ..conf import Settings, require_key_source
from ..errors import BearerError, without_frames
from ..issuers import issuer_of_service, issuer_of_verified
from ..jwks import KeyService
from ..jws import EncodedToken
from ..proofs import binding_steps, facts_of, must_prove
from ..tokens import AccessToken
from ..upstream import Steps
from ..verification import remembered_or_steps
from .credentials import credentials_of
from .needs import Resolver, User
from .state import RequestState, RequestToken, known_state
from .user import LazyUser


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
        found = remembered_or_steps(encoded, state.runtime, jwks_service)
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
    found: AccessToken | Steps[AccessToken],
) -> Steps[RequestToken]:
    try:
        token = found if isinstance(found, AccessToken) else (yield from found)
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
    trusted = issuer_of_verified(token, settings)
    nonce = yield from binding_steps(token, facts_of(request, scheme, settings), state.runtime, trusted)
    state.proven, state.dpop_nonce = _proven_of(request), nonce or ""


def _proven_of(request: HttpRequest) -> tuple[str, str | None, str]:
    return request.META["HTTP_AUTHORIZATION"], request.method, request.path


def keys_speak_for(request: HttpRequest, issuer: str) -> bool:
    """Tell whether the keys that verified the request's token speak for its issuer.

    Those of the settings do. Of a key service that a view brings along, only its ``issuer`` says that: anybody who can
    sign with other keys of its could put any ``iss`` into a token.
    """
    state = known_state(request)
    service = state.token.jwks_service if state is not None and state.token is not None else None
    return service is None or issuer_of_service(service) == issuer


def set_token(request: HttpRequest, token: AccessToken | None) -> None:
    """Give the request what views read: an optional token is None, with no claims, where no good one came."""
    request.access_token = token  # type: ignore[attr-defined]
    request.claims = {} if token is None else token.new_claims()  # type: ignore[attr-defined]


def accepted_token(request: HttpRequest) -> AccessToken | None:
    """Return the token that was accepted for this request, by whichever keys, None where none was.

    One that was verified and no more, as for an exempt view, is not: its user may be one whom the project refuses.
    """
    state = known_state(request)
    if state is None or state.token is None or not state.token.is_accepted:
        return None
    known = state.known_token(request, state.token.jwks_service)
    return None if known is None else known.verified()


def _resolver_of(token: AccessToken, settings: Settings, jwks_service: KeyService | None) -> Resolver | None:
    return issuer_of_verified(token, settings).user_resolver if settings.resolves_users else None


def _credentials(request: HttpRequest, settings: Settings, jwks_service: KeyService | None) -> tuple[str, EncodedToken]:
    if jwks_service is None:
        require_key_source(settings)  # so that missing settings fail at the first request, even without a token
    return credentials_of(request)


def _note(
    request: HttpRequest, state: RequestState, jwks_service: KeyService | None, outcome: AccessToken | BearerError
) -> RequestToken:
    """Keep what became of the token, and give the request what views read."""
    state.token = known = RequestToken(request.META.get("HTTP_AUTHORIZATION"), jwks_service, outcome)
    if isinstance(outcome, AccessToken):
        set_token(request, outcome)
        resolver = _resolver_of(outcome, state.runtime.settings, jwks_service)
        if resolver is not None:
            known.lazy_user = LazyUser(request, User(resolver, outcome, request))
    else:
        without_frames(outcome)  # they hold the request, which holds it
        set_token(request, None)
    return known
