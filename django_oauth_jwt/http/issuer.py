"""Whose token a request has brought, for figures and records, whether it was accepted or refused."""

from django.http import HttpRequest

from ..errors import BearerError
from ..issuers import issuer_of_verified
from ..jws import EncodedToken
from ..tokens import AccessToken
from ..verification import read_token
from .credentials import parse_authorization
from .state import RequestToken, known_state


def trusted_issuer_of(request: HttpRequest) -> str | None:
    """Return the issuer of the settings that the request's token names, None for any other issuer.

    What a refused token says is not verified: anybody can name a trusted issuer. A refused opaque token names none.
    """
    state = known_state(request)
    known = state.token if state is not None else None
    if state is None or known is None:
        return None
    outcome, runtime = known.outcome, state.runtime
    if isinstance(outcome, AccessToken):
        return issuer_of_verified(outcome, runtime.settings, known.jwks_service).issuer
    try:
        token = read_token(_encoded(known), runtime, known.jwks_service)
    except BearerError:
        return None
    return token.trusted.issuer if token.is_trusted else None


def _encoded(known: RequestToken) -> EncodedToken:
    return EncodedToken(parse_authorization(known.header)[1])
