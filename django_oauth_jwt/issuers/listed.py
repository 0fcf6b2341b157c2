"""The issuers that the settings list (``ISSUER``, ``ISSUERS``)."""

from ..conf import Settings, TrustedIssuer


def trusted_issuer(iss: object, settings: Settings) -> TrustedIssuer | None:
    """Return what is required of the tokens of an issuer, None for one that is not trusted."""
    issuers = settings.issuers
    listed = issuers.get(iss) if isinstance(iss, str) else None
    return listed or issuers.get(None)
