"""The one issuer of a key service that a view or a caller brings along."""


def issuer_of_service(jwks_service: object | None) -> str | None:
    """Return the issuer that a key service speaks for, None where it speaks for those of the settings.

    Its tokens must be of that one: the owner of its keys could otherwise sign for the settings' issuer.
    """
    issuer: str | None = getattr(jwks_service, "issuer", None)
    return issuer
