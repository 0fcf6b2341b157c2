"""The setting INTROSPECTION: how the authorization server is asked about a token (RFC 7662).

The functions for the settings return the value or raise ValueError, as those in `values` do. No error shows a value:
it may be a secret.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ..jws import SUPPORTED_ALGORITHMS, algorithms_of_private_key
from . import targets, urls, values
from .nested import dict_of

#: How a resource server may authenticate itself: what RFC 8414 section 2 calls
#: ``introspection_endpoint_auth_methods_supported``.
WITH_SECRET: Final = ("client_secret_basic", "client_secret_post")
WITH_KEY: Final = "private_key_jwt"
_METHODS: Final = (*WITH_SECRET, WITH_KEY, "none")
_PEM: Final = "-----BEGIN"


@dataclass(frozen=True)
class IntrospectionSettings:
    """How one authorization server is asked. The repr shows no secret.

    ``endpoint`` and ``auth`` None are what the metadata say. ``secret`` returns the client's secret. ``alg`` is what
    ``private_key`` signs with, under ``key_id``; two settings are the same by its ``public_key``. ``wants_jwt`` tells
    whether the answer is to be the JWT access token itself, ``asks_about_jwts`` whether a good JWT is asked about as
    well. Times are in seconds.
    """

    client_id: str
    endpoint: str | None = field(default=None, repr=False)  # its query may be one
    auth: str | None = None
    secret: Callable[[], Any] | None = field(default=None, repr=False)
    private_key: Any = field(default=None, repr=False, compare=False)
    public_key: Any = field(default=None, repr=False)
    key_id: str | None = None
    alg: str = ""
    wants_jwt: bool = False
    asks_about_jwts: bool = False
    cache_seconds: float = 60
    negative_cache_seconds: float = 10


@dataclass(frozen=True)
class _Secret:
    """A secret that is given as it is: a callable like those of a project, and equal to the same secret."""

    text: str = field(repr=False)

    def __call__(self) -> str:
        return self.text


def introspection_settings(value: Any) -> IntrospectionSettings:
    """A dict that says where and how tokens are asked about, and how long the responses are remembered."""
    found = {key: member for key, member in dict_of(value, _RULES).items() if member is not None}
    auth, key = found.get("AUTH"), found.get("PRIVATE_KEY")
    _check_credentials(found, auth)
    return IntrospectionSettings(
        client_id=found["CLIENT_ID"],
        endpoint=found.get("ENDPOINT"),
        auth=auth,
        secret=found.get("CLIENT_SECRET"),
        private_key=key,
        public_key=None if key is None else key.public_key(),
        key_id=found.get("KEY_ID"),
        alg="" if key is None else _signing_algorithm(key, found.get("ALG")),
        wants_jwt=found.get("ANSWER") == "jwt",
        asks_about_jwts=found.get("TOKENS") == "all",
        **{name.lower(): found[name] for name in ("CACHE_SECONDS", "NEGATIVE_CACHE_SECONDS") if name in found},
    )


def _check_credentials(found: Mapping[str, Any], auth: str | None) -> None:
    """Check that there is what the client authenticates itself with, and no secret that is not used."""
    needed = {WITH_KEY: "PRIVATE_KEY", "none": None}.get(auth, "CLIENT_SECRET") if auth else None
    if needed is not None and needed not in found:
        raise ValueError(f"must have {needed!r} for the AUTH {auth!r}")
    unused = [name for name in ("CLIENT_SECRET", "PRIVATE_KEY") if name in found and name != needed]
    if unused and (auth or len(unused) > 1):
        raise ValueError(f"must not have {' and '.join(map(repr, unused))} for the AUTH {auth!r}")
    if "CLIENT_ID" not in found and (auth or unused):
        raise ValueError("must have 'CLIENT_ID', by which the authorization server knows this API")
    if not (auth or unused):
        raise ValueError("must have 'CLIENT_SECRET' or 'PRIVATE_KEY', or the AUTH 'none'")
    for name in ("KEY_ID", "ALG"):
        if name in found and "PRIVATE_KEY" not in found:
            raise ValueError(f"must not have {name!r} without 'PRIVATE_KEY'")


def _signing_algorithm(key: Any, alg: str | None) -> str:
    possible = algorithms_of_private_key(key)
    if not possible:
        rsa = "RSA (2048 bits or more, without the fingerprint of CVE-2017-15361, ROCA, or close primes)"
        raise ValueError(f"must have a 'PRIVATE_KEY' of {rsa}, of a NIST curve or of Ed25519")
    if alg is not None and alg not in possible:
        raise ValueError(f"must have an 'ALG' that fits its 'PRIVATE_KEY' ({', '.join(possible)})")
    return alg or possible[0]


def _endpoint(value: Any) -> str:
    return urls.url(value, "https://as.example.com/introspect")


def _secret(value: Any) -> Callable[[], Any]:
    if isinstance(value, str) and value and _is_encodable(value):
        return _Secret(value)
    if callable(value):
        return targets.imported_callable(value)
    raise ValueError("must be a string that is not empty, or a callable that returns one")


def _is_encodable(text: str) -> bool:
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False


def _client_id(value: Any) -> str:
    if not _is_encodable(values.non_empty(value)):
        raise ValueError("must be a string that can be sent, without half a character in it")
    return str(value)


def _private_key(value: Any) -> Any:
    problem = "must be a private key in PEM without a password, or the path of a file with one"
    if not isinstance(value, str | Path) or not value:
        raise ValueError(problem)
    try:
        pem = value.encode() if isinstance(value, str) and _PEM in value else Path(value).read_bytes()
        return load_pem_private_key(pem, None)
    except OSError as error:
        raise ValueError(f"{problem}: the file cannot be read ({error.strerror})") from None
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{problem} ({type(error).__name__})") from None


def _one_of(*choices: str) -> Callable[[Any], str]:
    def rule(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(map(repr, choices))}")
        return str(value)

    return rule


def _or_none(rule: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Take None as if the key were left out."""
    return lambda value: None if value is None else rule(value)


_RULES: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "ENDPOINT": _or_none(_endpoint),
        "CLIENT_ID": _or_none(_client_id),
        "CLIENT_SECRET": _or_none(_secret),
        "AUTH": _or_none(_one_of(*_METHODS)),
        "PRIVATE_KEY": _or_none(_private_key),
        "KEY_ID": _or_none(values.non_empty),
        "ALG": _or_none(_one_of(*SUPPORTED_ALGORITHMS)),
        "ANSWER": _or_none(_one_of("json", "jwt")),
        "TOKENS": _or_none(_one_of("opaque", "all")),
        "CACHE_SECONDS": _or_none(values.seconds),
        "NEGATIVE_CACHE_SECONDS": _or_none(values.seconds),
    }
)
