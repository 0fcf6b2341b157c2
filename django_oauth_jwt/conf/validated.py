"""The frozen objects that the settings become: `Settings`, and a `TrustedIssuer` for each authorization server."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from ..errors import BearerError, InvalidToken
from ..jws import SUPPORTED_ALGORITHMS, KeySet
from ..tokens import FLAT, NO_PERMISSIONS, Requirements, ScopeHierarchy, TokenPermissions
from . import bindings, paths, resources
from .accounts import ACCOUNT_DEFAULTS, AccountSettings
from .introspection import IntrospectionSettings


@dataclass(frozen=True)
class TrustedIssuer:
    """A trusted authorization server: where its keys are, and what its tokens must satisfy.

    ``issuer`` None accepts any ``iss``, ``audience`` None any ``aud``. ``jwks`` are its keys, or the file that has
    them. ``leeway`` is in seconds. ``parts`` are the objects that other wings make for this issuer, by what makes them:
    they live as long as it is trusted in this way.
    """

    issuer: str | None = None
    jwks_uri: str | None = None
    jwks: KeySet | Path | None = None
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
    parts: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def key_url(self) -> str | None:
        """The JWKS URI, or the issuer to discover it from; None where the keys are not fetched from a URL."""
        is_fetched = self.jwks_service is None and self.jwks is None
        return self.jwks_uri or self.issuer if is_fetched else None


@dataclass(frozen=True)
class Settings:
    """The validated settings. Times are in seconds, lengths in characters.

    ``issuers`` has the trusted issuers by identifier, under None an issuer that is not named. ``unlisted_issuer`` is
    for tokens of other issuers where a view has its own key service; no authorization server is asked about those.
    ``issuer_resolver`` says of an issuer that is not among them whether it is trusted, and ``issuer_defaults`` are the
    settings by key that hold for such a one. ``requires_bound_tokens`` tells whether any issuer of the settings
    requires that, ``may_require_bound_tokens`` whether one that the resolver names may. ``introspecting`` are those
    that are asked about opaque tokens, in this order.
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
    may_require_bound_tokens: bool = False
    introspecting: tuple[TrustedIssuer, ...] = ()
    issuer_resolver: Callable[[str], Any] | None = None
    issuer_defaults: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

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
        """Whether nothing but tokens bound by DPoP is accepted, of any issuer."""
        # An issuer that the resolver names may do without, whatever the settings say of others.
        are_bound = self.issuer_resolver is None and all(each.require_bound_tokens for each in self.issuers.values())
        return are_bound and self.client_certificate is None

    def status_of(self, error: BearerError) -> int:
        """Return the HTTP status of a refusal; that of a token which fails validation is a setting."""
        is_the_settings = isinstance(error, InvalidToken) and not error.has_own_status
        return self.invalid_token_status if is_the_settings else error.status

    def secures_path(self, path: str) -> bool:
        """Tell whether the middleware secures a path: one of PROTECTED_PATHS, if any, and none of EXEMPT_PATHS."""
        return paths.is_secured(path, self.protected_paths, self.exempt_paths)
