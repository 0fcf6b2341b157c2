"""The keys of ``OAUTH_JWT`` with the rule for each value, and what the values become together."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ..tokens import Requirements
from . import bindings, keys, paths, resources, targets, urls, values
from .accounts import account_settings
from .introspection import introspection_settings
from .validated import Settings, TrustedIssuer

Rule = Callable[[Any], Any]

#: The keys that an entry of ISSUERS may have; all other settings are the same for all issuers.
ISSUER_RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "JWKS_URI": urls.jwks_uri,
        "JWKS": keys.jwks,
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
        "ISSUER_RESOLVER": targets.imported_callable,
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
        *("JWKS_URI", "JWKS", "ISSUER", "AUDIENCE", "JWKS_SERVICE", "ISSUER_RESOLVER", "USER_RESOLVER", "HTTP_SESSION"),
        *("PROTECTED_PATHS", "EXEMPT_PATHS", "RESOURCE_METADATA", "CLIENT_CERTIFICATE", "INTROSPECTION", "IS_REVOKED"),
    }
)
#: With None in an entry of ISSUERS the issuer is left out of what holds for the others.
REFUSABLE_KEYS: Final = frozenset({"INTROSPECTION"})
#: Their values hold secrets, which have no place in an error.
SECRET_KEYS: Final = frozenset({"INTROSPECTION", "ISSUERS", "JWKS"})
#: Where an issuer's keys are. They belong to one issuer: the others do not inherit them.
KEY_SOURCES: Final = ("JWKS_URI", "JWKS", "JWKS_SERVICE")


def issuer_of(issuer: str | None, values: Mapping[str, Any], own: Mapping[str, Any]) -> TrustedIssuer:
    """Return an issuer with the ``values`` that apply to it, and the key source in its ``own`` ones."""
    shared = {key: values[key] for key in ISSUER_RULES if key in values}
    source = {key: own.get(key) for key in KEY_SOURCES}
    return TrustedIssuer(issuer=issuer, **_fields(shared | source))


def settings_of(values: Mapping[str, Any], issuers: tuple[TrustedIssuer, ...]) -> Settings:
    """Return the settings for validated values by key, and the issuers made from them."""
    rest = {key: value for key, value in values.items() if key in _PLAIN_KEYS}
    if "RESOURCE_METADATA" in values:  # its readers renew a token on 401, but not on 403
        rest.setdefault("INVALID_TOKEN_STATUS", 401)
    unlisted, resolver = issuer_of(None, {**values, "INTROSPECTION": None}, {}), values.get("ISSUER_RESOLVER")
    requires_bound_tokens = any(issuer.require_bound_tokens for issuer in (*issuers, unlisted))
    return Settings(
        issuers=MappingProxyType({trusted.issuer: trusted for trusted in issuers}),
        unlisted_issuer=unlisted,
        has_key_source=resolver is not None or any(map(_has_key_source, issuers)),
        resolves_users=resolver is not None or any(issuer.user_resolver is not None for issuer in issuers),
        introspecting=tuple(issuer for issuer in issuers if issuer.introspection is not None),
        requires_bound_tokens=requires_bound_tokens,
        may_require_bound_tokens=requires_bound_tokens or resolver is not None,
        requirements=Requirements(values.get("SCOPE", ()), values.get("CLAIMS", ())),
        issuer_defaults={key: values[key] for key in ISSUER_RULES if key in values},
        **_fields(rest),
    )


def _has_key_source(trusted: TrustedIssuer) -> bool:
    return trusted.key_url is not None or trusted.jwks is not None or trusted.jwks_service is not None


_PLAIN_KEYS: Final = RULES.keys() - ISSUER_RULES.keys() - {"ISSUER", "ISSUERS", "SCOPE", "CLAIMS"}


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key.lower(): value for key, value in values.items()}
