"""Two authorization servers whose keys have the same ``kid``; entries of the table name them by their dotted paths."""

from django_oauth_jwt.testing import SigningKey, TokenIssuer
from django_oauth_jwt.users import TokenUser

A = TokenIssuer("https://a.example.com", key=SigningKey.generate("ES256", "key"))
B = TokenIssuer("https://b.example.com", key=SigningKey.generate("ES256", "key"))
KEYS_OF = {issuer: {"JWKS_SERVICE": f"{__name__}.{name}"} for issuer, name in ((A, "A"), (B, "B"))}


class UserOfB(TokenUser):
    """Users of B are told from those of others."""


def resolve_user_of_a(access_token, request):
    return TokenUser(access_token)


def resolve_user_of_b(access_token, request):
    return UserOfB(access_token)
