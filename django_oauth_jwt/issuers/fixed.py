"""The one issuer of a key service that a view or a caller brings along."""

from ..conf import Settings, TrustedIssuer
from .listed import trusted_issuer


def issuer_of_service(jwks_service: object, iss: object, settings: Settings) -> TrustedIssuer | None:
    """Return what is required of the tokens that a key service checks, None for another issuer's.

    A service with an ``issuer`` speaks for that one alone: whoever has its keys could otherwise sign in the name
    of the settings' issuer.
    """
    issuer = getattr(jwks_service, "issuer", None)
    if issuer is None:
        return trusted_issuer(iss, settings)
    return settings.issuers.get(issuer, settings.unlisted_issuer) if iss == issuer else None
