"""Protected resource metadata (RFC 9728): where a client learns which authorization server to ask.

Include ``django_oauth_jwt.urls`` at the root of the URLconf; the setting RESOURCE_METADATA is the document.
"""

from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from ..conf import get_settings


@require_safe
def protected_resource_metadata(request: HttpRequest, path: str = "") -> JsonResponse:
    """Return the metadata (section 3.2); 404 where there is none, or none for this resource's path.

    Without a path it is returned for a resource that has one, too: clients that know the host alone ask there.
    The authorization servers are the trusted issuers and the bearer method is the header, unless the
    setting says otherwise.
    """
    settings = get_settings()
    metadata = settings.resource_metadata
    if metadata is None or path.rstrip("/") not in ("", urlsplit(metadata["resource"]).path.rstrip("/")):
        raise Http404("no protected resource metadata here")
    issuers = settings.named_issuers
    known = {"authorization_servers": issuers} if issuers else {}
    return JsonResponse({**known, "bearer_methods_supported": ["header"], **metadata})
