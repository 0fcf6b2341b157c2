"""What the example's views tell about a token."""

from typing import Any

from django_oauth_jwt.tokens import AccessToken


def speaker(token: AccessToken) -> dict[str, Any]:
    """Return who the token speaks for, who vouches for that, and until when."""
    return {
        "subject": token.subject,
        "client_id": token.client_id,
        "issuer": token.claims["iss"],
        "expires_at": token.expires_at,
    }
