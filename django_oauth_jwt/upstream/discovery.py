"""Discovery of the JWKS URI from an issuer (RFC 8414 section 3, then OpenID Connect Discovery 1.0 section 4)."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ..conf import is_secure, url
from .client import JwksClient, shown_url
from .failures import FetchFailed


def metadata_uris(issuer: str) -> list[str]:
    """Return the URLs where an issuer's metadata may be, in the order in which they are tried."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    places = (
        f"/.well-known/oauth-authorization-server{path}",
        f"/.well-known/openid-configuration{path}",  # RFC 8414 section 5
        f"{path}/.well-known/openid-configuration",
    )
    return [urlunsplit((parts.scheme, parts.netloc, place, "", "")) for place in dict.fromkeys(places)]


def discover_jwks_uri(issuer: str, client: JwksClient) -> str:
    """Return the ``jwks_uri`` in the issuer's metadata, whose ``issuer`` must be exactly the same string.

    Raises FetchFailed, with the reason for each URL that was tried.
    """
    reasons, retry_after = [], 0.0
    for uri in metadata_uris(issuer):
        try:
            return _jwks_uri_in(client.fetch(uri).document or {}, issuer, client)
        except FetchFailed as failure:
            reasons.append(f"{shown_url(uri)}: {failure}")
            retry_after = max(retry_after, failure.retry_after)
    raise FetchFailed(f"no metadata found for the issuer ({'; '.join(reasons)})", retry_after, issuer)


def _jwks_uri_in(metadata: dict[str, Any], issuer: str, client: JwksClient) -> str:
    found = metadata.get("issuer")
    if found != issuer:
        shown = ascii(found)[:100] if isinstance(found, str) else "none"
        raise FetchFailed(f"metadata of another issuer: {shown}")
    try:
        return _checked(metadata.get("jwks_uri"), issuer, client)
    except ValueError as error:
        raise FetchFailed("metadata without a jwks_uri that is an https URL") from error


def _checked(jwks_uri: object, issuer: str, client: JwksClient) -> str:
    """Return the ``jwks_uri`` if it is a URL that the setting JWKS_URI accepts; raise ValueError if not."""
    address = url(jwks_uri)
    if client.allow_insecure_http or urlsplit(address).scheme == "https":
        return address
    # Metadata from another machine must not make us send requests to services on this one.
    if is_secure(address) and urlsplit(issuer).scheme == "http":
        return address
    raise ValueError("plain http")
