"""A project's ISSUER_RESOLVER that knows one tenant, and fails in two ways for others."""

from django_oauth_jwt.testing import TokenIssuer

TENANT, USELESS, WRONG = "https://tenant.test", "https://useless.test", "https://wrong.test"
tenant = TokenIssuer(TENANT, alg="ES256")


def resolve(iss):
    """Return the entry of an issuer, None where it is not known."""
    if iss == USELESS:
        raise ConnectionError("the table is gone")
    return {TENANT: {"JWKS": tenant.jwks(), "AUDIENCE": "books"}, WRONG: {"JWKS_URL": "https://wrong.test/jwks"}}.get(
        iss
    )


RESOLVER = f"{__name__}.resolve"
