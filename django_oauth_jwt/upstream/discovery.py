"""Discovery of the JWKS URI from an issuer (RFC 8414 section 3, then OpenID Connect Discovery 1.0 section 4)."""

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

from ..conf import is_secure, url
from .client import FetchFailed, JwksClient


def metadata_uris(issuer: str) -> Iterator[str]:
    """Yield the URLs where an issuer's metadata may be, in the order in which they are tried."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    for well_known in (
        f"/.well-known/oauth-authorization-server{path}",
        f"{path}/.well-known/openid-configuration",
    ):
        yield urlunsplit((parts.scheme, parts.netloc, well_known, "", ""))


def discover_jwks_uri(issuer: str, client: JwksClient) -> str:
    """Return the ``jwks_uri`` in the issuer's metadata, whose ``issuer`` must be exactly the same string.

    Raises FetchFailed, with the reason for each URL that was tried.
    """
    reasons = []
    for uri in metadata_uris(issuer):
        try:
            metadata = client.fetch(uri).document or {}
        except FetchFailed as failure:
            reasons.append(str(failure))
            continue
        found = metadata.get("issuer")
        if found != issuer:
            reasons.append(f"metadata of another issuer: {ascii(found)[:100] if isinstance(found, str) else 'none'}")
            continue
        try:
            return _checked(metadata.get("jwks_uri"), issuer, client)
        except ValueError:
            reasons.append("metadata without a jwks_uri that is an https URL")
    raise FetchFailed(f"no metadata found for the issuer ({'; '.join(reasons)})")


def _checked(jwks_uri: object, issuer: str, client: JwksClient) -> str:
    """Return the ``jwks_uri`` if it is a URL that the setting JWKS_URI accepts; raise ValueError if not."""
    address = url(jwks_uri)
    if client.allow_insecure_http or urlsplit(address).scheme == "https":
        return address
    # Metadata from another machine must not make us send requests to services on this one.
    if is_secure(address) and urlsplit(issuer).scheme == "http":
        return address
    raise ValueError("plain http")
