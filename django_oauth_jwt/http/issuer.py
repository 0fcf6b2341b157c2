"""Whose token a request has brought, for figures and records, whether it was accepted or refused."""

from django.http import HttpRequest

from ..conf import Runtime
from ..errors import BearerError
from ..issuers import ResolvedIssuers, issuer_of_service, issuer_of_verified
from ..jws import EncodedToken
from ..tokens import AccessToken
from ..verification import read_token
from .credentials import parse_authorization
from .state import RequestToken, known_state


def trusted_issuer_of(request: HttpRequest) -> str | None:
    """Return the issuer that the request's token names, if the settings or ISSUER_RESOLVER trust it, else None.

    Nobody is asked for that. What a refused token says is not verified: anybody can name a trusted issuer. A refused
    opaque token names none.
    """
    state = known_state(request)
    known = state.token if state is not None else None
    if state is None or known is None:
        return None
    if isinstance(known.outcome, AccessToken):
        return issuer_of_verified(known.outcome, state.runtime.settings).issuer
    try:
        return _issuer_of_refused(known, state.runtime)
    except BearerError:  # it cannot be read, or the resolver could not say
        return None


def _issuer_of_refused(known: RequestToken, runtime: Runtime) -> str | None:
    token = read_token(EncodedToken(parse_authorization(known.header)[1]), runtime, known.jwks_service)
    if token.is_trusted:
        return token.trusted.issuer
    iss = token.claims.get("iss")
    if not isinstance(iss, str) or issuer_of_service(known.jwks_service) is not None:
        return None
    resolution = runtime.part(ResolvedIssuers).recall(iss)
    return iss if resolution is not None and resolution.trusted is not None else None
