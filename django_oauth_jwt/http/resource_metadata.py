"""Protected resource metadata (RFC 9728): where a client learns which authorization server to ask.

Include ``django_oauth_jwt.urls`` at the root of the URLconf; the setting RESOURCE_METADATA is the document.
"""

from urllib.parse import unquote, unquote_to_bytes, urlsplit

from django.http import Http404, HttpRequest, JsonResponse
from django.utils.encoding import repercent_broken_unicode
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
    if metadata is None or path.rstrip("/") not in {"", *_decoded_paths(metadata["resource"])}:
        raise Http404("no protected resource metadata here")
    issuers = settings.named_issuers
    known = {"authorization_servers": issuers} if issuers else {}
    return JsonResponse({**known, "bearer_methods_supported": ["header"], **metadata})


def _decoded_paths(resource: str) -> set[str]:
    """Return how a request for a resource's path may look to Django, which decodes it: without a final slash.

    Where it is not UTF-8, Django's WSGI handler leaves such bytes encoded, and servers of ASGI replace them. Django's
    `AsyncClient` reads every path as Latin-1.
    """
    path = urlsplit(resource).path
    decoded = (unquote(path), repercent_broken_unicode(unquote_to_bytes(path)).decode(), unquote(path, "latin-1"))
    return {one.rstrip("/") for one in decoded}
