"""What a request says of its sender, so that no check of a binding needs the request itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from django.http import HttpRequest

from ..conf import Settings
from .certificate import certificate_thumbprint
from .target import request_url

#: Schemes of the Authorization header, in lower case: they match without regard to case (RFC 9110 section 11.1).
BEARER: Final = "bearer"
DPOP: Final = "dpop"


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """One request, as a proof or a certificate is checked against it. The repr does not show the proof.

    ``scheme`` is `BEARER` or `DPOP`. ``method`` and ``url`` are the request's own; the URL is absolute, its query does
    not count. ``proof`` is the DPoP header, None without one; servers join several with commas. ``certificate``
    returns the ``x5t#S256`` of the client's certificate, None without one, and may raise BearerError.
    """

    scheme: str
    method: str
    url: str
    proof: str | None = field(default=None, repr=False)
    certificate: Callable[[], str | None] = field(default=lambda: None, repr=False)


def facts_of(request: HttpRequest, scheme: str, settings: Settings) -> RequestFacts:
    """Return the facts of a request whose token came with a scheme; DisallowedHost as `request.get_host` raises it."""
    return RequestFacts(
        scheme,
        str(request.method),
        request_url(request) if scheme == DPOP else "",  # nothing else is about the URL
        request.META.get("HTTP_DPOP"),
        partial(certificate_thumbprint, request, settings.client_certificate),
    )
