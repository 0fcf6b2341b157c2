"""The keys of ``OAUTH_JWT`` with the rule for each value, and the frozen objects that the values become."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import requests

from ..errors import BearerError, InvalidToken
from ..jws import SUPPORTED_ALGORITHMS
from ..tokens import FLAT, NO_PERMISSIONS, Requirements, ScopeHierarchy, TokenPermissions
from . import bindings, paths, resources, targets, urls, values
from .accounts import ACCOUNT_DEFAULTS, AccountSettings, account_settings
from .introspection import IntrospectionSettings, introspection_settings

Rule = Callable[[Any], Any]

#: The keys that an entry of ISSUERS may have; all other settings are the same for all issuers.
ISSUER_RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "JWKS_URI": urls.jwks_uri,
        "AUDIENCE": values.audience,
        "ALGORITHMS": values.algorithms,
        "TOKEN_TYPES": values.token_types,
        "REQUIRED_CLAIMS": values.strings,
        "LEEWAY": values.seconds,
        "JWKS_SERVICE": targets.key_service,
        "USER_RESOLVER": targets.imported_callable,
        "REQUIRE_BOUND_TOKENS": values.boolean,
        "INTROSPECTION": introspection_settings,
        "ACCOUNTS": account_settings,
    }
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        **ISSUER_RULES,
        "ISSUER": values.non_empty,
        "ISSUERS": values.issuers,
        "REALM": values.text,
        "SCOPE": values.scopes,
        "SCOPE_IMPLIES": values.scope_hierarchy,
        "CLAIMS": values.claims,
        "PROTECTED_PATHS": paths.protected_paths,
        "EXEMPT_PATHS": paths.exempt_paths,
        "INVALID_TOKEN_STATUS": values.refusal_status,
        "CACHE": targets.cache_alias,
        "JWKS_FRESH_SECONDS": values.seconds,
        "JWKS_STALE_SECONDS": values.some_seconds,
        "JWKS_COOLDOWN_SECONDS": values.seconds,
        "HTTP_SESSION": targets.session,
        "HTTP_TIMEOUT": values.some_seconds,
        "ALLOW_INSECURE_HTTP": values.boolean,
        "TOKEN_CACHE_SIZE": values.count,
        "MAX_TOKEN_LENGTH": values.length,
        "RESOURCE_METADATA": resources.resource_metadata,
        "TOKEN_PERMISSIONS": values.token_permissions,
        "PASS_FOREIGN_TOKENS": values.boolean,
        "IS_REVOKED": targets.imported_callable,
        "DPOP": bindings.dpop,
        "CLIENT_CERTIFICATE": bindings.client_certificate,
    }
)

#: With None these keys have their default, as if they were left out.
NULLABLE_KEYS: Final = frozenset(
    {
        *("JWKS_URI", "ISSUER", "AUDIENCE", "JWKS_SERVICE", "USER_RESOLVER", "HTTP_SESSION"),
        *("PROTECTED_PATHS", "EXEMPT_PATHS", "RESOURCE_METADATA", "CLIENT_CERTIFICATE", "INTROSPECTION", "IS_REVOKED"),
    }
)
#: With None in an entry of ISSUERS the issuer is left out of what holds for the others.
REFUSABLE_KEYS: Final = frozenset({"INTROSPECTION"})
#: Their values hold secrets, which have no place in an error.
SECRET_KEYS: Final = frozenset({"INTROSPECTION", "ISSUERS"})


@dataclass(frozen=True)
class TrustedIssuer:
    """A trusted authorization server: where its keys are, and what its tokens must satisfy.

    ``issuer`` None accepts any ``iss``, ``audience`` None any ``aud``. ``leeway`` is in seconds.
    """

    issuer: str | None = None
    jwks_uri: str | None = None
    jwks_service: Any = None
    audience: frozenset[str] | None = None
    algorithms: frozenset[str] = frozenset(SUPPORTED_ALGORITHMS)
    token_types: frozenset[str | None] = frozenset({"at+jwt", "jwt", None})
    required_claims: tuple[str, ...] = ("exp",)
    leeway: float = 30
    user_resolver: Callable[..., Any] | None = None
    require_bound_tokens: bool = False
    introspection: IntrospectionSettings | None = None
    accounts: AccountSettings = ACCOUNT_DEFAULTS

    @property
    def key_url(self) -> str | None:
        """The JWKS URI, or the issuer to discover it from; None where a JWKS_SERVICE provides the keys."""
        return None if self.jwks_service is not None else self.jwks_uri or self.issuer


@dataclass(frozen=True)
class Settings:
    """The validated settings. Times are in seconds, lengths in characters.

    ``issuers`` has the trusted issuers by identifier, under None an issuer that is not named. ``unlisted_issuer`` is
    for tokens of other issuers where a view has its own key service; no authorization server is asked about those.
    ``requires_bound_tokens`` tells whether any issuer requires that. ``introspecting`` are those that are asked about
    opaque tokens, in this order.
    """

    issuers: Mapping[str | None, TrustedIssuer]
    unlisted_issuer: TrustedIssuer
    has_key_source: bool
    requirements: Requirements
    resolves_users: bool
    scope_implies: ScopeHierarchy = FLAT
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
    resource_metadata: tuple[resources.Resource, ...] = ()
    pass_foreign_tokens: bool = False
    token_permissions: TokenPermissions = NO_PERMISSIONS
    is_revoked: Callable[..., Any] | None = None
    dpop: bindings.DpopSettings = bindings.DPOP_DEFAULTS
    client_certificate: bindings.ClientCertificateSettings | None = None
    requires_bound_tokens: bool = False
    introspecting: tuple[TrustedIssuer, ...] = ()

    @property
    def named_issuers(self) -> list[str]:
        """The identifiers of the trusted issuers; empty where any issuer is trusted."""
        return [issuer for issuer in self.issuers if issuer is not None]

    @property
    def offers_dpop(self) -> bool:
        """Whether clients are told of DPoP: it is offered, or the only way to send the tokens that are required."""
        return self.dpop.offer or (self.requires_bound_tokens and self.client_certificate is None)

    @property
    def requires_dpop(self) -> bool:
        """Whether nothing but tokens bound by DPoP is accepted, whoever issued them."""
        are_bound = all(trusted.require_bound_tokens for trusted in self.issuers.values())
        return are_bound and self.client_certificate is None

    def status_of(self, error: BearerError) -> int:
        """Return the HTTP status of a refusal; that of a token which fails validation is a setting."""
        is_the_settings = isinstance(error, InvalidToken) and not error.has_own_status
        return self.invalid_token_status if is_the_settings else error.status

    def secures_path(self, path: str) -> bool:
        """Tell whether the middleware secures a path: one of PROTECTED_PATHS, if any, and none of EXEMPT_PATHS."""
        return paths.is_secured(path, self.protected_paths, self.exempt_paths)


def issuer_of(issuer: str | None, values: Mapping[str, Any], own: Mapping[str, Any]) -> TrustedIssuer:
    """Return an issuer with the ``values`` that apply to it, and the key source in its ``own`` ones."""
    shared = {key: values[key] for key in ISSUER_RULES if key in values}
    source = {key: own.get(key) for key in ("JWKS_URI", "JWKS_SERVICE")}
    return TrustedIssuer(issuer=issuer, **_fields(shared | source))


def settings_of(values: Mapping[str, Any], issuers: tuple[TrustedIssuer, ...]) -> Settings:
    """Return the settings for validated values by key, and the issuers made from them."""
    rest = {key: value for key, value in values.items() if key in _PLAIN_KEYS}
    if "RESOURCE_METADATA" in values:  # its readers renew a token on 401, but not on 403
        rest.setdefault("INVALID_TOKEN_STATUS", 401)
    unlisted = issuer_of(None, {**values, "INTROSPECTION": None}, {})
    return Settings(
        issuers=MappingProxyType({trusted.issuer: trusted for trusted in issuers}),
        unlisted_issuer=unlisted,
        has_key_source=any(issuer.issuer or issuer.jwks_uri or issuer.jwks_service is not None for issuer in issuers),
        resolves_users=any(issuer.user_resolver is not None for issuer in issuers),
        introspecting=tuple(issuer for issuer in issuers if issuer.introspection is not None),
        requires_bound_tokens=any(issuer.require_bound_tokens for issuer in (*issuers, unlisted)),
        requirements=Requirements(values.get("SCOPE", ()), values.get("CLAIMS", ())),
        **_fields(rest),
    )


_PLAIN_KEYS: Final = RULES.keys() - ISSUER_RULES.keys() - {"ISSUER", "ISSUERS", "SCOPE", "CLAIMS"}


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key.lower(): value for key, value in values.items()}
