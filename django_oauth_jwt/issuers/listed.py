"""The issuers that the settings list (``ISSUER``, ``ISSUERS``)."""

from ..conf import Settings, TrustedIssuer


def trusted_issuer(iss: object, settings: Settings, fixed_issuer: str | None = None) -> TrustedIssuer | None:
    """Return what is required of the tokens of an issuer, None for one that is not trusted.

    ``fixed_issuer`` is the one that the key service speaks for, where it is `issuers.issuer_of_service`: it alone is
    trusted then, listed or not.
    """
    issuers = settings.issuers
    if fixed_issuer is not None:
        return issuers.get(fixed_issuer, settings.unlisted_issuer) if iss == fixed_issuer else None
    listed = issuers.get(iss) if isinstance(iss, str) else None
    return listed or issuers.get(None)
