"""The keys of ``OAUTH_JWT``: what each may hold, and the frozen objects that they become."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import requests

from . import conf_paths, conf_targets, conf_values
from .algorithms import SUPPORTED_ALGORITHMS
from .requirements import Requirements

Rule = Callable[[Any], Any]

#: What a listed issuer may set for itself; the rest is the same for all.
ISSUER_RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "JWKS_URI": conf_values.jwks_uri,
        "AUDIENCE": conf_values.audience,
        "ALGORITHMS": conf_values.algorithms,
        "TOKEN_TYPES": conf_values.token_types,
        "REQUIRED_CLAIMS": conf_values.strings,
        "LEEWAY": conf_values.seconds,
        "JWKS_SERVICE": conf_targets.key_service,
        "USER_RESOLVER": conf_targets.imported_callable,
    }
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        **ISSUER_RULES,
        "ISSUER": conf_values.non_empty,
        "ISSUERS": conf_values.issuers,
        "REALM": conf_values.text,
        "SCOPE": conf_values.scopes,
        "CLAIMS": conf_values.claims,
        "PROTECTED_PATHS": conf_paths.protected_paths,
        "EXEMPT_PATHS": conf_paths.exempt_paths,
        "INVALID_TOKEN_STATUS": conf_values.refusal_status,
        "CACHE": conf_targets.cache_alias,
        "JWKS_FRESH_SECONDS": conf_values.seconds,
        "JWKS_STALE_SECONDS": conf_values.some_seconds,
        "JWKS_COOLDOWN_SECONDS": conf_values.seconds,
        "HTTP_SESSION": conf_targets.session,
        "HTTP_TIMEOUT": conf_values.some_seconds,
        "ALLOW_INSECURE_HTTP": conf_values.boolean,
        "TOKEN_CACHE_SIZE": conf_values.count,
        "MAX_TOKEN_LENGTH": conf_values.length,
        "RESOURCE_METADATA": conf_values.metadata,
    }
)

#: None stands for these keys' default, as if they were not there.
NULLABLE_KEYS: Final = frozenset(
    {
        *("JWKS_URI", "ISSUER", "AUDIENCE", "JWKS_SERVICE", "USER_RESOLVER", "HTTP_SESSION"),
        *("PROTECTED_PATHS", "EXEMPT_PATHS", "RESOURCE_METADATA"),
    }
)


@dataclass(frozen=True)
class TrustedIssuer:
    """What is required of one authorization server's tokens. ``issuer`` None accepts any ``iss``."""

    issuer: str | None = None
    jwks_uri: str | None = None
    jwks_service: Any = None
    audience: frozenset[str] | None = None
    algorithms: frozenset[str] = frozenset(SUPPORTED_ALGORITHMS)
    token_types: frozenset[str | None] = frozenset({"at+jwt", "jwt", None})
    required_claims: tuple[str, ...] = ("exp",)
    leeway: float = 10
    user_resolver: Callable[..., Any] | None = None

    @property
    def key_url(self) -> str | None:
        """The JWKS URI, or the issuer that it is discovered from; None where a service has the keys."""
        return None if self.jwks_service is not None else self.jwks_uri or self.issuer


@dataclass(frozen=True)
class Settings:
    """The settings, validated and ready for use. Times are in seconds, lengths in characters.

    ``unlisted_issuer`` is what is required of an issuer whose keys a view brings along.
    """

    issuers: Mapping[str | None, TrustedIssuer]
    unlisted_issuer: TrustedIssuer
    has_key_source: bool
    requirements: Requirements
    resolves_users: bool
    realm: str = ""
    protected_paths: tuple[re.Pattern[str], ...] = ()
    exempt_paths: tuple[re.Pattern[str], ...] = ()
    invalid_token_status: int = 403
    cache: str = "default"
    jwks_fresh_seconds: float = 300
    jwks_stale_seconds: float = 14400
    jwks_cooldown_seconds: float = 30
    http_session: requests.Session | Callable[[], requests.Session] | None = None
    http_timeout: float = 5
    allow_insecure_http: bool = False
    token_cache_size: int = 1024
    max_token_length: int = 16384
    resource_metadata: Mapping[str, Any] | None = None

    @property
    def named_issuers(self) -> list[str]:
        """The identifiers of the trusted issuers; none where any issuer is trusted."""
        return [issuer for issuer in self.issuers if issuer is not None]

    @cached_property
    def resource_metadata_uri(self) -> str:
        """Where the protected resource metadata is (RFC 9728 section 3.1), "" where there is none."""
        if self.resource_metadata is None:
            return ""
        parts = urlsplit(self.resource_metadata["resource"])
        well_known = f"/.well-known/oauth-protected-resource{parts.path.rstrip('/')}"
        return str(urlunsplit((parts.scheme, parts.netloc, well_known, parts.query, "")))


def trusted_issuer(issuer: str | None, values: Mapping[str, Any], own: Mapping[str, Any]) -> TrustedIssuer:
    """Return an issuer with the values that hold for it; where its keys are is its own affair."""
    shared = {key: values[key] for key in ISSUER_RULES if key in values}
    source = {key: own.get(key) for key in ("JWKS_URI", "JWKS_SERVICE")}
    return TrustedIssuer(issuer=issuer, **_fields(shared | source))


def settings_of(values: Mapping[str, Any], issuers: tuple[TrustedIssuer, ...]) -> Settings:
    """Return the settings that valid values and their issuers make."""
    rest = {key: value for key, value in values.items() if key in _PLAIN_KEYS}
    return Settings(
        issuers=MappingProxyType({trusted.issuer: trusted for trusted in issuers}),
        unlisted_issuer=trusted_issuer(None, values, {}),
        has_key_source=any(issuer.issuer or issuer.jwks_uri or issuer.jwks_service is not None for issuer in issuers),
        resolves_users=any(issuer.user_resolver is not None for issuer in issuers),
        requirements=Requirements(values.get("SCOPE", ()), values.get("CLAIMS", ())),
        **_fields(rest),
    )


_PLAIN_KEYS: Final = RULES.keys() - ISSUER_RULES.keys() - {"ISSUER", "ISSUERS", "SCOPE", "CLAIMS"}


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key.lower(): value for key, value in values.items()}
