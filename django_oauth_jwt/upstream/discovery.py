"""Discovery of an issuer's endpoints (RFC 8414 section 3, then OpenID Connect Discovery 1.0 section 4)."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from ..conf import is_secure, url
from .client import HttpClient, shown_url
from .failures import FetchFailed

T = TypeVar("T")


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


def discover_jwks_uri(issuer: str, client: HttpClient) -> str:
    """Return the ``jwks_uri`` in the issuer's metadata; raise FetchFailed as `discover` does."""
    return discover(issuer, client, lambda metadata: url_in(metadata, "jwks_uri", issuer, client))


def discover(issuer: str, client: HttpClient, read: Callable[[Mapping[str, Any]], T]) -> T:
    """Return what ``read`` finds in the issuer's metadata, whose ``issuer`` must be exactly the same string.

    ``read`` raises FetchFailed where it finds nothing; the next place is tried then. Raises FetchFailed, with the
    reason for each URL that was tried.
    """
    reasons, retry_after, error_type = [], 0.0, ""
    for uri in metadata_uris(issuer):
        try:
            return read(_metadata_of(issuer, client.fetch(uri).document or {}))
        except FetchFailed as failure:
            reasons.append(f"{shown_url(uri)}: {failure}")
            retry_after, error_type = max(retry_after, failure.retry_after), failure.error_type
    raise FetchFailed(f"no metadata found for the issuer ({'; '.join(reasons)})", retry_after, issuer, error_type)


def _metadata_of(issuer: str, metadata: dict[str, Any]) -> dict[str, Any]:
    found = metadata.get("issuer")
    if found != issuer:
        shown = ascii(found)[:100] if isinstance(found, str) else "none"
        raise FetchFailed(f"metadata of another issuer: {shown}")
    return metadata


def url_in(metadata: Mapping[str, Any], name: str, issuer: str, client: HttpClient) -> str:
    """Return a member of the metadata if it is a URL that the settings would accept; raise FetchFailed if not."""
    try:
        address = url(metadata.get(name))
    except ValueError:
        address = ""
    # Metadata from another machine must not make us send requests to services on this one.
    is_trusted = urlsplit(address).scheme == "https" or (is_secure(address) and urlsplit(issuer).scheme == "http")
    if not address or not (client.allow_insecure_http or is_trusted):
        raise FetchFailed(f"metadata without a {name} that is an https URL")
    return address
