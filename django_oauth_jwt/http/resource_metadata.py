"""Protected resource metadata (RFC 9728): where a client learns which authorization server to ask.

Include ``django_oauth_jwt.urls`` at the root of the URLconf; the setting RESOURCE_METADATA is the document, or one for
each resource.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from ..conf import Resource, Settings, get_settings, host_of

_METHODS: Final = ("GET", "HEAD", "OPTIONS")
#: In seconds. The document changes with the project's settings.
_MAXIMUM_AGE: Final = 3600


def protected_resource_metadata(request: HttpRequest, path: str = "") -> HttpResponse:
    """Return the metadata (section 3.2); 404 where there is none, or none for this resource's path.

    Without a path it is returned for a resource that has one, too, if it is the only one: clients that know the host
    alone ask there. Pages of all origins may read it, since what runs in a browser needs it like any other client.
    """
    response = _answer(request, path)
    is_there = response.status_code < HTTPStatus.BAD_REQUEST  # what is not may be there after the next deployment
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = f"public, max-age={_MAXIMUM_AGE}" if is_there else "no-store"
    return response


def _answer(request: HttpRequest, path: str) -> HttpResponse:
    if request.method not in _METHODS:
        return HttpResponseNotAllowed(_METHODS)
    if request.method == "OPTIONS":
        allowed = {"Access-Control-Allow-Methods": ", ".join(_METHODS), "Access-Control-Allow-Headers": "*"}
        return HttpResponse(status=204, headers={"Allow": ", ".join(_METHODS), **allowed})
    settings = get_settings()
    resource = _resource_at(path.rstrip("/"), request, settings.resource_metadata)
    if resource is None:
        return JsonResponse({"error": "not_found"}, status=404)
    return JsonResponse(_document(resource, settings))


def _document(resource: Resource, settings: Settings) -> dict[str, Any]:
    """Return what is known of a resource (section 2), and what the setting says, which wins."""
    known = {
        "authorization_servers": settings.named_issuers,
        "scopes_supported": [*dict.fromkeys(settings.requirements.scopes)],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": list(settings.dpop.algorithms) if settings.offers_dpop else [],
        "dpop_bound_access_tokens_required": settings.requires_dpop,
        "tls_client_certificate_bound_access_tokens": settings.client_certificate is not None,
    }
    return resource.document({name: value for name, value in known.items() if value})


def metadata_uri_for(request: HttpRequest | None, resources: Sequence[Resource]) -> str:
    """Return where the metadata is of the resource that a request is for, "" where there is none.

    That is the one with the longest path that begins the request's.
    """
    if len(resources) == 1:
        return resources[0].metadata_uri
    if request is None or not resources:
        return ""
    path = request.path
    nearest = max(_on_host_of(request, resources), key=lambda resource: resource.matched_length(path))
    return nearest.metadata_uri if nearest.matched_length(path) >= 0 else ""


def _resource_at(path: str, request: HttpRequest, resources: Sequence[Resource]) -> Resource | None:
    near = _on_host_of(request, resources)
    found = [resource for resource in near if path in resource.paths]
    if not found and not path and len(near) == 1:
        return near[0]
    query = request.META.get("QUERY_STRING", "")
    return next((resource for resource in found if resource.query == query), found[0] if found else None)


def _on_host_of(request: HttpRequest, resources: Sequence[Resource]) -> Sequence[Resource]:
    """Return the resources on the host that was asked; where it has none, all of them.

    The Host header only chooses among what the settings name.
    """
    if len(resources) <= 1:
        return resources
    try:
        host = host_of(f"{request.scheme}://{request.get_host()}")
    except DisallowedHost:  # Django's own affair: our answer is the same for any host
        return resources
    return [resource for resource in resources if resource.host == host] or resources
