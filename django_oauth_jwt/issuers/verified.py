"""The issuer of a token that was verified before."""

from ..conf import Settings, TrustedIssuer
from ..tokens import AccessToken
from .listed import trusted_issuer


def issuer_of_verified(token: AccessToken, settings: Settings) -> TrustedIssuer:
    """Return what is required of the tokens of a verified token's issuer.

    A token that was verified in another way, or pickled since, does not know; it may be of an issuer that the settings
    do not list, which is `Settings.unlisted_issuer` then.
    """
    known: TrustedIssuer | None = token.issuer_settings
    return known or trusted_issuer(token.issuer, settings) or settings.unlisted_issuer
