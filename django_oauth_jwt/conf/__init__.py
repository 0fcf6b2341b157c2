"""The settings dict ``OAUTH_JWT``: it is validated as a whole and becomes frozen, typed objects.

`reading` reads the dict and lists everything that is wrong with it. `rules` has the table of keys; `values`, `urls`,
`paths`, `resources`, `targets`, `keys`, `bindings`, `accounts` and `introspection` have one function for each kind of
value, `nested` reads those that are dicts. `validated` is what comes out. `runtime` holds the current settings,
together with the objects that other wings make from them. `risks` is what is allowed and unwise in the settings,
`risks_of_cache` and `risks_of_project` in what is around them.
"""

from .accounts import AccountSettings, GroupSettings
from .bindings import HEADER_SOURCES, ClientCertificateSettings, DpopSettings
from .introspection import WITH_KEY, WITH_SECRET, IntrospectionSettings
from .nested import without_password
from .reading import NAME, NO_KEY_SOURCE, Problem, read, read_issuer
from .resources import Resource, host_of
from .risks import Risk, setting_risks
from .risks_of_cache import cache_risks
from .risks_of_project import middleware_risks
from .rules import ISSUER_RULES, RULES
from .runtime import Runtime, get_runtime, get_settings, require_key_source
from .targets import KEY_SERVICE_METHODS, is_key_service, require_key_service
from .urls import is_loopback, is_secure, url
from .validated import Settings, TrustedIssuer
from .values import seconds, some_seconds

__all__ = [
    "HEADER_SOURCES",
    "ISSUER_RULES",
    "KEY_SERVICE_METHODS",
    "NAME",
    "NO_KEY_SOURCE",
    "RULES",
    "WITH_KEY",
    "WITH_SECRET",
    "AccountSettings",
    "ClientCertificateSettings",
    "DpopSettings",
    "GroupSettings",
    "IntrospectionSettings",
    "Problem",
    "Resource",
    "Risk",
    "Runtime",
    "Settings",
    "TrustedIssuer",
    "cache_risks",
    "get_runtime",
    "get_settings",
    "host_of",
    "is_key_service",
    "is_loopback",
    "is_secure",
    "middleware_risks",
    "read",
    "read_issuer",
    "require_key_service",
    "require_key_source",
    "seconds",
    "setting_risks",
    "some_seconds",
    "url",
    "without_password",
]
