"""The setting RESOURCE_METADATA: the protected resources of this project, with their metadata (RFC 9728 section 2)."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote, unquote_to_bytes, urlsplit, urlunsplit

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.encoding import repercent_broken_unicode
from django.utils.functional import Promise

from .nested import brief
from .urls import is_secure, url
from .values import boolean, strings, text

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Resource:
    """A protected resource: the ``metadata`` that the settings give for it, ``resource`` (its URL) among them."""

    metadata: Mapping[str, Any]

    @property
    def url(self) -> str:
        """The resource's identifier."""
        return str(self.metadata["resource"])

    @cached_property
    def metadata_uri(self) -> str:
        """The URL of its metadata: the well-known path stands between host and path (section 3.1)."""
        parts = urlsplit(self.url)
        path = "" if parts.path == "/" else parts.path
        return str(urlunsplit((parts.scheme, parts.netloc, WELL_KNOWN + path, parts.query, "")))

    @cached_property
    def host(self) -> str:
        """Its host, as `host_of` writes it."""
        return host_of(self.url)

    @cached_property
    def query(self) -> str:
        """The query of its URL, "" without one."""
        return urlsplit(self.url).query

    @cached_property
    def paths(self) -> frozenset[str]:
        """How a request for its path may look to Django, which decodes it; without a final slash.

        Where it is not UTF-8, Django's WSGI handler leaves such bytes encoded, and servers of ASGI replace them.
        Django's `AsyncClient` reads every path as Latin-1.
        """
        path = urlsplit(self.url).path
        decoded = (unquote(path), repercent_broken_unicode(unquote_to_bytes(path)).decode(), unquote(path, "latin-1"))
        return frozenset(one.rstrip("/") for one in decoded)

    def matched_length(self, path: str) -> int:
        """Return how many characters of a request's path its own path is; -1 where it does not begin it."""
        return max((len(own) for own in self.paths if f"{path}/".startswith(f"{own}/")), default=-1)

    def document(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is known of the resource and, over it, its metadata, without members of the RFC's that are None.

        Clients that validate refuse a null, so None leaves a member out, also one that is known.
        """
        whole = {**known, **self.metadata}
        return {name: member for name, member in whole.items() if member is not None or _rule_for(name) is None}

    @property
    def audiences(self) -> frozenset[str]:
        """What a token's ``aud`` may call it: its URL, that of a whole host with and without the final slash."""
        parts = urlsplit(self.url)
        is_origin = parts.path in ("", "/") and not parts.query
        return frozenset({self.url, self.url.rstrip("/"), f"{self.url.rstrip('/')}/"} if is_origin else {self.url})


def host_of(address: str) -> str:
    """Return the host of a URL in lower case, with the port unless that is the scheme's own."""
    parts = urlsplit(address)
    host = parts.netloc.lower()
    default = f":{_DEFAULT_PORTS.get(parts.scheme)}"
    return host.removesuffix(default)


def resource_metadata(value: Any) -> tuple[Resource, ...]:
    """The metadata of a protected resource as a dict, or a list of such dicts."""
    if not isinstance(value, dict | list | tuple):
        raise ValueError("must be a dict of protected resource metadata (RFC 9728 section 2), or a list of such dicts")
    resources = tuple(map(_resource, [value] if isinstance(value, dict) else value))
    if not resources:
        raise ValueError("must not be an empty list: leave it out, or set it to None")
    _refuse_same_url(resources)
    return resources


def audiences_of(resources: Iterable[Resource]) -> frozenset[str]:
    """Return what stands for AUDIENCE where that is not set."""
    return frozenset().union(*(resource.audiences for resource in resources))


def _resource(metadata: Any) -> Resource:
    if not isinstance(metadata, dict) or not all(isinstance(name, str) for name in metadata):
        raise ValueError("must hold nothing but dicts of protected resource metadata (RFC 9728 section 2)")
    identifier = metadata.get("resource")
    _check_identifier(identifier)
    try:
        json.dumps(metadata, cls=DjangoJSONEncoder, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"must hold nothing but JSON: {error}") from error
    for name, member in metadata.items():
        rule = _rule_for(name)
        if rule is None or member is None:  # None is left out of the document
            continue
        try:
            rule(member)
        except ValueError as error:
            raise ValueError(f"has {name!r}, which {error} (RFC 9728 section 2)") from error
    return Resource(dict(metadata))


def _rule_for(name: str) -> Callable[[Any], Any] | None:
    """Return the rule for a member; None for what is of other specifications, or the project's own."""
    return _MEMBERS.get(name.partition("#")[0])  # "resource_name#de" is the name in German


def _words(value: Any) -> None:
    """A text for people, which may be translated when it is shown."""
    if not isinstance(value, str | Promise):
        raise ValueError("must be a string")


def _list_of_words(value: Any) -> None:
    """A list of such texts. What a translation says is not known yet."""
    strings([one for one in value if not isinstance(one, Promise)] if isinstance(value, list | tuple) else value)


#: The members that section 2 registers, by the rule for each.
_MEMBERS: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        **dict.fromkeys(("jwks_uri", "resource_name", "resource_documentation", "signed_metadata"), _words),
        **dict.fromkeys(("resource_policy_uri", "resource_tos_uri"), _words),
        **dict.fromkeys(("authorization_servers", "scopes_supported", "bearer_methods_supported"), _list_of_words),
        **dict.fromkeys(("resource_signing_alg_values_supported", "dpop_signing_alg_values_supported"), _list_of_words),
        "authorization_details_types_supported": _list_of_words,
        "tls_client_certificate_bound_access_tokens": boolean,
        "dpop_bound_access_tokens_required": boolean,
    }
)


def _check_identifier(identifier: Any) -> None:
    problem = "must hold 'resource', the https URL of this API"
    shown = brief(identifier)
    if isinstance(identifier, str) and "#" in identifier:
        raise ValueError(f"{problem}, which has no fragment (RFC 9728 section 1.2): {shown} has one")
    try:
        url(text(identifier))  # it stands in the challenge
    except ValueError as error:
        raise ValueError(f"{problem}: it {error}") from error
    if not is_secure(identifier):
        raise ValueError(f"{problem}: {shown} is http, which only loopback addresses may be")


def _refuse_same_url(resources: tuple[Resource, ...]) -> None:
    seen: dict[object, Resource] = {}
    for resource in resources:
        path = unquote(urlsplit(resource.url).path).rstrip("/")
        first = seen.setdefault((resource.host, path, resource.query), resource)
        if first is not resource:
            raise ValueError(f"must not hold two resources of one URL: {first.url!r}, {resource.url!r}")
