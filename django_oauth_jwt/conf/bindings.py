"""The settings DPOP and CLIENT_CERTIFICATE: how the sender of a bound token proves that it is theirs.

The functions for the settings return the value or raise ValueError, as those in `values` do.
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from ..jws import SUPPORTED_ALGORITHMS
from . import targets, values
from .nested import dict_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Where a TLS server puts the client's certificate into a header, which only that server may be believed to have set.
HEADER_SOURCES: Final = ("rfc9440", "nginx", "envoy")
_NAMED_SOURCES: Final = (*HEADER_SOURCES, "wsgi")
#: In TRUSTED_PROXIES: connections through a socket in the file system, which have no address.
UNIX_SOCKET: Final = "unix"
_PROXY: Final = (str, ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network)
#: What stands before an IPv4 address in IPv6.
_MAPPED_BITS: Final = 96


@dataclass(frozen=True)
class DpopSettings:
    """How DPoP proofs are checked (RFC 9449); ``offer`` tells whether clients that need no proof are told of it.

    A proof is good for ``proof_seconds``, and so is a nonce. Where ``nonce`` is set a proof must have one.
    ``algorithms`` are those that it may be signed with, in the order of a challenge.
    """

    offer: bool = False
    nonce: bool = False
    proof_seconds: float = 60
    algorithms: tuple[str, ...] = SUPPORTED_ALGORITHMS


DPOP_DEFAULTS: Final = DpopSettings()


@dataclass(frozen=True)
class ClientCertificateSettings:
    """Where the client's certificate is found (RFC 8705 section 6.5).

    ``source`` is a name, or a callable that takes the request. Of a header it is believed only if it comes from one of
    the ``networks``, or through a socket where ``trusts_unix_socket``.
    """

    source: str | Callable[[Any], Any]
    networks: tuple[Network, ...] = ()
    trusts_unix_socket: bool = False


def dpop(value: Any) -> DpopSettings:
    """A dict of settings for DPoP proofs; what is left out has its default."""
    return DpopSettings(**{key.lower(): member for key, member in dict_of(value, _DPOP_RULES).items()})


def client_certificate(value: Any) -> ClientCertificateSettings:
    """A dict with the source of the client's certificate, and the proxies that are trusted to set its header."""
    found = dict_of(value, _CERTIFICATE_RULES)
    if "SOURCE" not in found:
        raise ValueError("must have 'SOURCE'")
    source, proxies = found["SOURCE"], found.get("TRUSTED_PROXIES", ())
    if source in HEADER_SOURCES and not proxies:
        raise ValueError(
            f"must have 'TRUSTED_PROXIES' for the source {source!r}: the addresses of the proxies that set the header, "
            f"such as ['10.0.0.0/8'], or [{UNIX_SOCKET!r}] for a socket"
        )
    if source not in HEADER_SOURCES and proxies:
        raise ValueError(f"must not have 'TRUSTED_PROXIES': only a header ({', '.join(HEADER_SOURCES)}) needs them")
    networks = tuple(proxy for proxy in proxies if proxy != UNIX_SOCKET)
    return ClientCertificateSettings(source, networks, UNIX_SOCKET in proxies)


def _proof_algorithms(value: Any) -> tuple[str, ...]:
    accepted = values.algorithms(value)
    return tuple(alg for alg in SUPPORTED_ALGORITHMS if alg in accepted)


def _source(value: Any) -> str | Callable[[Any], Any]:
    if isinstance(value, str) and value in _NAMED_SOURCES:
        return value
    try:
        return targets.imported_callable(value)
    except ValueError as error:
        raise ValueError(f"{error}; or one of {', '.join(map(repr, _NAMED_SOURCES))}") from error


def _proxies(value: Any) -> tuple[Network | str, ...]:
    problem = f"must be a list of IP addresses and networks, with {UNIX_SOCKET!r} for a socket"
    if not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(entry, _PROXY) for entry in value):
        raise ValueError(problem)
    try:
        return tuple(entry if entry == UNIX_SOCKET else _network(str(entry)) for entry in value)
    except ValueError as error:
        raise ValueError(f"{problem}: {error}") from error


def _network(text: str) -> Network:
    """Return a network; one of IPv4 addresses in IPv6 (RFC 4291 section 2.5.5.2), as logs show them, as IPv4."""
    network = ipaddress.ip_network(text)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    return network if mapped is None else ipaddress.ip_network((mapped, network.prefixlen - _MAPPED_BITS))


_DPOP_RULES: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "OFFER": values.boolean,
        "NONCE": values.boolean,
        "PROOF_SECONDS": values.some_seconds,
        "ALGORITHMS": _proof_algorithms,
    }
)
_CERTIFICATE_RULES: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {"SOURCE": _source, "TRUSTED_PROXIES": _proxies}
)
