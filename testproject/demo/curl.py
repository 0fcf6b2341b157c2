"""Lines to paste into a shell while the demo serves."""

from collections.abc import Iterator

from testproject.authorization_server import AuthorizationServer


def curl_lines(server: AuthorizationServer, origin: str) -> Iterator[str]:
    """Yield curl lines after comments that say what to expect; their tokens last an hour."""
    good = server.token("read", role="admin")
    yield "# No token: 401"
    yield f"curl -i {origin}/secured/token"
    yield "# The scope is missing: 403"
    yield _with_token(f"{origin}/secured/scope", server.token("write"))
    yield "# Scope and claim are there: 200"
    for path in ("/secured/scope", "/secured/claim", "/secured/async", "/api/scope", "/api/claim"):
        yield _with_token(f"{origin}{path}", good)
    yield "# An opaque token, about which the API asks the authorization server: 200"
    yield _with_token(f"{origin}/secured/scope", server.token("read", kind="opaque"))
    yield "# A new token, and a new key to sign the next ones with: 200"
    yield f'curl -d "grant_type=client_credentials&scope=read&role=admin" {server.origin}/token'
    yield f"curl -X POST {server.origin}/rotate"


def _with_token(url: str, token: str) -> str:
    return f'curl -i -H "Authorization: Bearer {token}" {url}'
