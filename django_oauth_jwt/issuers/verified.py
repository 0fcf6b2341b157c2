"""The issuer of a token that was verified before."""

from ..conf import Settings, TrustedIssuer
from ..tokens import AccessToken
from .fixed import issuer_of_service
from .listed import trusted_issuer


def issuer_of_verified(token: AccessToken, settings: Settings, jwks_service: object | None = None) -> TrustedIssuer:
    """Return what is required of the tokens of a verified token's issuer.

    ``jwks_service`` is the one that verified the token, None for one of the settings. A token that was verified in
    another way may be of an issuer that is not trusted, which is `Settings.unlisted_issuer` then.
    """
    return trusted_issuer(token.issuer, settings, issuer_of_service(jwks_service)) or settings.unlisted_issuer
