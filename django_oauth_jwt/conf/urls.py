"""Settings that are URLs. The functions for them work as those in `values` do."""

import ipaddress
from typing import Any, Final
from urllib.parse import urlsplit

#: Printable ASCII characters that no URL has (RFC 3986 appendix A).
_NOT_IN_URLS: Final = frozenset(' "<>\\^`{|}')


def jwks_uri(value: Any) -> str:
    """The URL of a JWKS: see `url`."""
    return url(value, "https://as.example.com/jwks")


def url(value: Any, example: str = "https://as.example.com") -> str:
    """An absolute http or https URL without user name, password or fragment."""
    problem = f"must be an https URL such as {example!r}"
    # urlsplit silently removes control characters, and accepts the other characters in the host.
    if not isinstance(value, str) or not value.isprintable() or not _NOT_IN_URLS.isdisjoint(value):
        raise ValueError(problem)
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port  # reading an invalid port raises ValueError
    except ValueError as error:
        raise ValueError(problem) from error
    if "@" in parts.netloc:
        raise ValueError(f"{problem}, without user name and password")
    if parts.scheme not in ("http", "https") or not host or parts.fragment:
        raise ValueError(problem)
    return value


def is_secure(address: str) -> bool:
    """Tell whether the URL is https, or http to this machine."""
    try:
        parts = urlsplit(address)
        return parts.scheme == "https" or is_loopback(parts.hostname or "")
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Tell whether the host is this machine, by name or by address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"  # a resolver may send others, such as `localhost.`, elsewhere
    # Python before 3.13 does not say it of an IPv4 address in an IPv6 one.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
